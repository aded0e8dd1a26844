"""The mirror of the chain, its undo journal and its feed: blocks, coins and their market. Written by the indexer alone.

The mirror goes on in `chain_tokens`, `chain_exchange`, `chain_nft`, `chain_market` and `chain_governance`.

Rows that events append are keyed by (`block_number`, `log_index`); rows that events change hold the state at the
indexed block. Addresses and hashes are lower case; `timestamp` columns are block times in seconds.
"""

from typing import Any, Final

from sqlalchemy import Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from encore.db.models.base import Address, Hash, Mirrored, UnixTime, Wei


class Checkpoint(Mirrored):
    """How far the mirror has got: the last block whose rows are all committed. One row per chain.

    `finalized_block` is the newest final block that was mirrored: nothing up to it can be undone any more.
    """

    __tablename__ = "checkpoints"

    chain_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    genesis_hash: Mapped[Hash]
    block_number: Mapped[int]
    block_hash: Mapped[Hash]
    timestamp: Mapped[UnixTime]
    finalized_block: Mapped[int]


class Block(Mirrored):
    """A mirrored block that is not final yet, or the newest final one, to which the others are linked by hash."""

    __tablename__ = "blocks"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hash: Mapped[Hash] = mapped_column(unique=True)
    parent_hash: Mapped[Hash]
    timestamp: Mapped[UnixTime]


class ChainEvent(Mirrored):
    """The journal of decoded events. `args` is by parameter name; integers are decimal strings, bytes are 0x hex.

    It is read by ranges of blocks.
    """

    __tablename__ = "chain_events"

    block_number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    log_index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    block_hash: Mapped[Hash]
    transaction_hash: Mapped[Hash]
    address: Mapped[Address]
    contract: Mapped[str] = mapped_column(String(50))
    name: Mapped[str] = mapped_column(String(50))
    args: Mapped[dict[str, Any]]
    timestamp: Mapped[UnixTime]


class UndoEntry(Mirrored):
    """What one row was before a block that is not final changed it; `before` is NULL where the row did not exist.

    `key` is the primary key as a JSON array, `before` the whole row as a JSON object. One entry per row and block.
    """

    __tablename__ = "undo_entries"

    block_number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    table_name: Mapped[str] = mapped_column(String(50), primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    before: Mapped[str | None] = mapped_column(Text)


FEED_CHANNEL: Final = "encore_feed"
"""The PostgreSQL channel that the indexer notifies when it committed entries of the feed."""


class FeedEntry(Mirrored):
    """What subscribers are told, in order: each event when it was applied and, after a reorg, when it was undone.

    `kind` is applied or undone. History from before the mirror first caught up with the chain is no news and is not
    here; of the rest, the newest 100 000 entries stay.
    """

    __tablename__ = "feed"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(8))
    block_number: Mapped[int]
    block_hash: Mapped[Hash]
    log_index: Mapped[int]
    transaction_hash: Mapped[Hash]
    address: Mapped[Address]
    contract: Mapped[str] = mapped_column(String(50))
    name: Mapped[str] = mapped_column(String(50))
    args: Mapped[dict[str, Any]]
    timestamp: Mapped[UnixTime]


class IndexedContract(Mirrored):
    """A contract whose events are followed: the deployed ones and every token that the factories made since."""

    __tablename__ = "indexed_contracts"

    address: Mapped[Address] = mapped_column(primary_key=True)
    contract: Mapped[str] = mapped_column(String(50))
    first_block: Mapped[int]


class Token(Mirrored):
    """A creator token. Supplies in token wei; `platform_fee_bps` is taken on the native side of a trade."""

    __tablename__ = "tokens"
    __table_args__ = (Index(None, "created_at", "address"),)

    address: Mapped[Address] = mapped_column(primary_key=True)
    creator: Mapped[Address] = mapped_column(index=True)
    owner: Mapped[Address]
    name: Mapped[str] = mapped_column(String(200))
    symbol: Mapped[str] = mapped_column(String(50))
    description: Mapped[str] = mapped_column(Text)
    image_url: Mapped[str] = mapped_column(Text)
    is_active: Mapped[bool]
    initial_supply: Mapped[Wei]
    maximum_supply: Mapped[Wei]
    total_supply: Mapped[Wei]
    total_staked: Mapped[Wei]
    holder_count: Mapped[int]
    platform_fee_bps: Mapped[int]
    platform_fee_recipient: Mapped[Address]
    created_block: Mapped[int]
    created_at: Mapped[UnixTime]


