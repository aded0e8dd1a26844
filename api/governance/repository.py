"""SQL of governance: proposals with their state and quorum in one statement, votes, settings, what an account has."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Executable,
    Select,
    String,
    and_,
    bindparam,
    case,
    func,
    literal,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute

from api.pagination import LIMIT, Window, before
from encore.db import ReadSession, Row
from encore.db.models.chain import Balance, ContractSetting, Stake, Token
from encore.db.models.chain_governance import Proposal, ProposalVote, QuorumCheckpoint, TimelockOperation
from encore.db.models.chain_tokens import Delegation, SparkStake, SparkToken, SupplyCheckpoint, VotingPower
from encore.db.types import WEI_PER_TOKEN, Texts, Uint256, among, wei_value

_GOVERNOR: Final = bindparam("governor", type_=String())
_TOKEN: Final = bindparam("token", type_=String())
_TIMELOCK: Final = bindparam("timelock", type_=String())
_ACCOUNT: Final = bindparam("account", type_=String())
_NOW: Final = bindparam("now", type_=BigInteger())
_ZERO: Final = literal(0, Uint256())
_ONE_PERCENT: Final = WEI_PER_TOKEN // 100
"""What `wei_value` multiplies by for a hundredth."""


@dataclass(frozen=True, slots=True)
class Contracts:
    """Where the governor, the token whose votes it counts and its timelock are, in lower case."""

    governor: str
    token: str
    timelock: str

    def parameters(self) -> dict[str, str]:
        """Return them as a statement's parameters."""
        return {"governor": self.governor, "token": self.token, "timelock": self.timelock}


@dataclass(frozen=True, slots=True)
class ProposalFilter:
    """Which proposals: any state where none is named, of anybody where `proposer` is None."""

    states: Collection[str] = ()
    proposer: str | None = None


async def settings(session: ReadSession, governor: str) -> Sequence[Row]:
    """Return the names and values of the governor's settings."""
    statement = select(ContractSetting.name, ContractSetting.value)
    return await session.all(statement.where(ContractSetting.address == governor))


async def supply(session: ReadSession, token: str) -> int:
    """Return the supply of SPARK or a coin in token wei."""
    of_spark = select(SparkToken.total_supply).where(SparkToken.address == token).scalar_subquery()
    of_coin = select(Token.total_supply).where(Token.address == token).scalar_subquery()
    return int(await session.scalar(select(func.coalesce(of_spark, of_coin, _ZERO))))


async def proposals(
    session: ReadSession, window: Window, contracts: Contracts, wanted: ProposalFilter, *, now: int
) -> Sequence[Row]:
    """Return proposals as they stand at `now` (unix seconds) by block and number, both descending."""
    statement = _proposals(
        continuing=window.continues,
        in_states=bool(wanted.states),
        of_proposer=wanted.proposer is not None,
        of_number=False,
    )
    return await session.all(
        statement,
        {
            **contracts.parameters(),
            **window.parameters(),
            "now": now,
            "states": list(wanted.states),
            "proposer": wanted.proposer,
        },
    )


async def proposal(session: ReadSession, contracts: Contracts, number: int, *, now: int) -> Row | None:
    """Return one proposal as it stands at `now` (unix seconds)."""
    statement = _proposals(continuing=False, in_states=False, of_proposer=False, of_number=True)
    return await session.first(statement, {**contracts.parameters(), "number": number, "now": now, "limit": 1})


async def exists(session: ReadSession, governor: str, number: int) -> bool:
    """Whether the governor has a proposal of that number."""
    statement = select(Proposal.created_block)
    found = await session.first(statement.where(Proposal.governor == governor, Proposal.proposal_id == number))
    return found is not None


async def votes(
    session: ReadSession, window: Window, governor: str, number: int, *, support: str | None
) -> Sequence[Row]:
    """Return votes on a proposal by block number and log index, both descending."""
    statement = _votes(continuing=window.continues, with_support=support is not None)
    return await session.all(
        statement, {"governor": governor, "number": number, "support": support, **window.parameters()}
    )


async def voter(session: ReadSession, token: str, account: str) -> Row | None:
    """Return an account's tokens, its delegate and its votes: NULL where it has none."""
    return await session.first(_voter(), {"token": token, "account": account})


