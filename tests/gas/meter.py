"""Sends transactions in blocks of their own, twelve seconds apart, and writes down the gas that they use."""

from dataclasses import dataclass, field
from typing import Any, Final

from encore.chain.deployments import load_abi
from encore.chain.rpc import RpcClient
from encore.settings import local_account_address
from tests.contracts_on_anvil import HOUR, Chain, Contract
from tests.gas.references import Reference

COIN: Final = 10**18
DAY: Final = 86_400
FOREVER: Final = 2**256 - 1
OWNER, ORACLE, CREATOR, HOLDER, FAN, BUYER, STRANGER = range(7)

# 2030-01-01 00:01:00 UTC: early in an hour and a day, so that the exchange's do not turn by chance.
FIRST_BLOCK_AT: Final = 1_893_456_060
BLOCK_SECONDS: Final = 12
NO_SALT: Final = bytes(32)

DEPLOYABLE: Final = (
    *("CreatorToken", "BalancedCreatorToken", "SparkToken", "CreatorMetricsManager", "TokenDeploymentFactory"),
    *("CreatorTokenFactory", "IntegratedCreatorDEX", "MusicNFT", "ContentAccess", "SparkNFT", "SparkMarketplace"),
    *("CreatorGovernor", "CreatorTimelock"),
)


class SteadyChain(Chain):
    """A chain whose blocks' times are always the same, and with them the gas of each transaction."""

    def __init__(self, rpc: RpcClient) -> None:
        super().__init__(rpc)
        self._time = FIRST_BLOCK_AT

    async def send_raw(self, raw: str) -> dict[str, Any]:
        """Mine a transaction in the next block."""
        self._time += BLOCK_SECONDS
        await self.rpc.call("evm_setNextBlockTimestamp", self._time)
        return await super().send_raw(raw)

    async def wait(self, seconds: int) -> None:
        """Let time pass before the next block."""
        self._time += seconds

    async def now(self) -> int:
        """Return the time that has come, in unix seconds: the newest block's, and what was waited since."""
        return self._time


@dataclass(frozen=True, slots=True)
class Measured:
    """What one call of a function used, refunds taken off."""

    contract: str
    function: str
    note: str
    gas: int
    reference: Reference | None

    @property
    def operation(self) -> str:
        """The function, and under which circumstances."""
        return f"{self.function}, {self.note}" if self.note else self.function

    @property
    def met(self) -> bool:
        """Whether it is not above its reference."""
        return self.reference is None or self.gas <= self.reference.gas


@dataclass
class Meter:
    """The rows so far, and which functions they are of."""

    measured: list[Measured] = field(default_factory=list)
    _seen: set[tuple[str, str, int]] = field(default_factory=set)

    @property
    def rows(self) -> list[Measured]:
        """What was measured, contract by contract."""
        return sorted(self.measured, key=lambda row: DEPLOYABLE.index(row.contract))

    async def send(
        self,
        contract: Contract,
        function: str,
        *arguments: Any,
        note: str = "",
        reference: Reference | None = None,
        sender: int = OWNER,
        value: int = 0,
    ) -> dict[str, Any]:
        """Send a transaction, add its row and return its receipt."""
        receipt = await contract.send(function, *arguments, sender=sender, value=value)
        self.add(contract.name, function, len(arguments), int(receipt["gasUsed"], 16), note=note, reference=reference)
        return receipt

    async def send_through(self, timelock: Contract, contract: Contract, function: str, *arguments: Any) -> None:
        """Have a timelock call what it alone may, and add a row for the transaction that executes it."""
        operation = (contract.address, 0, contract.encode(function, *arguments), NO_SALT, NO_SALT)
        await timelock.send("schedule", *operation, 2 * HOUR)
        await timelock.chain.wait(2 * HOUR)
        receipt = await timelock.send("execute", *operation)
        gas = int(receipt["gasUsed"], 16)
        self.add(contract.name, function, len(arguments), gas, note="executed by a timelock")

    def add(
        self,
        contract: str,
        function: str,
        parameters: int,
        gas: int,
        *,
        note: str = "",
        reference: Reference | None = None,
    ) -> None:
        """Add a row."""
        self._seen.add((contract, function, parameters))
        self.measured.append(Measured(contract, function, note, gas, reference))

    def missing(self) -> list[str]:
        """Return the state-changing functions that have no row."""
        return [
            f"{name}.{entry['name']} with {len(entry['inputs'])} parameters"
            for name in DEPLOYABLE
            for entry in load_abi(name)
            if entry["type"] == "function" and entry["stateMutability"] in {"nonpayable", "payable"}
            if (name, entry["name"], len(entry["inputs"])) not in self._seen
        ]


async def measure_ownership(meter: Meter, contract: Contract, *, owner: int = OWNER) -> None:
    """Measure the handing over of a contract, and hand it back."""
    await meter.send(contract, "transferOwnership", account(STRANGER), sender=owner)
    await contract.send("transferOwnership", account(owner), sender=STRANGER)


async def measure_roles(meter: Meter, contract: Contract, role: str, *, admin: int = OWNER) -> None:
    """Measure roles coming and going."""
    granted = (await contract.call(role), account(STRANGER))
    await meter.send(contract, "grantRole", *granted, sender=admin)
    await meter.send(contract, "revokeRole", *granted, sender=admin)
    await contract.send("grantRole", *granted, sender=admin)
    await meter.send(contract, "renounceRole", *granted, sender=STRANGER)


def account(index: int) -> str:
    """Return the address of a local account."""
    return local_account_address(index)