class Balance(Mirrored):
    """What one account holds of one token, always more than zero. The sum over holders is the token's total supply."""

    __tablename__ = "balances"
    __table_args__ = (Index(None, "token", "amount", "holder"), Index(None, "holder"))

    token: Mapped[Address] = mapped_column(primary_key=True)
    holder: Mapped[Address] = mapped_column(primary_key=True)
    amount: Mapped[Wei]


class Transfer(Mirrored):
    """An ERC-20 Transfer. Read by wallet (its cost basis and history in the API), hence the two indexes."""

    __tablename__ = "transfers"
    __table_args__ = (
        Index(None, "sender", "block_number", "log_index"),
        Index(None, "receiver", "block_number", "log_index"),
    )

    block_number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    log_index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    transaction_hash: Mapped[Hash]
    token: Mapped[Address]
    sender: Mapped[Address]
    receiver: Mapped[Address]
    amount: Mapped[Wei]
    timestamp: Mapped[UnixTime]


class Stake(Mirrored):
    """A staking position; `amount` is 0 once it was withdrawn. `total_rewards` is what it has paid, in token wei."""

    __tablename__ = "stakes"
    __table_args__ = (Index(None, "account"),)

    token: Mapped[Address] = mapped_column(primary_key=True)
    account: Mapped[Address] = mapped_column(primary_key=True)
    amount: Mapped[Wei]
    staked_at: Mapped[UnixTime]
    unlocks_at: Mapped[UnixTime]
    last_claimed_at: Mapped[UnixTime]
    total_rewards: Mapped[Wei]


class Pool(Mirrored):
    """A constant-product pool, native coin against one token. `price` is native wei for one whole token (1e18)."""

    __tablename__ = "pools"

    token: Mapped[Address] = mapped_column(primary_key=True)
    native_reserve: Mapped[Wei]
    token_reserve: Mapped[Wei]
    total_shares: Mapped[Wei]
    price: Mapped[Wei]
    volume_native: Mapped[Wei]
    trade_count: Mapped[int]
    created_block: Mapped[int]
    created_at: Mapped[UnixTime]


class LiquidityPosition(Mirrored):
    """LP shares of one provider in one pool, more than zero; the zero address holds what is locked for ever."""

    __tablename__ = "liquidity_positions"
    __table_args__ = (Index(None, "provider"),)

    token: Mapped[Address] = mapped_column(primary_key=True)
    provider: Mapped[Address] = mapped_column(primary_key=True)
    shares: Mapped[Wei]


class LiquidityChange(Mirrored):
    """Liquidity added to or removed from a pool; `kind` is added or removed."""

    __tablename__ = "liquidity_changes"
    __table_args__ = (
        Index(None, "token", "block_number", "log_index"),
        Index(None, "provider", "block_number", "log_index"),
    )

    block_number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    log_index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    transaction_hash: Mapped[Hash]
    token: Mapped[Address]
    provider: Mapped[Address]
    kind: Mapped[str] = mapped_column(String(7))
    native_amount: Mapped[Wei]
    token_amount: Mapped[Wei]
    shares: Mapped[Wei]
    timestamp: Mapped[UnixTime]


class Trade(Mirrored):
    """A swap; `side` is buy (native coin in) or sell (token in).

    `native_amount` is what the trader paid or received in all, platform fee included or deducted. `price` is the
    pool's spot price after the trade, native wei for one whole token.
    """

    __tablename__ = "trades"
    __table_args__ = (
        Index(None, "token", "block_number", "log_index"),
        Index(None, "token", "timestamp"),
        Index(None, "trader", "block_number", "log_index"),
    )

    block_number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    log_index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    transaction_hash: Mapped[Hash]
    token: Mapped[Address]
    trader: Mapped[Address]
    side: Mapped[str] = mapped_column(String(4))
    native_amount: Mapped[Wei]
    token_amount: Mapped[Wei]
    platform_fee: Mapped[Wei]
    price: Mapped[Wei]
    timestamp: Mapped[UnixTime]


