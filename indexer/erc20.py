"""Handlers that every ERC-20 token shares: balances, supply, holders, allowances, and votes (ERC-5805)."""

from collections.abc import Callable, Iterator
from typing import Final

from encore.db.models.chain import Balance, Transfer
from encore.db.models.chain_tokens import Allowance, Delegation, SupplyCheckpoint, VoteCheckpoint, VotingPower
from indexer.bulk import Row
from indexer.check import Check, Reader, address, number
from indexer.contract import Event, Handler, Key, Model
from indexer.errors import MirrorError
from indexer.state import State

ZERO_ADDRESS: Final = "0x" + "00" * 20
"""Where mints come from and burns go to; it holds nothing."""

SupplyRow = Callable[[Event, State], Row]
"""Returns the row, to change, that has the `total_supply` and `holder_count` of the token that emitted an event."""


def erc20(model: Model, supply_row: SupplyRow) -> dict[str, Handler]:
    """Handle a token whose supply stands in `model`, keyed by its address."""

    def transfer_rows(event: Event) -> Iterator[Key]:
        yield model, (event.address,)
        for party in ("sender", "receiver"):
            if event.args[party] != ZERO_ADDRESS:
                yield Balance, (event.address, event.args[party])

    def transfer(event: Event, state: State) -> None:
        _transfer(event, state, supply_row)

    return {
        "Transfer": Handler(transfer, transfer_rows),
        "Approval": Handler(_approval, _allowance_rows),
        "DelegateChanged": Handler(_delegate_changed, _delegation_rows),
        "DelegateVotesChanged": Handler(_votes_changed, _voting_power_rows),
    }


def _allowance_rows(event: Event) -> Iterator[Key]:
    yield Allowance, (event.address, event.args["owner"], event.args["spender"])


def _delegation_rows(event: Event) -> Iterator[Key]:
    yield Delegation, (event.address, event.args["delegator"])


def _voting_power_rows(event: Event) -> Iterator[Key]:
    yield VotingPower, (event.address, event.args["delegate"])


def _transfer(event: Event, state: State, supply_row: SupplyRow) -> None:
    token = event.address
    sender, receiver, value = event.args["sender"], event.args["receiver"], event.args["value"]
    state.append(Transfer, event.row(token=token, sender=sender, receiver=receiver, amount=value))
    if value == 0:
        return
    minted = burnt = holders = 0
    if sender == ZERO_ADDRESS:
        minted = value
    else:
        holders -= _debit(event, sender, value, state)
    if receiver == ZERO_ADDRESS:
        burnt = value
    else:
        holders += _credit(token, receiver, value, state)
    if minted != burnt or holders:
        row = supply_row(event, state)
        row["total_supply"] += minted - burnt
        row["holder_count"] += holders
        if minted != burnt:
            state.append(SupplyCheckpoint, event.row(token=token, supply=row["total_supply"]))


def _debit(event: Event, holder: str, value: int, state: State) -> bool:
    """Take `value` from a holder; says whether that was all it had."""
    row = state.edit(Balance, event.address, holder)
    row["amount"] -= value
    if row["amount"] < 0:
        raise MirrorError(
            f"transaction {event.transaction_hash} moves more of {event.address} than {holder} has: a log is missing"
        )
    if row["amount"] == 0:
        state.delete(Balance, event.address, holder)
        return True
    return False


def _credit(token: str, holder: str, value: int, state: State) -> bool:
    """Give `value` to a holder; says whether it had none before."""
    row = state.upsert(Balance, token, holder, amount=0)
    row["amount"] += value
    return bool(row["amount"] == value)


def _approval(event: Event, state: State) -> None:
    key = (event.address, event.args["owner"], event.args["spender"])
    if event.args["value"]:
        state.upsert(Allowance, *key)["amount"] = event.args["value"]
    else:
        state.delete(Allowance, *key)


def _delegate_changed(event: Event, state: State) -> None:
    key = (event.address, event.args["delegator"])
    if event.args["toDelegate"] == ZERO_ADDRESS:
        state.delete(Delegation, *key)
    else:
        state.upsert(Delegation, *key)["delegate"] = event.args["toDelegate"]


def _votes_changed(event: Event, state: State) -> None:
    account, votes = event.args["delegate"], event.args["newVotes"]
    state.upsert(VotingPower, event.address, account)["votes"] = votes
    state.append(VoteCheckpoint, event.row(token=event.address, account=account, votes=votes))


async def checks(reader: Reader) -> list[Check]:
    """Compare balances, allowances, delegates, votes now and, as supplies, at every second in which they changed."""
    found = [number(row.token, "balanceOf(address)", (row.holder,), row.amount) for row in await reader.rows(Balance)]
    found += [
        number(row.token, "allowance(address,address)", (row.owner, row.spender), row.amount)
        for row in await reader.rows(Allowance)
    ]
    found += [
        address(row.token, "delegates(address)", (row.delegator,), row.delegate)
        for row in await reader.rows(Delegation)
    ]
    found += [
        number(row.token, "getVotes(address)", (row.account,), row.votes) for row in await reader.rows(VotingPower)
    ]
    # Of several in one second the last counts: the rows are in the order of the chain.
    past = {
        (row.token, row.account, row.timestamp): row.votes
        for row in await reader.rows(VoteCheckpoint)
        if row.timestamp < reader.timestamp
    }
    found += [
        number(token, "getPastVotes(address,uint256)", (account, second), votes)
        for (token, account, second), votes in past.items()
    ]
    supplies = {
        (row.token, row.timestamp): row.supply
        for row in await reader.rows(SupplyCheckpoint)
        if row.timestamp < reader.timestamp
    }
    found += [
        number(token, "getPastTotalSupply(uint256)", (second,), supply) for (token, second), supply in supplies.items()
    ]
    return found
