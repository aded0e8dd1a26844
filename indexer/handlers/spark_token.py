"""SparkToken: SPARK's books (`erc20`), roles, pausing, and staking with rewards out of a funded pool."""

from collections.abc import Iterator
from functools import partial
from typing import Final

from encore.db.models.chain_tokens import RewardFunding, SparkStake, SparkToken
from indexer.bulk import Row
from indexer.check import Check, Reader, flag, number
from indexer.contract import Contract, Event, Handler, Key
from indexer.erc20 import erc20
from indexer.errors import MirrorError
from indexer.roles import access_control, role_administration
from indexer.settings import settings
from indexer.state import State

SCALE: Final = 2**96
"""Rewards per staked token wei are kept times this, as the contract keeps them."""


def _spark_row(event: Event, state: State) -> Row:
    return state.upsert(
        SparkToken,
        event.address,
        total_supply=0,
        holder_count=0,
        total_staked=0,
        is_paused=False,
        reward_rate=0,
        reward_reserve=0,
        reward_per_token=0,
        accrued_at=event.timestamp,
    )


def _spark(event: Event) -> Iterator[Key]:
    yield SparkToken, (event.address,)


def _stake_rows(event: Event) -> Iterator[Key]:
    yield from _spark(event)
    yield SparkStake, (event.address, event.args["account"])


def accrue(spark: Row, timestamp: int) -> None:
    """Book what all stakers earned up to `timestamp`, to the wei as the contract does it."""
    elapsed, reserve, staked = timestamp - spark["accrued_at"], spark["reward_reserve"], spark["total_staked"]
    if elapsed and reserve and staked:
        growth = min(elapsed * spark["reward_rate"], reserve) * SCALE // staked
        spark["reward_per_token"] += growth
        spark["reward_reserve"] -= -(-growth * staked // SCALE)
    spark["accrued_at"] = timestamp


def pending_rewards(spark: Row, stake: Row) -> int:
    """Return what a stake has earned and not claimed by when `spark` was accrued, in token wei."""
    growth = spark["reward_per_token"] - stake["settled_reward_per_token"]
    return int(stake["settled_rewards"] + stake["amount"] * growth // SCALE)


def _settled(event: Event, state: State) -> tuple[Row, Row]:
    """Book what was earned up to the event, by all and by its account; returns SPARK's row and the stake's."""
    spark = _accrued(event, state)
    stake = state.upsert(
        SparkStake,
        event.address,
        event.args["account"],
        amount=0,
        settled_rewards=0,
        settled_reward_per_token=0,
        total_rewards=0,
    )
    stake["settled_rewards"] = pending_rewards(spark, stake)
    stake["settled_reward_per_token"] = spark["reward_per_token"]
    return spark, stake


def _accrued(event: Event, state: State) -> Row:
    spark = _spark_row(event, state)
    accrue(spark, event.timestamp)
    return spark


def _stake_changed(event: Event, state: State, *, sign: int) -> None:
    spark, stake = _settled(event, state)
    stake["amount"] += sign * event.args["amount"]
    spark["total_staked"] += sign * event.args["amount"]


def _rewards_claimed(event: Event, state: State) -> None:
    _, stake = _settled(event, state)
    reward = event.args["reward"]
    if stake["settled_rewards"] != reward:
        raise MirrorError(
            f"transaction {event.transaction_hash} pays {event.args['account']} {reward} wei of rewards, but "
            f"{stake['settled_rewards']} were due: a log is missing"
        )
    stake["settled_rewards"] = 0
    stake["total_rewards"] += reward


def _rewards_funded(event: Event, state: State) -> None:
    _accrued(event, state)["reward_reserve"] += event.args["amount"]
    state.append(
        RewardFunding, event.row(token=event.address, funder=event.args["funder"], amount=event.args["amount"])
    )


def _reward_rate_updated(event: Event, state: State) -> None:
    _accrued(event, state)["reward_rate"] = event.args["newRate"]


def _pause(event: Event, state: State, *, is_paused: bool) -> None:
    _spark_row(event, state)["is_paused"] = is_paused


async def _checks(reader: Reader) -> list[Check]:
    found = []
    tokens: dict[str, Row] = {}
    for row in await reader.rows(SparkToken):
        spark = tokens[row.address] = row._asdict()
        accrue(spark, reader.timestamp)
        found += [
            number(row.address, "totalSupply()", (), row.total_supply),
            number(row.address, "totalStaked()", (), row.total_staked),
            number(row.address, "rewardRate()", (), row.reward_rate),
            number(row.address, "rewardsRemaining()", (), spark["reward_reserve"]),
            flag(row.address, "paused()", (), mirrored=row.is_paused),
        ]
    for stake in await reader.rows(SparkStake):
        pending = pending_rewards(tokens[stake.token], stake._asdict())
        found += [
            number(stake.token, "stakedBalance(address)", (stake.account,), stake.amount),
            number(stake.token, "pendingRewards(address)", (stake.account,), pending),
        ]
    return found


CONTRACT: Final = Contract(
    name="SparkToken",
    handlers=erc20(SparkToken, _spark_row)
    | access_control()
    | role_administration()
    | {
        "TokensStaked": Handler(partial(_stake_changed, sign=1), _stake_rows),
        "TokensUnstaked": Handler(partial(_stake_changed, sign=-1), _stake_rows),
        "RewardsClaimed": Handler(_rewards_claimed, _stake_rows),
        "RewardsFunded": Handler(_rewards_funded, _spark),
        "RewardRateUpdated": Handler(_reward_rate_updated, _spark),
        "Paused": Handler(partial(_pause, is_paused=True), _spark),
        "Unpaused": Handler(partial(_pause, is_paused=False), _spark),
        "Upgraded": settings(implementation="implementation"),
        "Initialized": settings(initializedVersion="version"),
    },
    checks=_checks,
)
