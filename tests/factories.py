"""Builders of rows: every column has a plausible value, a test names only those it is about."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from encore.db import Database
from encore.db.models import Base
from encore.db.models.chain import (
    Balance,
    Candle,
    Checkpoint,
    ContractSetting,
    CreatorMetrics,
    FeedEntry,
    Launch,
    LaunchRequirements,
    LiquidityChange,
    LiquidityPosition,
    Milestone,
    Pool,
    Stake,
    Token,
    Trade,
)
from encore.db.models.chain_exchange import PoolGuard
from encore.db.models.chain_governance import Proposal, ProposalVote, QuorumCheckpoint
from encore.db.models.chain_tokens import BalancedToken, SupplyCheckpoint
from encore.db.models.creators import Creator
from encore.db.models.oracle import ActivityMetrics

NOW = 1_800_000_000
"""The indexed block's time, unless a test says otherwise (unix seconds; the start of a minute, not of an hour)."""
ETHER = 10**18
CHAIN_ID = 31337
INITIAL_SUPPLY = 20_000_000 * ETHER
SAFEGUARDS = {
    "accountDailyFlowBps": 500,
    "poolDailyFlowBps": 3_000,
    "largeTradeBps": 200,
    "largeTradeCooldown": 14_400,
    "maximumHoldingBps": 500,
    "maximumImpactBps": 1_000,
    "breakerBps": 2_500,
    "breakerDuration": 3_600,
}


async def save(database: Database, *rows: Base) -> None:
    """Commit `rows`."""
    async with database.write() as session:
        for row in rows:
            session.add(row)
            await session.flush()


def address(number: int) -> str:
    """A lower-case address of its own for each number."""
    return f"0x{number:040x}"


def hash_of(number: int) -> str:
    """A lower-case hash of its own for each number."""
    return f"0x{number:064x}"


def checkpoint(block_number: int = 1_000, timestamp: int = NOW) -> Checkpoint:
    return Checkpoint(
        chain_id=CHAIN_ID,
        genesis_hash=hash_of(0),
        block_number=block_number,
        block_hash=hash_of(block_number),
        timestamp=timestamp,
        finalized_block=max(block_number - 64, 0),
    )


