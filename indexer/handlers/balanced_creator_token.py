"""BalancedCreatorToken: what CreatorToken is, with revenue shared by its holders, release and vesting."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from encore.chain.dividends import SCALE_BITS, Books, pending_revenue
from encore.db.models.chain import Balance, Stake, Token
from encore.db.models.chain_tokens import (
    BalancedToken,
    RevenueClaim,
    RevenueDivision,
    RevenuePosition,
    RevenueReceipt,
    TokenRelease,
    VestingClaim,
)
from indexer.check import Check, Reader, number
from indexer.contract import Contract, Event, Handler, Key
from indexer.erc20 import ZERO_ADDRESS
from indexer.errors import MirrorError
from indexer.handlers import creator_token
from indexer.state import State

_CREATOR_TOKEN: Final = dict(creator_token.CONTRACT.handlers)


def _token(event: Event) -> Iterator[Key]:
    yield BalancedToken, (event.address,)


def _holder_rows(event: Event, account: str) -> Iterator[Key]:
    for model in (Balance, Stake, RevenuePosition):
        yield model, (event.address, account)


def _transfer_rows(event: Event) -> Iterator[Key]:
    yield Token, (event.address,)
    yield from _token(event)
    for party in ("sender", "receiver"):
        if event.args[party] != ZERO_ADDRESS:
            yield from _holder_rows(event, event.args[party])


def _claim_rows(event: Event) -> Iterator[Key]:
    yield from _token(event)
    yield from _holder_rows(event, event.args["account"])


def _transfer(event: Event, state: State) -> None:
    for party in ("sender", "receiver"):
        _settle(event.address, event.args[party], state)
    _CREATOR_TOKEN["Transfer"].apply(event, state)


def _settle(token: str, account: str, state: State) -> None:
    """Book an account's revenue before its units change.

    Only Transfers need it: into and out of a stake units stay the same, and no revenue is divided in between.
    """
    balanced = state.get(BalancedToken, token)
    if balanced is None or balanced["cumulative_revenue"] == 0:
        return
    if account in {ZERO_ADDRESS, token, balanced["exchange"]}:
        return
    cumulative = balanced["cumulative_revenue"]
    settled = state.get(RevenuePosition, token, account)
    if settled is not None and settled["settled_cumulative"] == cumulative:
        return
    position = state.upsert(RevenuePosition, token, account, settled_revenue=0, settled_cumulative=0)
    balance = state.get(Balance, token, account)
    stake = state.get(Stake, token, account)
    units = (balance["amount"] if balance else 0) + (stake["amount"] if stake else 0)
    position["settled_revenue"] += units * (cumulative - position["settled_cumulative"])
    position["settled_cumulative"] = cumulative


def _revenue_received(event: Event, state: State) -> None:
    args = event.args
    row = state.edit(BalancedToken, event.address)
    row["undivided_revenue"] += args["amount"]
    row["undivided_since"] = event.timestamp
    row["revenue_received"] += args["amount"]
    state.append(RevenueReceipt, event.row(token=event.address, distributor=args["distributor"], amount=args["amount"]))


def _revenue_divided(event: Event, state: State) -> None:
    amount, eligible = event.args["amount"], event.args["eligibleSupply"]
    row = state.edit(BalancedToken, event.address)
    growth, remainder = divmod((amount << SCALE_BITS) + row["revenue_remainder"], eligible)
    if row["undivided_revenue"] != amount or row["cumulative_revenue"] + growth != event.args["cumulativeRevenue"]:
        raise MirrorError(
            f"transaction {event.transaction_hash} divides {amount} wei of revenue, but {row['undivided_revenue']} "
            "were to be divided, or not among as many: a log is missing"
        )
    row["cumulative_revenue"] += growth
    row["revenue_remainder"] = remainder
    row["undivided_revenue"] = row["undivided_since"] = 0
    state.append(RevenueDivision, event.row(token=event.address, amount=amount, eligible_supply=eligible))


def _revenue_claimed(event: Event, state: State) -> None:
    account, amount = event.args["account"], event.args["amount"]
    _settle(event.address, account, state)
    position = state.edit(RevenuePosition, event.address, account)
    if position["settled_revenue"] >> SCALE_BITS != amount:
        raise MirrorError(
            f"transaction {event.transaction_hash} pays {account} {amount} wei of revenue, but "
            f"{position['settled_revenue'] >> SCALE_BITS} were due: a log is missing"
        )
    position["settled_revenue"] -= amount << SCALE_BITS
    state.edit(BalancedToken, event.address)["revenue_claimed"] += amount
    state.append(RevenueClaim, event.row(token=event.address, account=account, amount=amount))


def _released(event: Event, state: State) -> None:
    row = state.edit(BalancedToken, event.address)
    row["released_supply"] += event.args["amount"]
    row["last_release_at"] = event.timestamp
    state.append(
        TokenRelease,
        event.row(
            token=event.address,
            creator=event.args["creator"],
            amount=event.args["amount"],
            growth_bps=event.args["triggerGrowthBps"],
        ),
    )


def _vested_claimed(event: Event, state: State) -> None:
    state.edit(BalancedToken, event.address)["vested_tokens_claimed"] += event.args["amount"]
    state.append(
        VestingClaim,
        event.row(token=event.address, creator=event.args["creator"], amount=event.args["amount"]),
    )


async def _checks(reader: Reader) -> list[Check]:
    found = []
    tokens = {row.token: row for row in await reader.rows(BalancedToken)}
    for address, token in tokens.items():
        found += [
            number(address, "releasedSupply()", (), token.released_supply),
            number(address, "lastReleaseAt()", (), token.last_release_at),
            number(address, "vestedTokensClaimed()", (), token.vested_tokens_claimed),
            Check(
                address,
                "revenueBooks()",
                (),
                ("uint256",) * 4,
                (
                    token.cumulative_revenue,
                    token.revenue_remainder,
                    token.undivided_revenue,
                    token.undivided_since,
                ),
            ),
        ]
    positions = {(row.token, row.account): row for row in await reader.rows(RevenuePosition)}
    units: Counter[tuple[str, str]] = Counter(dict.fromkeys(positions, 0))
    for row in await reader.rows(Balance):
        units[row.token, row.holder] += row.amount
    for row in await reader.rows(Stake):
        units[row.token, row.account] += row.amount
    eligible: Counter[str] = Counter()
    for (address, account), held in units.items():
        if address in tokens and account not in {address, tokens[address].exchange}:
            eligible[address] += held
    cumulative = {
        address: _books(token).cumulative_at(reader.timestamp, eligible[address]) for address, token in tokens.items()
    }
    for (address, account), held in units.items():
        if address in tokens and account not in {address, tokens[address].exchange}:
            position = positions.get((address, account))
            settled, settled_at = (position.settled_revenue, position.settled_cumulative) if position else (0, 0)
            pending = pending_revenue(held, settled, settled_at, cumulative[address])
            found.append(number(address, "pendingRevenue(address)", (account,), pending))
    return found


def _books(token: Any) -> Books:
    return Books(token.cumulative_revenue, token.undivided_revenue, token.undivided_since, token.revenue_remainder)


CONTRACT: Final = Contract(
    name="BalancedCreatorToken",
    handlers=_CREATOR_TOKEN
    | {
        "Transfer": Handler(_transfer, _transfer_rows),
        "RevenueReceived": Handler(_revenue_received, _token),
        "RevenueDivided": Handler(_revenue_divided, _token),
        "RevenueClaimed": Handler(_revenue_claimed, _claim_rows),
        "TokensReleased": Handler(_released, _token),
        "VestedTokensClaimed": Handler(_vested_claimed, _token),
    },
    checks=_checks,
)
