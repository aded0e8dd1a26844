"""SQL of all that a wallet did with creators' coins: trades, liquidity, stakes, revenue, transfers, in one order."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    Executable,
    Select,
    String,
    and_,
    bindparam,
    literal,
    select,
    union_all,
)

from api.pagination import LIMIT, Window, before
from api.portfolio.schemas import ActivityKind
from encore.db import ReadSession, Row
from encore.db.models.chain import LiquidityChange, Token, Trade, Transfer
from encore.db.models.chain_tokens import RevenueClaim, StakeChange
from encore.db.types import Uint256

_WALLET: Final = bindparam("wallet", type_=String())
_COIN: Final = bindparam("coin", type_=String())
_EXCHANGE: Final = bindparam("exchange", type_=String())
_NOTHING: Final = literal(0, Uint256())
_NOBODY: Final = literal("")
_COLUMNS: Final = {
    **dict.fromkeys(("token_amount", "native_amount", "shares", "reward"), _NOTHING),
    **dict.fromkeys(("sender", "receiver"), _NOBODY),
}

_Source = tuple[frozenset[ActivityKind], Select[Any], Any]
"""The kinds that a table tells, its rows of the wallet in the common columns, and the table."""


async def every(session: ReadSession, wallet: str, limit: int) -> Sequence[Row]:
    """Return `limit` rows of all that changed what the wallet has, the newest first."""
    return await session.all(_every(), {"wallet": wallet, "limit": limit})


@dataclass(frozen=True, slots=True)
class Wanted:
    """Of whose history what is asked: all kinds where none is named, all coins where none is."""

    wallet: str
    exchange: str
    kinds: frozenset[ActivityKind] = frozenset()
    coin: str | None = None


async def page(session: ReadSession, window: Window, wanted: Wanted) -> Sequence[Row]:
    """Return what the wallet did by block number and log index, both descending.

    Transfers that belong to a trade, to liquidity or to a stake are left out: those tell them.
    """
    statement = _page(wanted.kinds, continuing=window.continues, of_coin=wanted.coin is not None)
    parameters = {"wallet": wanted.wallet, "exchange": wanted.exchange, "coin": wanted.coin}
    return await session.all(statement, {**parameters, **window.parameters()})


@cache
def _every() -> Executable:
    return _newest([rows for _, rows, _ in _sources()])


@cache
def _page(kinds: frozenset[ActivityKind], *, continuing: bool, of_coin: bool) -> Executable:
    parts = []
    for told, rows, table in _sources():
        if kinds and not kinds & told:
            continue
        statement = rows
        if table is Transfer:
            own = (Transfer.token, _EXCHANGE)
            statement = statement.where(Transfer.sender.not_in(own), Transfer.receiver.not_in(own))
        if kinds and not told <= kinds:
            column = table.side if table is Trade else table.kind
            statement = statement.where(column.in_(sorted(kinds & told)))
        if of_coin:
            statement = statement.where(table.token == _COIN)
        if continuing:
            statement = statement.where(before(table.block_number, table.log_index))
        parts.append(statement)
    found = _newest(parts).subquery()
    return (
        select(found, Token.name, Token.symbol)
        .join(Token, Token.address == found.c.token)
        .order_by(found.c.block_number.desc(), found.c.log_index.desc())
    )


def _newest(parts: Sequence[Select[Any]]) -> Select[Any]:
    every = union_all(*(select(part.subquery()) for part in parts)).subquery()
    return select(every).order_by(every.c.block_number.desc(), every.c.log_index.desc()).limit(LIMIT)


def _sources() -> list[_Source]:
    return [
        (
            frozenset({ActivityKind.BUY, ActivityKind.SELL}),
            _rows(Trade, Trade.side, token_amount=Trade.token_amount, native_amount=Trade.native_amount).where(
                Trade.trader == _WALLET
            ),
            Trade,
        ),
        (
            frozenset({ActivityKind.ADDED, ActivityKind.REMOVED}),
            _rows(
                LiquidityChange,
                LiquidityChange.kind,
                token_amount=LiquidityChange.token_amount,
                native_amount=LiquidityChange.native_amount,
                shares=LiquidityChange.shares,
            ).where(LiquidityChange.provider == _WALLET),
            LiquidityChange,
        ),
        (
            frozenset({ActivityKind.STAKED, ActivityKind.CLAIMED, ActivityKind.UNSTAKED}),
            _rows(StakeChange, StakeChange.kind, token_amount=StakeChange.amount, reward=StakeChange.reward).where(
                StakeChange.account == _WALLET
            ),
            StakeChange,
        ),
        (
            frozenset({ActivityKind.REVENUE}),
            _rows(RevenueClaim, literal("revenue"), native_amount=RevenueClaim.amount).where(
                RevenueClaim.account == _WALLET
            ),
            RevenueClaim,
        ),
        *(
            (
                frozenset({kind}),
                _rows(
                    Transfer,
                    literal(kind.value),
                    token_amount=Transfer.amount,
                    sender=Transfer.sender,
                    receiver=Transfer.receiver,
                ).where(condition, Transfer.token.in_(select(Token.address))),  # SPARK is no creator's coin
                Transfer,
            )
            for kind, condition in (
                (ActivityKind.SENT, Transfer.sender == _WALLET),
                (ActivityKind.RECEIVED, and_(Transfer.receiver == _WALLET, Transfer.sender != _WALLET)),
            )
        ),
    ]


def _rows(table: Any, kind: Any, **columns: Any) -> Select[Any]:
    """The newest rows of one table in the columns that all have."""
    common = {name: columns.get(name, nothing) for name, nothing in _COLUMNS.items()}
    return (
        select(
            table.block_number,
            table.log_index,
            table.transaction_hash,
            table.timestamp,
            table.token,
            kind.label("kind"),
            *(column.label(name) for name, column in common.items()),
        )
        .order_by(table.block_number.desc(), table.log_index.desc())
        .limit(LIMIT)
    )