def creator(creator_id: int, name: str = "", wallet: str | None = None) -> Creator:
    name = name or f"Creator {creator_id}"
    return Creator(
        id=creator_id,
        name=name,
        slug=f"{name.lower().replace(' ', '-')}-{creator_id}",
        wallet=wallet,
        source="test",
        external_id=str(creator_id),
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def activity(
    creator_id: int, *, streams: int = 0, followers: int = 0, revenue: int = 0, score: int = 0
) -> ActivityMetrics:
    return ActivityMetrics(
        creator_id=creator_id,
        monthly_streams=streams,
        followers=followers,
        monthly_revenue=revenue,
        engagement_score=score,
        unique_listeners=followers,
        updated_at=datetime.fromtimestamp(NOW, UTC),
    )


def metrics(
    wallet: str, *, streams: int = 0, followers: int = 0, revenue: int = 0, score: int = 0, observed_at: int = NOW
) -> CreatorMetrics:
    return CreatorMetrics(
        creator=wallet,
        monthly_streams=streams,
        followers=followers,
        monthly_revenue=revenue,
        engagement_score=score,
        observed_at=observed_at,
        oracle=address(0xE),
        block_number=900,
    )


def requirements(
    *, streams: int = 50_000, followers: int = 5_000, maximum_age_seconds: int = 86_400
) -> LaunchRequirements:
    return LaunchRequirements(
        id=1,
        minimum_monthly_streams=streams,
        minimum_followers=followers,
        maximum_metrics_age_seconds=maximum_age_seconds,
    )


def milestone(wallet: str, threshold: int) -> Milestone:
    return Milestone(
        creator=wallet,
        threshold=threshold,
        monthly_streams=threshold + 1,
        block_number=900,
        transaction_hash=hash_of(threshold),
        timestamp=NOW,
    )


def launch(wallet: str, coin: str) -> Launch:
    return Launch(
        creator=wallet,
        token=coin,
        launcher=address(0xE),
        native_seed=ETHER,
        token_seed=INITIAL_SUPPLY // 2,
        block_number=900,
        transaction_hash=hash_of(900),
        timestamp=NOW - 100,
    )


def token(coin: str, *, creator_wallet: str = address(0xC), created_at: int = NOW, **columns: Any) -> Token:
    defaults: dict[str, Any] = {
        "owner": creator_wallet,
        "name": f"Coin {coin[-4:]}",
        "symbol": f"C{coin[-4:].upper()}",
        "description": "",
        "image_url": "",
        "is_active": True,
        "initial_supply": INITIAL_SUPPLY,
        "maximum_supply": 2 * INITIAL_SUPPLY,
        "total_supply": INITIAL_SUPPLY,
        "total_staked": 0,
        "holder_count": 0,
        "platform_fee_bps": 250,
        "platform_fee_recipient": address(0xFEE),
        "created_block": 900,
    }
    return Token(address=coin, creator=creator_wallet, created_at=created_at, **{**defaults, **columns})


def pool(
    coin: str,
    *,
    native: int = ETHER,
    tokens: int = INITIAL_SUPPLY // 2,
    shares: int = ETHER,
    volume: int = 0,
    trade_count: int = 0,
) -> Pool:
    return Pool(
        token=coin,
        native_reserve=native,
        token_reserve=tokens,
        total_shares=shares,
        price=native * ETHER // tokens,
        volume_native=volume,
        trade_count=trade_count,
        created_block=900,
        created_at=NOW - 1_000,
    )


def pool_guard(coin: str, *, native: int = ETHER, tokens: int = INITIAL_SUPPLY // 2, **columns: Any) -> PoolGuard:
    """Of a pool that these reserves opened."""
    defaults: dict[str, Any] = {
        "is_paused": False,
        "breaker_until": 0,
        "trip_count": 0,
        "reference_reserve": native,
        "start_price": (native << 76) // tokens,
        "changed_at": NOW - 1_000,
    }
    return PoolGuard(token=coin, **{**defaults, **columns})


def safeguards(exchange: str) -> list[ContractSetting]:
    """The exchange's limits, as it has them at first."""
    return [
        ContractSetting(address=exchange, name=f"safeguards.{name}", value=str(value))
        for name, value in SAFEGUARDS.items()
    ]


def opening(
    coin: str, *, native: int = ETHER, tokens: int = INITIAL_SUPPLY // 2, block: int = 900, log_index: int = 0
) -> LiquidityChange:
    return LiquidityChange(
        block_number=block,
        log_index=log_index,
        transaction_hash=hash_of(block),
        token=coin,
        provider=address(0),
        kind="added",
        native_amount=native,
        token_amount=tokens,
        shares=ETHER,
        timestamp=NOW - 1_000,
    )


def trade(
    coin: str,
    *,
    block: int,
    timestamp: int,
    log_index: int = 0,
    side: str = "buy",
    trader: str = address(0xA),
    native: int = ETHER,
    tokens: int = ETHER,
    price: int = ETHER,
) -> Trade:
    return Trade(
        block_number=block,
        log_index=log_index,
        transaction_hash=hash_of(block),
        token=coin,
        trader=trader,
        side=side,
        native_amount=native,
        token_amount=tokens,
        platform_fee=0,
        price=price,
        timestamp=timestamp,
    )


def candle(
    coin: str,
    *,
    interval_seconds: int,
    opened_at: int,
    prices: Sequence[int],
    volume: int = ETHER,
    trade_count: int = 1,
) -> Candle:
    """`prices` are open, high, low, close."""
    opening_price, high, low, close = prices
    return Candle(
        token=coin,
        interval_seconds=interval_seconds,
        opened_at=opened_at,
        open=opening_price,
        high=high,
        low=low,
        close=close,
        volume_native=volume,
        volume_token=volume,
        trade_count=trade_count,
    )


def balance(coin: str, holder: str, amount: int) -> Balance:
    return Balance(token=coin, holder=holder, amount=amount)


def stake(
    coin: str, account: str, amount: int, *, last_claimed_at: int = NOW, staked_at: int | None = None, claimed: int = 0
) -> Stake:
    staked_at = last_claimed_at if staked_at is None else staked_at
    return Stake(
        token=coin,
        account=account,
        amount=amount,
        staked_at=staked_at,
        unlocks_at=staked_at + 365 * 86_400,
        last_claimed_at=last_claimed_at,
        total_rewards=claimed,
    )


def liquidity(coin: str, provider: str, shares: int) -> LiquidityPosition:
    return LiquidityPosition(token=coin, provider=provider, shares=shares)


def balanced(coin: str, *, exchange: str, cumulative: int = 0) -> BalancedToken:
    return BalancedToken(
        token=coin,
        metrics_manager=address(0xAE),
        exchange=exchange,
        cumulative_revenue=cumulative,
        undivided_revenue=0,
        undivided_since=0,
        revenue_remainder=0,
        revenue_received=0,
        revenue_claimed=0,
        released_supply=0,
        last_release_at=0,
        vested_tokens_claimed=0,
    )


def proposal(governor: str, number: int, *, proposer: str = address(0xA), block: int = 1) -> Proposal:
    return Proposal(
        governor=governor,
        proposal_id=number,
        proposer=proposer,
        targets=[address(1)],
        native_amounts=["0"],
        calldatas=["0x"],
        description=f"Proposal {number}",
        snapshot=NOW - 1,
        vote_start=NOW,
        vote_end=NOW + 3_600,
        votes_against=0,
        votes_for=0,
        votes_abstain=0,
        quorum_votes=0,
        eta=0,
        operation_id=None,
        is_executed=False,
        is_canceled=False,
        created_block=block,
    )


def vote(governor: str, number: int, voter: str, *, block: int) -> ProposalVote:
    return ProposalVote(
        block_number=block,
        log_index=0,
        transaction_hash=hash_of(block),
        timestamp=NOW,
        governor=governor,
        proposal_id=number,
        voter=voter,
        support="for",
        weight=ETHER,
        reason="",
    )


def quorum(governor: str, percent: int, *, block: int, since: int = 0) -> QuorumCheckpoint:
    return QuorumCheckpoint(
        block_number=block,
        log_index=0,
        transaction_hash=hash_of(block),
        timestamp=since,
        governor=governor,
        numerator=percent,
        since=since,
    )


def supply(coin: str, amount: int, *, block: int, timestamp: int) -> SupplyCheckpoint:
    return SupplyCheckpoint(
        block_number=block,
        log_index=0,
        transaction_hash=hash_of(block),
        timestamp=timestamp,
        token=coin,
        supply=amount,
    )


def feed_entry(
    *,
    contract: str = "IntegratedCreatorDEX",
    name: str = "PoolPaused",
    emitter: str = address(0xDE),
    args: dict[str, Any] | None = None,
    kind: str = "applied",
    block: int = 1_000,
    log_index: int = 0,
    entry_id: int | None = None,
) -> FeedEntry:
    return FeedEntry(
        id=entry_id,
        kind=kind,
        block_number=block,
        block_hash=hash_of(block),
        log_index=log_index,
        transaction_hash=hash_of(block),
        address=emitter,
        contract=contract,
        name=name,
        args=args or {},
        timestamp=NOW,
    )
