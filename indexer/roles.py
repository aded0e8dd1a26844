"""Handlers that every contract with owners, authorised accounts or access control shares."""

from collections.abc import Iterator
from typing import Final

from eth_utils.crypto import keccak

from encore.db.models.chain import Role, RoleAdmin
from indexer.check import Check, Reader, address, flag, number
from indexer.contract import Event, Handler, Key
from indexer.state import State

_NAMES: Final = (
    "ACCESS_ROLE",
    "CANCELLER_ROLE",
    "CREATOR_ROLE",
    "EXECUTOR_ROLE",
    "MINTER_ROLE",
    "PAUSER_ROLE",
    "PROPOSER_ROLE",
    "REGISTRAR_ROLE",
    "UPGRADER_ROLE",
)
ROLE_IDS: Final = {"DEFAULT_ADMIN_ROLE": "0x" + "00" * 32} | {name: "0x" + keccak(text=name).hex() for name in _NAMES}
"""The identifiers of the roles of our contracts' access control, by name."""
_ROLE_NAMES: Final = {identifier: name for name, identifier in ROLE_IDS.items()}


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


def access_control() -> dict[str, Handler]:
    """Handle the events of OpenZeppelin's IAccessControl that every contract with it emits."""
    return {"RoleGranted": _role_change(is_granted=True), "RoleRevoked": _role_change(is_granted=False)}


def role_administration() -> dict[str, Handler]:
    """Handle that a role gets another administrating role, in contracts where one does."""
    return {"RoleAdminChanged": Handler(_role_admin_changed)}


def _role_change(*, is_granted: bool) -> Handler:
    def rows(event: Event) -> Iterator[Key]:
        yield Role, (event.address, _role_name(event.args["role"]), event.args["account"])

    def apply(event: Event, state: State) -> None:
        role = _role_name(event.args["role"])
        state.upsert(Role, event.address, role, event.args["account"])["is_granted"] = is_granted

    return Handler(apply, rows)


def _role_admin_changed(event: Event, state: State) -> None:
    row = state.upsert(RoleAdmin, event.address, _role_name(event.args["role"]))
    row["admin_role"] = _role_name(event.args["newAdminRole"])


def _role_name(identifier: str) -> str:
    return _ROLE_NAMES.get(identifier, identifier)


async def checks(reader: Reader) -> list[Check]:
    """Compare owners, authorised accounts, and the roles of access control with their administrators."""
    found = []
    for row in await reader.rows(Role):
        if row.role == "owner":
            if row.is_granted:
                found.append(address(row.address, "owner()", (), row.account))
        elif row.role in ROLE_IDS or row.role.startswith("0x"):
            arguments = (_role_id(row.role), row.account)
            found.append(flag(row.address, "hasRole(bytes32,address)", arguments, mirrored=row.is_granted))
        else:
            view = f"is{row.role.capitalize()}(address)"
            found.append(flag(row.address, view, (row.account,), mirrored=row.is_granted))
    for row in await reader.rows(RoleAdmin):
        admin = int(_role_id(row.admin_role), 16)
        found.append(number(row.address, "getRoleAdmin(bytes32)", (_role_id(row.role),), admin))
    return found


def _role_id(role: str) -> str:
    return ROLE_IDS.get(role, role)
