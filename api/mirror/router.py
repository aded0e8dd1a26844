"""HTTP of the chain that is mirrored: which it is, where its contracts are, and what they emit."""

from fastapi import APIRouter

from api import problems
from api.deps import ResourcesDep, ViewDep
from api.mirror import schemas
from api.mirror.contracts import events_by_contract
from api.mirror.service import MirrorEmptyError

router = APIRouter(
    tags=["network"],
    responses=problems.responses(problems.InvalidRequestError, MirrorEmptyError, problems.NotDeployedError),
)


@router.get("/network", operation_id="getNetwork", summary="Get the chain and the contracts")
async def get_network(held: ResourcesDep, view: ViewDep) -> schemas.Network:
    """Return which chain a wallet must be on, where the contracts are, and the events that can be listened for."""
    chain, deployment = held.settings.chain, held.deployment
    return schemas.Network(
        name=chain.name,
        chain_id=chain.chain_id,
        currency=chain.currency,
        block_seconds=chain.block_seconds,
        contracts=[
            schemas.NetworkContract(name=name, address=contract.address, block_number=contract.block_number)
            for name, contract in sorted(deployment.contracts.items())
        ],
        events=[
            schemas.ContractEvents(contract=contract, names=list(names))
            for contract, names in events_by_contract().items()
            if names
        ],
        indexed_block=view.tip.wire(),
    )
