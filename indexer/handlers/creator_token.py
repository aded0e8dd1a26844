"""CreatorToken: balances, supply, holders, stakes and what the coin says of itself."""

from collections.abc import Iterator
from typing import Final

from encore.db.models.chain import Balance, Stake, Token, Transfer
from indexer.bulk import Row
from indexer.contract import Contract, Event, Handler, Key
from indexer.errors import MirrorError
from indexer.state import State

ZERO_ADDRESS: Final = "0x" + "00" * 20
"""Where mints come from and burns go to; it holds nothing."""


def token_row(event: Event, token: str, state: State) -> Row:
    """Return the row of `token` to change.

    A token's own events in the transaction that deploys it come before the one that announces it, so whichever comes
    first makes the row and the later ones complete it.
    """
    return state.upsert(
        Token,
        token,
        creator=ZERO_ADDRESS,
        owner=ZERO_ADDRESS,
        name="",
        symbol="",
        description="",
        image_url="",
        is_active=True,
        initial_supply=0,
        maximum_supply=0,
        total_supply=0,
        total_staked=0,
        holder_count=0,
        platform_fee_bps=0,
        platform_fee_recipient=ZERO_ADDRESS,
        created_block=event.block_number,
        created_at=event.timestamp,
    )


def _token(event: Event) -> Iterator[Key]:
    yield Token, (event.address,)


def _transfer_rows(event: Event) -> Iterator[Key]:
    yield Token, (event.address,)
    for party in ("sender", "receiver"):
        if event.args[party] != ZERO_ADDRESS:
            yield Balance, (event.address, event.args[party])


def _stake_rows(event: Event) -> Iterator[Key]:
    yield Token, (event.address,)
    yield Stake, (event.address, event.args["account"])


def _transfer(event: Event, state: State) -> None:
    token = event.address
    sender, receiver, value = event.args["sender"], event.args["receiver"], event.args["value"]
    state.append(
        Transfer,
        {
            "block_number": event.block_number,
            "log_index": event.log_index,
            "transaction_hash": event.transaction_hash,
            "token": token,
            "sender": sender,
            "receiver": receiver,
            "amount": value,
            "timestamp": event.timestamp,
        },
    )
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
        row = token_row(event, token, state)
        row["total_supply"] += minted - burnt
        row["holder_count"] += holders


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


def _ownership_transferred(event: Event, state: State) -> None:
    token_row(event, event.address, state)["owner"] = event.args["new_owner"]


def _info_updated(event: Event, state: State) -> None:
    token_row(event, event.address, state).update(
        description=event.args["description"], image_url=event.args["imageUrl"], is_active=event.args["isActive"]
    )


def _fee_rate_updated(event: Event, state: State) -> None:
    token_row(event, event.address, state)["platform_fee_bps"] = event.args["newRate"]


def _fee_recipient_updated(event: Event, state: State) -> None:
    token_row(event, event.address, state)["platform_fee_recipient"] = event.args["newRecipient"]


def _staked(event: Event, state: State) -> None:
    state.upsert(Stake, event.address, event.args["account"]).update(
        amount=event.args["amount"],
        staked_at=event.timestamp,
        unlocks_at=event.args["unlocksAt"],
        last_claimed_at=event.timestamp,
        total_rewards=0,
    )
    token_row(event, event.address, state)["total_staked"] += event.args["amount"]


def _rewards_claimed(event: Event, state: State) -> None:
    stake = state.edit(Stake, event.address, event.args["account"])
    stake["total_rewards"] += event.args["reward"]
    stake["last_claimed_at"] = event.timestamp


def _unstaked(event: Event, state: State) -> None:
    stake = state.edit(Stake, event.address, event.args["account"])
    stake["amount"] = 0
    stake["total_rewards"] += event.args["reward"]
    stake["last_claimed_at"] = event.timestamp
    token_row(event, event.address, state)["total_staked"] -= event.args["amount"]


CONTRACT: Final = Contract(
    name="CreatorToken",
    handlers={
        "Transfer": Handler(_transfer, _transfer_rows),
        "OwnershipTransferred": Handler(_ownership_transferred, _token),
        "CreatorInfoUpdated": Handler(_info_updated, _token),
        "PlatformFeeRateUpdated": Handler(_fee_rate_updated, _token),
        "PlatformFeeRecipientUpdated": Handler(_fee_recipient_updated, _token),
        "TokensStaked": Handler(_staked, _stake_rows),
        "RewardsClaimed": Handler(_rewards_claimed, _stake_rows),
        "TokensUnstaked": Handler(_unstaked, _stake_rows),
    },
)
