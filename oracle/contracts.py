"""The calls of Encore's contracts that the oracle makes, encoded and decoded."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from eth_abi.abi import decode, encode
from eth_utils.abi import function_signature_to_4byte_selector

from encore.chain.deployments import Deployment
from encore.chain.outbox.signer import Call
from encore.chain.rpc import Request, RpcClient
from encore.errors import RpcError
from oracle.metrics import Metrics
from oracle.quorum import Moment

LARGEST_BATCH: Final = 50
"""How many creators CreatorMetricsManager takes in one call."""
NAME_BYTES: Final = 50
SYMBOL_BYTES: Final = 10
DESCRIPTION_BYTES: Final = 500
IMAGE_URL_BYTES: Final = 200

_UPDATES: Final = "(address,uint256,uint256,uint256,uint256,uint256)[]"
_LAUNCH: Final = ("address", "string", "string", "string", "string")


@dataclass(frozen=True, slots=True)
class Coin:
    """What a coin is called; each text within the bytes that the contract takes (UTF-8)."""

    name: str
    symbol: str
    description: str
    image_url: str


class Contracts:
    """The metrics manager and the coin factory of one deployment; addresses lower case."""

    def __init__(self, rpc: RpcClient, deployment: Deployment) -> None:
        self._rpc = rpc
        self.metrics_manager = deployment.address("CreatorMetricsManager").lower()
        self.factory = deployment.address("CreatorTokenFactory").lower()

    async def are_deployed(self) -> bool:
        """Whether the chain has code at both addresses."""
        codes = await self._rpc.batch(
            [("eth_getCode", [address, "latest"]) for address in (self.metrics_manager, self.factory)]
        )
        return all(code != "0x" for code in codes)

    async def is_oracle(self, account: str) -> bool:
        """Whether the metrics manager takes reports from `account`."""
        return await self._ask_bool(self.metrics_manager, "isOracle", account)

    async def is_launcher(self, account: str) -> bool:
        """Whether the factory lets `account` launch for any creator."""
        return await self._ask_bool(self.factory, "isLauncher", account)

    async def owner(self, contract: str) -> str:
        """Return who owns a contract, lower case."""
        (owner,) = decode(["address"], await self._call(contract, _encode("owner", (), ())))
        return str(owner).lower()

    async def meets_launch_requirements(self, creator: str) -> bool:
        """Whether the chain itself would let `creator` launch now."""
        return await self._ask_bool(self.metrics_manager, "meetsLaunchRequirements", creator)

    async def minimum_seed(self) -> int:
        """Return the wei that a launch must bring."""
        answer = await self._call(self.factory, _encode("minimumSeed", (), ()))
        (seed,) = decode(["uint256"], answer)
        return int(seed)

    async def moment(self) -> Moment:
        """Return the unix seconds that the next block would carry, and the rules for reports."""
        pending, latest, quorum, epoch = await self._rpc.batch(
            [
                ("eth_getBlockByNumber", ["pending", False]),
                ("eth_getBlockByNumber", ["latest", False]),
                *(
                    ("eth_call", [{"to": self.metrics_manager, "data": _encode(name, (), ())}, "latest"])
                    for name in ("quorum", "epochLength")
                ),
            ]
        )
        return Moment(int((pending or latest)["timestamp"], 16), int(quorum, 16), int(epoch, 16))

    async def block_gas_limit(self) -> int:
        """Return how much gas all of a block may use."""
        block = await self._rpc.call("eth_getBlockByNumber", "latest", False)
        return int(block["gasLimit"], 16)

    async def update_gas(self, sender: str, data: str) -> int:
        """Estimate the gas of a metrics update; raises `RpcError` where it reverts."""
        call = {"from": sender, "to": self.metrics_manager, "data": data}
        return int(await self._rpc.call("eth_estimateGas", call, "pending"), 16)

    async def would_succeed(self, sender: str, calls: Sequence[Call], block: str = "latest") -> list[bool]:
        """Tell of each call whether the chain would take it from `sender` now, or with `pending` in the next block."""
        requests: list[Request] = [
            ("eth_call", [{"from": sender, "to": call.to, "data": call.data, "value": hex(call.value)}, block])
            for call in calls
        ]
        outcomes: list[bool] = []
        for start in range(0, len(requests), LARGEST_BATCH):
            answers = await self._rpc.batch_outcomes(requests[start : start + LARGEST_BATCH])
            outcomes += [not isinstance(answer, RpcError) for answer in answers]
        return outcomes

    async def _ask_bool(self, contract: str, function: str, account: str) -> bool:
        answer = await self._call(contract, _encode(function, ("address",), (account,)))
        (value,) = decode(["bool"], answer)
        return bool(value)

    async def _call(self, to: str, data: str) -> bytes:
        answer = await self._rpc.call("eth_call", {"to": to, "data": data}, "latest")
        return bytes.fromhex(answer[2:])


def encode_updates(updates: Iterable[tuple[str, Metrics]], observed_at: int) -> str:
    """Encode updateCreatorMetricsBatch for (wallet, figures) observed at `observed_at` (unix seconds), as 0x hex."""
    rows = [
        (
            wallet,
            metrics.monthly_streams,
            metrics.followers,
            metrics.monthly_revenue,
            metrics.engagement_score,
            observed_at,
        )
        for wallet, metrics in updates
    ]
    return _encode("updateCreatorMetricsBatch", (_UPDATES,), (rows,))


def encode_launch(creator: str, coin: Coin) -> str:
    """Encode launchCreatorCoin, as 0x hex."""
    return _encode("launchCreatorCoin", _LAUNCH, (creator, coin.name, coin.symbol, coin.description, coin.image_url))


def encode_role(function: str, account: str, *, authorised: bool) -> str:
    """Encode setOracle or setLauncher, as 0x hex."""
    return _encode(function, ("address", "bool"), (account, authorised))


def encode_release() -> str:
    """Encode a launched coin's release, as 0x hex."""
    return _encode("release", (), ())


def encode_distribution(creator: str) -> str:
    """Encode the factory's distributeRevenue, as 0x hex."""
    return _encode("distributeRevenue", ("address",), (creator,))


def _encode(function: str, types: Sequence[str], values: Sequence[Any]) -> str:
    selector = function_signature_to_4byte_selector(f"{function}({','.join(types)})")
    return "0x" + (selector + encode(types, values)).hex()
