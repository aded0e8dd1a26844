"""Rules of a creator's own coin: what of its supply is the creator's, and the transactions that the creator signs."""

from api.creators import repository, schemas, supply
from api.creators.revenue import NoCoinError
from api.creators.service import found
from api.mirror.service import MirrorView
from api.problems import ProblemError
from api.trading import calls
from api.trading.plans import Planned
from api.trading.schemas import Action
from api.wire import utc


class NoWalletError(ProblemError):
    """The chain does not know the creator."""

    status = 409
    slug = "no-wallet"
    title = "The creator has no wallet"


async def get_allocation(view: MirrorView, creator_id: int) -> schemas.CreatorAllocation:
    """Return what vested and was released of the coin; raises `CreatorNotFoundError` or `NoCoinError`."""
    creator = await found(view.session, creator_id)
    row = None if creator.token is None else await repository.allocation(view.session, creator.token)
    if row is None:
        raise NoCoinError(f"creator {creator_id} has launched no coin yet")
    vested = supply.vested(row.created_at, view.tip.timestamp)
    portion = supply.next_portion(row.released_supply)
    return schemas.CreatorAllocation(
        creator_id=creator_id,
        coin=creator.token,
        vesting=schemas.Vesting(
            total=supply.VESTING_ALLOCATION,
            vested=vested,
            claimed=row.vested_tokens_claimed,
            claimable=vested - row.vested_tokens_claimed,
            starts_at=utc(row.created_at),
            ends_at=utc(row.created_at + supply.VESTING_SECONDS),
        ),
        release=schemas.Release(
            total=supply.RELEASE_ALLOCATION,
            released=row.released_supply,
            portion=portion,
            growth_bps=supply.RELEASE_GROWTH_BPS,
            last_at=utc(row.last_release_at),
            next_at=utc(row.last_release_at + supply.RELEASE_INTERVAL_SECONDS) if portion else None,
        ),
        indexed_block=view.tip.wire(),
    )


async def plan(view: MirrorView, factory: str, creator_id: int, request: schemas.CreatorRequest) -> Planned:
    """Plan what the wallet is asked to sign; who may, and when, the contracts decide.

    Raises `CreatorNotFoundError`, `NoWalletError` or `NoCoinError`.
    """
    creator = await found(view.session, creator_id)
    if creator.wallet is None:
        raise NoWalletError(f"creator {creator_id} has no wallet yet, by which the chain could know them")
    match request:
        case schemas.LaunchRequest():
            coin = (request.name, request.symbol, request.description, request.image_url)
            words = f"Launch {request.symbol} with {request.native_seed} native wei in its pool, for good"
            return Planned(Action.LAUNCH, words, calls.launch(factory, creator.wallet, coin, request.native_seed))
        case schemas.DistributeRevenueRequest(amount=amount):
            words = f"Share {amount} native wei between the creator and the holders of the coin"
            return Planned(Action.DISTRIBUTE_REVENUE, words, calls.distribute_revenue(factory, creator.wallet, amount))
        case schemas.WithdrawRevenueRequest():
            words = "Pay the creator the revenue that is due"
            return Planned(Action.WITHDRAW_REVENUE, words, calls.withdraw_revenue(factory, creator.wallet))
        case schemas.ClaimVestedRequest():
            if creator.token is None:
                raise NoCoinError(f"creator {creator_id} has launched no coin yet")
            return Planned(Action.CLAIM_VESTED, "Claim the creator's vested coins", calls.claim_vested(creator.token))