@cache
def _proposals(*, continuing: bool, in_states: bool, of_proposer: bool, of_number: bool) -> Executable:
    followed = _with_quorum().subquery()
    columns = followed.c
    state = _state(columns)
    order = (columns.created_block, columns.proposal_id)
    statement = (
        select(*columns, state.label("state"))
        .where(columns.governor == _GOVERNOR)
        .order_by(*(column.desc() for column in order))
        .limit(LIMIT)
    )
    if continuing:
        statement = statement.where(before(*order))
    if in_states:
        statement = statement.where(among(state, bindparam("states", type_=Texts())))
    if of_proposer:
        statement = statement.where(columns.proposer == bindparam("proposer"))
    if of_number:
        statement = statement.where(columns.proposal_id == bindparam("number", type_=Uint256()))
    return statement


def _with_quorum() -> Select[Any]:
    """Every proposal with its quorum, as the contract's checkpoints give it, and its operation's status."""
    supply_then = (
        select(SupplyCheckpoint.supply)
        .where(SupplyCheckpoint.token == _TOKEN, SupplyCheckpoint.timestamp <= Proposal.snapshot)
        .order_by(
            SupplyCheckpoint.timestamp.desc(), SupplyCheckpoint.block_number.desc(), SupplyCheckpoint.log_index.desc()
        )
        .limit(1)
        .scalar_subquery()
    )
    percent_then = (
        select(QuorumCheckpoint.numerator * _ONE_PERCENT)
        .where(QuorumCheckpoint.governor == Proposal.governor, QuorumCheckpoint.since <= Proposal.snapshot)
        .order_by(
            QuorumCheckpoint.since.desc(), QuorumCheckpoint.block_number.desc(), QuorumCheckpoint.log_index.desc()
        )
        .limit(1)
        .scalar_subquery()
    )
    return select(
        *Proposal.__table__.columns,
        func.coalesce(wei_value(supply_then, percent_then), _ZERO).label("quorum"),
        TimelockOperation.status.label("operation_status"),
    ).outerjoin(
        TimelockOperation,
        and_(TimelockOperation.timelock == _TIMELOCK, TimelockOperation.operation_id == Proposal.operation_id),
    )


def _state(columns: Any) -> ColumnElement[str]:
    """In the order in which the governor looks; what is queued is as the timelock has it."""
    return case(
        (columns.is_executed, "executed"),
        (columns.is_canceled, "canceled"),
        (columns.vote_start >= _NOW, "pending"),
        (columns.vote_end >= _NOW, "active"),
        (columns.operation_status == "executed", "executed"),
        (columns.operation_status == "cancelled", "canceled"),
        (columns.eta > _ZERO, "queued"),
        (
            and_(columns.votes_for > columns.votes_against, columns.quorum_votes >= columns.quorum),
            "succeeded",
        ),
        else_="defeated",
    )


@cache
def _votes(*, continuing: bool, with_support: bool) -> Executable:
    order = (ProposalVote.block_number, ProposalVote.log_index)
    statement = (
        select(*ProposalVote.__table__.columns)
        .where(ProposalVote.governor == _GOVERNOR, ProposalVote.proposal_id == bindparam("number", type_=Uint256()))
        .order_by(*(column.desc() for column in order))
        .limit(LIMIT)
    )
    if continuing:
        statement = statement.where(before(*order))
    return statement.where(ProposalVote.support == bindparam("support")) if with_support else statement


@cache
def _voter() -> Executable:
    def one(column: InstrumentedAttribute[Any], *where: ColumnElement[bool]) -> ColumnElement[Any]:
        return select(column).where(*where).scalar_subquery()

    return select(
        one(Balance.amount, Balance.token == _TOKEN, Balance.holder == _ACCOUNT).label("balance"),
        func.coalesce(
            one(SparkStake.amount, SparkStake.token == _TOKEN, SparkStake.account == _ACCOUNT),
            one(Stake.amount, Stake.token == _TOKEN, Stake.account == _ACCOUNT),
        ).label("staked"),
        one(Delegation.delegate, Delegation.token == _TOKEN, Delegation.delegator == _ACCOUNT).label("delegate"),
        one(VotingPower.votes, VotingPower.token == _TOKEN, VotingPower.account == _ACCOUNT).label("votes"),
    )
