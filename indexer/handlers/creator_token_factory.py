"""CreatorTokenFactory: tokens made for creators, and coins launched with their pool."""

from collections.abc import Iterator
from typing import Final

from encore.db.models.chain import Launch, Token
from indexer.contract import Contract, Event, Handler, Key
from indexer.handlers.creator_token import token_row
from indexer.roles import authorisation, ownership
from indexer.state import State


def _token(event: Event) -> Iterator[Key]:
    yield Token, (event.args["token"],)


def _launch_rows(event: Event) -> Iterator[Key]:
    yield Token, (event.args["token"],)
    yield Launch, (event.args["creator"],)


def _set_creator(event: Event, state: State) -> None:
    """The registry may have seen the factory itself as the creator: this event names the person."""
    token_row(event, event.args["token"], state)["creator"] = event.args["creator"]


def _launched(event: Event, state: State) -> None:
    args = event.args
    _set_creator(event, state)
    state.upsert(Launch, args["creator"]).update(
        token=args["token"],
        launcher=args["launcher"],
        native_seed=args["nativeSeed"],
        token_seed=args["tokenSeed"],
        block_number=event.block_number,
        transaction_hash=event.transaction_hash,
        timestamp=event.timestamp,
    )


CONTRACT: Final = Contract(
    name="CreatorTokenFactory",
    handlers={
        "CreatorTokenCreated": Handler(_set_creator, _token),
        "CreatorCoinLaunched": Handler(_launched, _launch_rows),
        "LauncherAuthorisationChanged": authorisation("launcher"),
        "OwnershipTransferred": ownership(),
    },
)
