"""Handlers that every contract with owners and authorised accounts shares."""

from collections.abc import Iterator

from encore.db.models.chain import Role
from indexer.contract import Event, Handler, Key
from indexer.state import State


def authorisation(role: str) -> Handler:
    """Handle an event (`role` account, authorised): its account parameter carries the role's name."""

    def rows(event: Event) -> Iterator[Key]:
        yield Role, (event.address, role, event.args[role])

    def apply(event: Event, state: State) -> None:
        state.upsert(Role, event.address, role, event.args[role])["is_granted"] = event.args["authorised"]

    return Handler(apply, rows)


def ownership() -> Handler:
    """Handle OwnershipTransferred of a system contract; the zero address owns nothing and gets no row."""

    def rows(event: Event) -> Iterator[Key]:
        for account in event.args.values():
            yield Role, (event.address, "owner", account)

    def apply(event: Event, state: State) -> None:
        for parameter, is_granted in (("previous_owner", False), ("new_owner", True)):
            account = event.args[parameter]
            if int(account, 16):
                state.upsert(Role, event.address, "owner", account)["is_granted"] = is_granted

    return Handler(apply, rows)