class Candle(Mirrored):
    """Prices (native wei for one whole token) and volumes (wei) of one interval that had trades.

    `open` is the pool's price just before the interval's first trade, so that candles join without gaps.
    """

    __tablename__ = "candles"

    token: Mapped[Address] = mapped_column(primary_key=True)
    interval_seconds: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    opened_at: Mapped[UnixTime] = mapped_column(primary_key=True, autoincrement=False)
    open: Mapped[Wei]
    high: Mapped[Wei]
    low: Mapped[Wei]
    close: Mapped[Wei]
    volume_native: Mapped[Wei]
    volume_token: Mapped[Wei]
    trade_count: Mapped[int]


class FeeBalance(Mirrored):
    """Native wei of platform fees that the exchange holds for a recipient to withdraw."""

    __tablename__ = "fee_balances"

    recipient: Mapped[Address] = mapped_column(primary_key=True)
    amount: Mapped[Wei]


class CreatorMetrics(Mirrored):
    """The latest metrics of a creator on chain: streams and followers as counts, revenue in wei, score in bps."""

    __tablename__ = "creator_metrics"

    creator: Mapped[Address] = mapped_column(primary_key=True)
    monthly_streams: Mapped[Wei]
    followers: Mapped[Wei]
    monthly_revenue: Mapped[Wei]
    engagement_score: Mapped[int]
    observed_at: Mapped[UnixTime]
    oracle: Mapped[Address]
    block_number: Mapped[int]


class Milestone(Mirrored):
    """A milestone of monthly streams that a creator reached; each at most once."""

    __tablename__ = "milestones"

    creator: Mapped[Address] = mapped_column(primary_key=True)
    threshold: Mapped[Wei] = mapped_column(primary_key=True)
    monthly_streams: Mapped[Wei]
    block_number: Mapped[int]
    transaction_hash: Mapped[Hash]
    timestamp: Mapped[UnixTime]


class Launch(Mirrored):
    """A creator's coin launched with its pool; at most one per creator. Seeds in wei."""

    __tablename__ = "launches"

    creator: Mapped[Address] = mapped_column(primary_key=True)
    token: Mapped[Address] = mapped_column(unique=True)
    launcher: Mapped[Address]
    native_seed: Mapped[Wei]
    token_seed: Mapped[Wei]
    block_number: Mapped[int]
    transaction_hash: Mapped[Hash]
    timestamp: Mapped[UnixTime]


class LaunchRequirements(Mirrored):
    """What the metrics contract demands before a launch; the only row has id 1."""

    __tablename__ = "launch_requirements"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, server_default=text("1"))
    minimum_monthly_streams: Mapped[Wei]
    minimum_followers: Mapped[Wei]
    maximum_metrics_age_seconds: Mapped[Wei]


class Role(Mirrored):
    """Who may do what: `role` is owner, oracle, launcher, factory or guardian of the contract at `address`.

    Or it is a role of its access control by name (MINTER_ROLE; its 32 bytes in hexadecimal where that is not ours).
    """

    __tablename__ = "roles"

    address: Mapped[Address] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(String(66), primary_key=True)
    account: Mapped[Address] = mapped_column(primary_key=True)
    is_granted: Mapped[bool]


class RoleAdmin(Mirrored):
    """Who gives and takes an access-control role, where that is not DEFAULT_ADMIN_ROLE as it is at first."""

    __tablename__ = "role_admins"

    address: Mapped[Address] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(String(66), primary_key=True)
    admin_role: Mapped[str] = mapped_column(String(66))


class ContractSetting(Mirrored):
    """The present value of what a contract's owner or governor can change, as text: integers in decimal.

    `name` is that of the contract's view (`holdersShare`, `votingDelay`, `feeBps`); a view that returns a struct stands
    before its field (`safeguards.breakerBps`).
    """

    __tablename__ = "contract_settings"

    address: Mapped[Address] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    value: Mapped[str] = mapped_column(Text)
