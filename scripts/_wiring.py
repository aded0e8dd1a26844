"""Sends the calls whose effect the chain does not show yet, and says which."""

from typing import Any

from encore.errors import DeploymentError
from scripts._registry import Registry


class Wiring:
    """The calls of one run, by the registry's account; `calls` tells those that were sent."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.calls: list[str] = []

    def ensure(self, done: bool, contract: Any, method: str, *arguments: Any) -> None:  # noqa: FBT001 - a state first
        """Call `method` of an owned contract unless it is `done`; raises `DeploymentError` where another owns it."""
        if done:
            return
        if contract.owner() != self.registry.account.address:
            raise DeploymentError(f"{contract.address} is owned by {contract.owner()}: {method} is for that account")
        self._call(contract, method, *arguments)

    def ensure_by_role(self, done: bool, contract: Any, role: str, method: str, *arguments: Any) -> None:  # noqa: FBT001
        """Call `method` for which the signer needs `role`, unless it is `done`; raises `DeploymentError` without it."""
        if done:
            return
        self._check_role(contract, getattr(contract, role)(), f"{method} is for {role}")
        self._call(contract, method, *arguments)

    def grant(self, contract: Any, role: str, account: str) -> None:
        """Give `account` the role called `role`; raises `DeploymentError` where the signer may not."""
        role_id = getattr(contract, role)()
        if contract.hasRole(role_id, account):
            return
        self._check_role(contract, contract.getRoleAdmin(role_id), f"granting {role} to {account} is for its admin")
        self._call(contract, "grantRole", role_id, account, shown=f"grantRole({role}, {account})")

    def renounce(self, contract: Any, role: str) -> None:
        """Give up the signer's role called `role`."""
        if not self.signer_has(contract, role):
            return
        account = self.registry.account.address
        role_id = getattr(contract, role)()
        self._call(contract, "renounceRole", role_id, account, shown=f"renounceRole({role}, {account})")

    def signer_has(self, contract: Any, role: str) -> bool:
        """Whether the signer has the role called `role`."""
        return bool(contract.hasRole(getattr(contract, role)(), self.registry.account.address))

    def _check_role(self, contract: Any, role_id: bytes, otherwise: str) -> None:
        account = self.registry.account.address
        if not contract.hasRole(role_id, account):
            raise DeploymentError(f"{account} lacks a role on {contract.address}: {otherwise}")

    def _call(self, contract: Any, method: str, *arguments: Any, shown: str | None = None) -> None:
        self.registry.call(contract, method, *arguments)
        shown = shown or f"{method}({', '.join(str(argument) for argument in arguments)})"
        self.calls.append(f"{contract.contract_type.name}.{shown}")
