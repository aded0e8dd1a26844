"""CreatorToken: the token's books (`erc20`), stakes and what the coin says of itself."""

from collections.abc import Iterator
from typing import Final

from encore.db.models.chain import Stake, Token
from encore.db.models.chain_tokens import StakeChange
from indexer.bulk import Row
from indexer.check import Check, Reader, address, number, text
from indexer.contract import Contract, Event, Handler, Key
from indexer.erc20 import ZERO_ADDRESS, erc20
from indexer.state import State

INFO_DESCRIPTION_WORD: Final = 3
INFO_IMAGE_WORD: Final = 4
"""Where `creatorInfo` says these, after the struct's offset."""


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


def _stake_rows(event: Event) -> Iterator[Key]:
    yield Token, (event.address,)
    yield Stake, (event.address, event.args["account"])


def _own_row(event: Event, state: State) -> Row:
    return token_row(event, event.address, state)


def _ownership_transferred(event: Event, state: State) -> None:
    _own_row(event, state)["owner"] = event.args["new_owner"]


def _info_updated(event: Event, state: State) -> None:
    _own_row(event, state).update(
        description=event.args["description"], image_url=event.args["imageUrl"], is_active=event.args["isActive"]
    )


def _fee_rate_updated(event: Event, state: State) -> None:
    _own_row(event, state)["platform_fee_bps"] = event.args["newRate"]


def _fee_recipient_updated(event: Event, state: State) -> None:
    _own_row(event, state)["platform_fee_recipient"] = event.args["newRecipient"]


def _staked(event: Event, state: State) -> None:
    state.upsert(Stake, event.address, event.args["account"]).update(
        amount=event.args["amount"],
        staked_at=event.timestamp,
        unlocks_at=event.args["unlocksAt"],
        last_claimed_at=event.timestamp,
        total_rewards=0,
    )
    _own_row(event, state)["total_staked"] += event.args["amount"]
    _record(event, state, "staked", amount=event.args["amount"], reward=0)


def _rewards_claimed(event: Event, state: State) -> None:
    stake = state.edit(Stake, event.address, event.args["account"])
    stake["total_rewards"] += event.args["reward"]
    stake["last_claimed_at"] = event.timestamp
    _record(event, state, "claimed", amount=0, reward=event.args["reward"])


def _unstaked(event: Event, state: State) -> None:
    stake = state.edit(Stake, event.address, event.args["account"])
    stake["amount"] = 0
    stake["total_rewards"] += event.args["reward"]
    stake["last_claimed_at"] = event.timestamp
    _own_row(event, state)["total_staked"] -= event.args["amount"]
    _record(event, state, "unstaked", amount=event.args["amount"], reward=event.args["reward"])


def _record(event: Event, state: State, kind: str, *, amount: int, reward: int) -> None:
    account = event.args["account"]
    row = event.row(token=event.address, account=account, kind=kind, amount=amount, reward=reward)
    state.append(StakeChange, row)


async def _checks(reader: Reader) -> list[Check]:
    """Every creator token's, balanced ones too."""
    found = []
    for token in await reader.rows(Token):
        found += [
            number(token.address, "totalSupply()", (), token.total_supply),
            number(token.address, "totalStaked()", (), token.total_staked),
            number(token.address, "maximumSupply()", (), token.maximum_supply),
            number(token.address, "platformFeeRate()", (), token.platform_fee_bps),
            address(token.address, "platformFeeRecipient()", (), token.platform_fee_recipient),
            address(token.address, "owner()", (), token.owner),
            text(token.address, "name()", (), token.name),
            text(token.address, "symbol()", (), token.symbol),
            text(token.address, "creatorInfo()", (), token.description, position=INFO_DESCRIPTION_WORD),
            text(token.address, "creatorInfo()", (), token.image_url, position=INFO_IMAGE_WORD),
        ]
    for stake in await reader.rows(Stake):
        # The contract forgets a position that was withdrawn; the mirror keeps what it paid.
        position = (
            (stake.amount, stake.staked_at, stake.last_claimed_at, stake.total_rewards) if stake.amount else (0,) * 4
        )
        found.append(Check(stake.token, "stakingInfo(address)", (stake.account,), ("uint256",) * 4, position))
    return found


CONTRACT: Final = Contract(
    name="CreatorToken",
    handlers=erc20(Token, _own_row)
    | {
        "OwnershipTransferred": Handler(_ownership_transferred, _token),
        "CreatorInfoUpdated": Handler(_info_updated, _token),
        "PlatformFeeRateUpdated": Handler(_fee_rate_updated, _token),
        "PlatformFeeRecipientUpdated": Handler(_fee_recipient_updated, _token),
        "TokensStaked": Handler(_staked, _stake_rows),
        "RewardsClaimed": Handler(_rewards_claimed, _stake_rows),
        "TokensUnstaked": Handler(_unstaked, _stake_rows),
    },
    checks=_checks,
)
