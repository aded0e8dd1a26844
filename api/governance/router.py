"""HTTP of governance."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response

from api import problems
from api.deps import BlockDep, ResourcesDep, ViewDep
from api.governance import schemas, service
from api.governance.repository import Contracts, ProposalFilter
from api.governance.schemas import ProposalState, Support
from api.mirror.service import MirrorEmptyError
from api.pagination import InvalidCursorError, PageDep
from api.trading import service as trading
from api.trading.schemas import PreparedTransactions
from api.trading.wallet import TransactionRefusedError
from api.wire import AddressInput, WeiInput

router = APIRouter(
    prefix="/governance",
    tags=["governance"],
    responses=problems.responses(
        problems.InvalidRequestError, MirrorEmptyError, problems.NotDeployedError, service.GovernorNotFoundError
    ),
)

_LIST = problems.responses(problems.InvalidRequestError, InvalidCursorError)
_OF_ONE = problems.responses(service.GovernorNotFoundError, service.ProposalNotFoundError)

ProposalId = Annotated[WeiInput, Path(description="the governor's number of the proposal")]


async def _contracts(
    held: ResourcesDep,
    *,
    coin: Annotated[AddressInput | None, Query(description="the coin whose governor is meant; SPARK's without")] = None,
) -> Contracts:
    return service.contracts_of(held.deployment, coin)


ContractsDep = Annotated[Contracts, Depends(_contracts)]


@router.get("", operation_id="getGovernance", summary="Get the governor and its settings")
async def get_governance(view: ViewDep, contracts: ContractsDep) -> schemas.Governance:
    """Return where governor, token and timelock are, and how proposals are voted on."""
    return await service.get_governance(view, contracts)


@router.get("/proposals", operation_id="listProposals", summary="List proposals", responses=_LIST)
async def list_proposals(
    view: ViewDep,
    page: PageDep,
    contracts: ContractsDep,
    *,
    state: Annotated[
        list[ProposalState], Query(max_length=len(ProposalState), description="only those that stand so")
    ] = [],  # noqa: B006 - FastAPI copies it
    proposer: Annotated[AddressInput | None, Query(description="only of this account")] = None,
) -> schemas.ProposalPage:
    """List what was put to the vote with its votes, quorum and state at the indexed block, the newest first."""
    return await service.list_proposals(view, page, contracts, ProposalFilter(state, proposer))


@router.get("/proposals/{proposal_id}", operation_id="getProposal", summary="Get a proposal", responses=_OF_ONE)
async def get_proposal(view: ViewDep, contracts: ContractsDep, proposal_id: ProposalId) -> schemas.ProposalDetail:
    """Return one proposal as it stands at the indexed block, as the governor's views tell it."""
    return await service.get_proposal(view, contracts, proposal_id)


@router.get(
    "/proposals/{proposal_id}/votes",
    operation_id="listVotes",
    summary="List the votes on a proposal",
    responses=_LIST | _OF_ONE,
)
async def list_votes(
    view: ViewDep,
    page: PageDep,
    contracts: ContractsDep,
    proposal_id: ProposalId,
    *,
    support: Annotated[Support | None, Query(description="only those")] = None,
) -> schemas.VotePage:
    """List the votes that were cast, the newest first."""
    return await service.list_votes(view, page, contracts, proposal_id, support)


@router.get("/voters/{address}", operation_id="getVoter", summary="Get an account's votes")
async def get_voter(
    view: ViewDep, contracts: ContractsDep, address: Annotated[AddressInput, Path(description="the account")]
) -> schemas.Voter:
    """Return what an account has of the token, who votes with it, and the votes that it has itself."""
    return await service.get_voter(view, contracts, address)


@router.post(
    "/transactions",
    operation_id="prepareGovernanceTransactions",
    summary="Prepare a vote or a delegation to sign",
    responses=problems.responses(
        problems.InvalidRequestError,
        service.GovernorNotFoundError,
        service.ProposalNotFoundError,
        TransactionRefusedError,
        MirrorEmptyError,
        problems.ChainUnavailableError,
        problems.NotDeployedError,
    ),
)
async def prepare_governance_transactions(
    held: ResourcesDep,
    response: Response,
    contracts: ContractsDep,
    request: schemas.GovernanceRequest,
    _block: BlockDep,
) -> PreparedTransactions:
    """Prepare a vote, or the delegation of the token's votes, for the user's wallet to sign and send."""
    async with held.view() as view:  # given back before the node is asked, which may take long
        if isinstance(request, schemas.VoteRequest):
            await service.check_exists(view, contracts, request.proposal_id)
    response.headers.update(view.tip.headers())
    return await trading.prepare_call(trading.desk_of(held), view.tip, request.wallet, service.plan(contracts, request))
