"""The mirror of what tokens know beside balances: allowances, votes, shared revenue, release, vesting, and SPARK."""

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from encore.db.models.base import Address, Appended, Mirrored, UnixTime, Wei


class Allowance(Mirrored):
    """How much of an owner's tokens a spender may move, more than zero; 2**256 - 1 stays what it is when used."""

    __tablename__ = "allowances"

    token: Mapped[Address] = mapped_column(primary_key=True)
    owner: Mapped[Address] = mapped_column(primary_key=True)
    spender: Mapped[Address] = mapped_column(primary_key=True)
    amount: Mapped[Wei]


class Delegation(Mirrored):
    """Who votes with an account's tokens, its staked ones too; no row where nobody does."""

    __tablename__ = "delegations"
    __table_args__ = (Index(None, "token", "delegate"),)

    token: Mapped[Address] = mapped_column(primary_key=True)
    delegator: Mapped[Address] = mapped_column(primary_key=True)
    delegate: Mapped[Address]


class VotingPower(Mirrored):
    """The votes of a delegate at the indexed block, in token wei; 0 once it lost them."""

    __tablename__ = "voting_power"
    __table_args__ = (Index(None, "token", "votes"),)

    token: Mapped[Address] = mapped_column(primary_key=True)
    account: Mapped[Address] = mapped_column(primary_key=True)
    votes: Mapped[Wei]


class VoteCheckpoint(Appended):
    """The votes of a delegate from this event on; of several in one second the contract counts the last."""

    __tablename__ = "vote_checkpoints"
    __table_args__ = (Index(None, "token", "account", "block_number", "log_index"),)

    token: Mapped[Address]
    account: Mapped[Address]
    votes: Mapped[Wei]


class BalancedToken(Mirrored):
    """What a launched coin has beside its row in `tokens`: the revenue shared by its holders, release and vesting.

    `cumulative_revenue` is wei times 2**96 for one token wei held since the beginning. What `exchange` and the coin
    itself hold earns nothing. `undivided_revenue` (wei) came in the second `undivided_since`: the first change of units
    in a later second divides it, with the `revenue_remainder` (wei times 2**96) that the last division left over.
    Vesting starts at the token's `created_at`.
    """

    __tablename__ = "balanced_tokens"

    token: Mapped[Address] = mapped_column(primary_key=True)
    metrics_manager: Mapped[Address]
    exchange: Mapped[Address]
    cumulative_revenue: Mapped[Wei]
    undivided_revenue: Mapped[Wei]
    undivided_since: Mapped[UnixTime]
    revenue_remainder: Mapped[Wei]
    revenue_received: Mapped[Wei]
    revenue_claimed: Mapped[Wei]
    released_supply: Mapped[Wei]
    last_release_at: Mapped[UnixTime]
    vested_tokens_claimed: Mapped[Wei]


class RevenuePosition(Mirrored):
    """A holder's revenue as of when its units last changed, in wei times 2**96.

    Pending is (`settled_revenue` + units * (the token's `cumulative_revenue` - `settled_cumulative`)) / 2**96, rounded
    down, with balance and stake as units. A holder without a row has both 0.
    """

    __tablename__ = "revenue_positions"
    __table_args__ = (Index(None, "account"),)

    token: Mapped[Address] = mapped_column(primary_key=True)
    account: Mapped[Address] = mapped_column(primary_key=True)
    settled_revenue: Mapped[Wei]
    settled_cumulative: Mapped[Wei]


class StakeChange(Appended):
    """Coins staked, rewards claimed, or a stake taken back; `kind` is staked, claimed or unstaked, both in token wei.

    `amount` is the principal that moved, 0 for a claim; `reward` what was minted for the staker.
    """

    __tablename__ = "stake_changes"
    __table_args__ = (
        Index(None, "token", "block_number", "log_index"),
        Index(None, "account", "block_number", "log_index"),
    )

    token: Mapped[Address]
    account: Mapped[Address]
    kind: Mapped[str] = mapped_column(String(8))
    amount: Mapped[Wei]
    reward: Mapped[Wei]


