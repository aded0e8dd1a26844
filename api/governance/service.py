"""Rules of governance: which contracts, how proposals stand at the indexed block, and what a voter is asked to sign."""

from typing import Any, Final

from api.governance import repository, schemas
from api.governance.repository import Contracts, ProposalFilter
from api.governance.schemas import Support
from api.mirror.service import MirrorView
from api.pagination import IntegerKey, Keyset, PageRequest, Uint256Key
from api.problems import ProblemError, UnavailableError
from api.trading import calls
from api.trading.plans import Planned
from api.trading.schemas import Action, DelegateRequest
from api.wire import checksummed, utc
from encore.chain.deployments import Deployment
from encore.db import Row

PROPOSALS: Final = Keyset("proposals", IntegerKey, Uint256Key)
VOTES: Final = Keyset("votes", IntegerKey, IntegerKey)


class ProposalNotFoundError(ProblemError):
    """The governor has no proposal of this number, or its block is not indexed yet."""

    status = 404
    slug = "proposal-not-found"
    title = "Proposal not found"


class GovernorNotIndexedError(UnavailableError):
    """The governor's own settings are not in the mirror yet."""

    slug = "governor-not-indexed"
    title = "The governor is not indexed yet"


class GovernorNotFoundError(ProblemError):
    """The coin has no governor."""

    status = 404
    slug = "governor-not-found"
    title = "Governor not found"


def contracts_of(deployment: Deployment, coin: str | None) -> Contracts:
    """Return where the governance of SPARK is, or of a coin.

    Raises `GovernorNotFoundError` for a coin without, `DeploymentError` where SPARK's is not deployed.
    """
    suffix = "" if coin is None else f":{checksummed(coin)}"
    if suffix and f"CreatorGovernor{suffix}" not in deployment.contracts:
        raise GovernorNotFoundError(f"the coin {coin} has no governor")
    return Contracts(
        governor=deployment.address(f"CreatorGovernor{suffix}").lower(),
        token=(coin or deployment.address("SparkToken")).lower(),
        timelock=deployment.address(f"CreatorTimelock{suffix}").lower(),
    )


async def get_governance(view: MirrorView, contracts: Contracts) -> schemas.Governance:
    """Return the governor with its settings; raises `GovernorNotIndexedError`."""
    values = {row.name: int(row.value) for row in await repository.settings(view.session, contracts.governor)}
    if not values:
        raise GovernorNotIndexedError(f"the settings of the governor at {contracts.governor} are not indexed yet")
    return schemas.Governance(
        governor=contracts.governor,
        token=contracts.token,
        timelock=contracts.timelock,
        voting_delay_seconds=values["votingDelay"],
        voting_period_seconds=values["votingPeriod"],
        late_quorum_extension_seconds=values["lateQuorumVoteExtension"],
        proposal_threshold=values["proposalThreshold"],
        quorum_percent=values["quorumNumerator"],
        total_supply=await repository.supply(view.session, contracts.token),
        indexed_block=view.tip.wire(),
    )


async def list_proposals(
    view: MirrorView, page: PageRequest, contracts: Contracts, wanted: ProposalFilter
) -> schemas.ProposalPage:
    """List proposals as they stand at the indexed block, the newest first."""
    rows = await repository.proposals(
        view.session,
        PROPOSALS.window(page),
        contracts,
        wanted,
        now=view.tip.timestamp,
    )
    rows, cursor = PROPOSALS.cut(rows, page.limit, "created_block", "proposal_id")
    return schemas.ProposalPage(
        items=[schemas.Proposal(**_proposal(row)) for row in rows],
        next_cursor=cursor,
        indexed_block=view.tip.wire(),
    )


async def get_proposal(view: MirrorView, contracts: Contracts, number: int) -> schemas.ProposalDetail:
    """Return one proposal as it stands at the indexed block; raises `ProposalNotFoundError`."""
    row = await repository.proposal(view.session, contracts, number, now=view.tip.timestamp)
    if row is None:
        raise _not_found(number)
    return schemas.ProposalDetail(**_proposal(row), indexed_block=view.tip.wire())


async def list_votes(
    view: MirrorView, page: PageRequest, contracts: Contracts, number: int, support: Support | None
) -> schemas.VotePage:
    """List the votes on a proposal, the newest first; raises `ProposalNotFoundError`."""
    await check_exists(view, contracts, number)
    rows = await repository.votes(view.session, VOTES.window(page), contracts.governor, number, support=support)
    rows, cursor = VOTES.cut(rows, page.limit, "block_number", "log_index")
    return schemas.VotePage(
        items=[
            schemas.Vote(
                voter=row.voter,
                support=row.support,
                weight=row.weight,
                reason=row.reason,
                block_number=row.block_number,
                log_index=row.log_index,
                transaction_hash=row.transaction_hash,
                timestamp=utc(row.timestamp),
            )
            for row in rows
        ],
        next_cursor=cursor,
        indexed_block=view.tip.wire(),
    )


async def get_voter(view: MirrorView, contracts: Contracts, account: str) -> schemas.Voter:
    """Return what an account has of the token and of its votes; zeros for one that has nothing."""
    row = await repository.voter(view.session, contracts.token, account)
    assert row is not None  # noqa: S101 - a row of subqueries is always there
    return schemas.Voter(
        account=account,
        balance=row.balance or 0,
        staked=row.staked or 0,
        delegate=row.delegate,
        votes=row.votes or 0,
        indexed_block=view.tip.wire(),
    )


async def check_exists(view: MirrorView, contracts: Contracts, number: int) -> None:
    """Raise `ProposalNotFoundError` unless the governor has that proposal."""
    if not await repository.exists(view.session, contracts.governor, number):
        raise _not_found(number)


def plan(contracts: Contracts, request: schemas.GovernanceRequest) -> Planned:
    """Plan what the voter is asked to sign."""
    if isinstance(request, DelegateRequest):
        words = f"Let {request.delegatee} vote with the tokens, staked ones too"
        return Planned(Action.DELEGATE, words, calls.delegate(contracts.token, request.delegatee))
    words = f"Vote {request.support} on proposal {request.proposal_id}"
    call = calls.vote(contracts.governor, request.proposal_id, request.support.number, request.reason)
    return Planned(Action.VOTE, words, call)


def _not_found(number: int) -> ProposalNotFoundError:
    return ProposalNotFoundError(f"the governor has no proposal {number}; one just made appears once it is indexed")


def _proposal(row: Row) -> dict[str, Any]:
    return {
        "id": row.proposal_id,
        "proposer": row.proposer,
        "description": row.description,
        "calls": [
            schemas.Call(target=target, value=int(amount), calldata=calldata)
            for target, amount, calldata in zip(row.targets, row.native_amounts, row.calldatas, strict=True)
        ],
        "state": row.state,
        "votes_against": row.votes_against,
        "votes_for": row.votes_for,
        "votes_abstain": row.votes_abstain,
        "quorum": row.quorum,
        "quorum_reached": row.quorum_votes >= row.quorum,
        "snapshot": utc(row.snapshot),
        "vote_start": utc(row.vote_start),
        "vote_end": utc(row.vote_end),
        "eta": utc(row.eta) if row.eta else None,
        "created_block": row.created_block,
    }