class RevenueReceipt(Appended):
    """Native wei that a coin received to be shared by its holders."""

    __tablename__ = "revenue_receipts"
    __table_args__ = (Index(None, "token", "block_number", "log_index"),)

    token: Mapped[Address]
    distributor: Mapped[Address]
    amount: Mapped[Wei]


class RevenueDivision(Appended):
    """Native wei that were divided among the `eligible_supply` token wei held at the end of the second they came in."""

    __tablename__ = "revenue_divisions"
    __table_args__ = (Index(None, "token", "block_number", "log_index"),)

    token: Mapped[Address]
    amount: Mapped[Wei]
    eligible_supply: Mapped[Wei]


class RevenueClaim(Appended):
    """Native wei that a holder fetched."""

    __tablename__ = "revenue_claims"
    __table_args__ = (
        Index(None, "token", "block_number", "log_index"),
        Index(None, "account", "block_number", "log_index"),
    )

    token: Mapped[Address]
    account: Mapped[Address]
    amount: Mapped[Wei]


class RevenueDistribution(Appended):
    """Revenue of a creator that came through the factory: native wei for the coin's holders and for the creator."""

    __tablename__ = "revenue_distributions"
    __table_args__ = (Index(None, "creator", "block_number", "log_index"),)

    creator: Mapped[Address]
    token: Mapped[Address]
    distributor: Mapped[Address]
    amount: Mapped[Wei]
    holders_share: Mapped[Wei]
    creator_share: Mapped[Wei]


class CreatorRevenue(Mirrored):
    """Native wei of distributed revenue that the factory holds for a creator to withdraw."""

    __tablename__ = "creator_revenue"

    creator: Mapped[Address] = mapped_column(primary_key=True)
    amount: Mapped[Wei]


class TokenRelease(Appended):
    """Token wei released to a creator because its streams grew, by `growth_bps` above their high-water mark."""

    __tablename__ = "token_releases"
    __table_args__ = (Index(None, "token", "block_number", "log_index"),)

    token: Mapped[Address]
    creator: Mapped[Address]
    amount: Mapped[Wei]
    growth_bps: Mapped[Wei]


class VestingClaim(Appended):
    """Vested token wei that a creator claimed."""

    __tablename__ = "vesting_claims"
    __table_args__ = (Index(None, "token", "block_number", "log_index"),)

    token: Mapped[Address]
    creator: Mapped[Address]
    amount: Mapped[Wei]


class SparkToken(Mirrored):
    """SPARK, the platform's token, whose balances and votes stand with those of coins. One row.

    Stakers share `reward_rate` token wei a second out of `reward_reserve`, which is what was not earned by
    `accrued_at`; `reward_per_token` is what one staked token wei earned since the beginning, times 2**96.
    """

    __tablename__ = "spark_tokens"

    address: Mapped[Address] = mapped_column(primary_key=True)
    total_supply: Mapped[Wei]
    holder_count: Mapped[int]
    total_staked: Mapped[Wei]
    is_paused: Mapped[bool]
    reward_rate: Mapped[Wei]
    reward_reserve: Mapped[Wei]
    reward_per_token: Mapped[Wei]
    accrued_at: Mapped[UnixTime]


class SupplyCheckpoint(Appended):
    """A token's supply, in token wei, from this event on; of several in one second the contract counts the last."""

    __tablename__ = "supply_checkpoints"
    __table_args__ = (Index(None, "token", "timestamp", "block_number", "log_index"),)

    token: Mapped[Address]
    supply: Mapped[Wei]


class SparkStake(Mirrored):
    """A stake of SPARK, 0 once withdrawn, and its rewards in token wei as of when it last changed."""

    __tablename__ = "spark_stakes"

    token: Mapped[Address] = mapped_column(primary_key=True)
    account: Mapped[Address] = mapped_column(primary_key=True)
    amount: Mapped[Wei]
    settled_rewards: Mapped[Wei]
    settled_reward_per_token: Mapped[Wei]
    total_rewards: Mapped[Wei]


class RewardFunding(Appended):
    """SPARK, in token wei, that somebody gave to the stakers."""

    __tablename__ = "reward_fundings"

    token: Mapped[Address]
    funder: Mapped[Address]
    amount: Mapped[Wei]
