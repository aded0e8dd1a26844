"""The real contracts on a local chain, deployed and called over JSON-RPC alone: for suites that do not load Ape."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from eth_abi.abi import decode, encode
from eth_account import Account
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from encore.chain.deployments import DeployedContract, Deployment, load_abi
from encore.chain.networks import NETWORKS
from encore.chain.rpc import RpcClient
from encore.settings import Settings, local_account_address, local_account_key
from scripts._compile import artefacts
from tests.support import eventually

BLUEPRINT_PREAMBLE = bytes.fromhex("FE7100")  # ERC-5202
RETURN_THE_REST = bytes.fromhex("3d81600a3d39f3")
GAS_LIMIT = 15_000_000
MINIMUM_SEED = 10**18
HOUR = 3_600
ZERO_ADDRESS = "0x" + "00" * 20


def creation_code(contract: str) -> bytes:
    """Return the bytecode that deploys `contract`; whatever is not compiled yet is, for all test processes."""
    compiled: str = _artefacts()[contract]["deploymentBytecode"]["bytecode"]
    return bytes.fromhex(compiled.removeprefix("0x"))


_artefacts = cache(artefacts)


@dataclass(frozen=True)
class Contract:
    """A contract at an address; amounts and results as Python values."""

    chain: "Chain"
    name: str
    address: str

    async def call(self, function: str, *arguments: Any, block: int | str = "latest") -> Any:
        """Call a view; returns the value, or a tuple of several."""
        abi = self._abi(function, len(arguments))
        tag = hex(block) if isinstance(block, int) else block
        result = await self.chain.rpc.call("eth_call", {"to": self.address, "data": _encode(abi, arguments)}, tag)
        values = decode([_type(output) for output in abi["outputs"]], bytes.fromhex(result[2:]))
        return values[0] if len(values) == 1 else values

    async def send(self, function: str, *arguments: Any, sender: int = 0, value: int = 0) -> dict[str, Any]:
        """Send a transaction of account `sender` of the local mnemonic; returns its receipt."""
        data = _encode(self._abi(function, len(arguments)), arguments)
        return await self.chain.send(data, to=self.address, sender=sender, value=value)

    def encode(self, function: str, *arguments: Any) -> bytes:
        """Encode a call of a function, as another contract or a proposal would carry it."""
        return bytes.fromhex(_encode(self._abi(function, len(arguments)), arguments)[2:])

    def _abi(self, function: str, count: int) -> dict[str, Any]:
        return next(
            entry
            for entry in load_abi(self.name)
            if entry["type"] == "function" and entry["name"] == function and len(entry["inputs"]) == count
        )


class Chain:
    """A local chain without Encore's contracts, until `deploy`."""

    def __init__(self, rpc: RpcClient) -> None:
        self.rpc = rpc

    async def send(self, data: str, *, to: str | None = None, sender: int = 0, value: int = 0) -> dict[str, Any]:
        """Sign, send and have mined; fails the test where it reverts."""
        account = Account.from_key(local_account_key(sender))
        nonce = int(await self.rpc.call("eth_getTransactionCount", account.address, "pending"), 16)
        signed = account.sign_transaction(
            {
                "type": 2,
                "chainId": NETWORKS["local"].chain_id,
                "nonce": nonce,
                "data": data,
                "value": value,
                "gas": GAS_LIMIT,
                "maxFeePerGas": 10**11,
                "maxPriorityFeePerGas": 1,
                **({"to": to_checksum_address(to)} if to else {}),
            }
        )
        return await self.send_raw(signed.raw_transaction.to_0x_hex())

    async def send_raw(self, raw: str) -> dict[str, Any]:
        """Send a signed transaction and return its receipt; fails the test where it reverts."""
        sent = await self.rpc.call("eth_sendRawTransaction", raw)
        receipt: dict[str, Any] = await eventually(lambda: self.rpc.call("eth_getTransactionReceipt", sent))
        assert receipt["status"] == "0x1", f"{sent} reverted"
        return receipt

    async def deploy(self, *, minimum_streams: int = 50_000, minimum_followers: int = 5_000) -> "Economy":
        """Deploy and wire everything as the deploy script does; account 1 is oracle and launcher."""
        blueprints = [await self._blueprint(name) for name in ("CreatorToken", "BalancedCreatorToken")]
        factory = await self.create("TokenDeploymentFactory", *blueprints)
        metrics = await self.create("CreatorMetricsManager", minimum_streams, minimum_followers, 7 * 86_400)
        exchange = await self.create("IntegratedCreatorDEX", factory.address)
        launcher = await self.create(
            "CreatorTokenFactory",
            *(factory.address, metrics.address, exchange.address, local_account_address(0), MINIMUM_SEED),
        )
        oracle = local_account_address(1)
        await factory.send("setFactory", launcher.address, True)
        await metrics.send("setOracle", oracle, True)
        await launcher.send("setLauncher", oracle, True)
        return Economy(self, {contract.name: contract for contract in (factory, metrics, exchange, launcher)})

    async def deploy_everything(self) -> "Economy":
        """Deploy what `deploy` does and SPARK with its governance, NFTs, access and marketplace; account 0 owns all."""
        economy = await self.deploy()
        owner = local_account_address(0)
        deployed = economy.contracts
        factories = (deployed["TokenDeploymentFactory"].address, deployed["CreatorTokenFactory"].address)
        implementation = await self.create("SparkToken")
        timelock = await self.create("CreatorTimelock", HOUR, [owner], [ZERO_ADDRESS], owner)
        initialisation = implementation.encode("initialize", owner, timelock.address, owner)
        proxy = await self.create("ERC1967Proxy", implementation.address, initialisation)
        spark = Contract(self, "SparkToken", proxy.address)
        terms = ("Spark Governor", 60, HOUR, 0, 4, 0)
        governor = await self.create("CreatorGovernor", spark.address, timelock.address, *terms)
        await timelock.send("grantRole", await timelock.call("PROPOSER_ROLE"), governor.address)
        music = await self.create("MusicNFT", *factories, "https://media.example/")
        access = await self.create("ContentAccess", factories[1], music.address)
        nft = await self.create("SparkNFT", "Spark", "SPK", "ipfs://", owner, 500)
        market = await self.create("SparkMarketplace", spark.address, owner, 250)
        return Economy(
            self,
            deployed | {each.name: each for each in (timelock, spark, governor, music, access, nft, market)},
        )

    async def wait(self, seconds: int) -> None:
        """Let time pass and mine a block."""
        await self.rpc.call("evm_increaseTime", seconds)
        await self.rpc.call("evm_mine")

    async def now(self) -> int:
        """Return the newest block's time in unix seconds."""
        block = await self.rpc.call("eth_getBlockByNumber", "latest", False)
        return int(block["timestamp"], 16)

    async def _blueprint(self, name: str) -> str:
        code = BLUEPRINT_PREAMBLE + creation_code(name)
        receipt = await self._create(b"\x61" + len(code).to_bytes(2) + RETURN_THE_REST + code)
        return str(receipt["contractAddress"])

    async def create(self, name: str, *arguments: Any) -> Contract:
        """Deploy one contract from its source with constructor arguments."""
        constructor = next(entry for entry in load_abi(name) if entry["type"] == "constructor")
        encoded = encode([parameter["type"] for parameter in constructor["inputs"]], arguments)
        receipt = await self._create(creation_code(name) + encoded)
        return Contract(self, name, to_checksum_address(receipt["contractAddress"]))

    async def _create(self, code: bytes) -> dict[str, Any]:
        return await self.send("0x" + code.hex())


@dataclass(frozen=True)
class Economy:
    """The deployed contracts."""

    chain: Chain
    contracts: dict[str, Contract]

    @property
    def exchange(self) -> Contract:
        """The IntegratedCreatorDEX."""
        return self.contracts["IntegratedCreatorDEX"]

    async def launch(self, creator: int, *, seed: int = MINIMUM_SEED, name: str = "Coin") -> Contract:
        """Report metrics that qualify account `creator` and launch its coin with `seed` wei."""
        wallet = local_account_address(creator)
        metrics, launcher = self.contracts["CreatorMetricsManager"], self.contracts["CreatorTokenFactory"]
        await metrics.send("updateCreatorMetrics", wallet, 60_000, 6_000, 0, 5_000, sender=1)
        await launcher.send("launchCreatorCoin", wallet, name, name.upper()[:10], "", "", sender=1, value=seed)
        return Contract(self.chain, "CreatorToken", to_checksum_address(await launcher.call("coinOf", wallet)))

    async def register(self, settings: Settings) -> Deployment:
        """Write the registry where processes with `settings` look for it."""
        genesis = await self.chain.rpc.call("eth_getBlockByNumber", "0x0", False)
        deployment = Deployment(
            network="local",
            chain_id=NETWORKS["local"].chain_id,
            deployer=local_account_address(0),
            block_number=1,
            timestamp=int(genesis["timestamp"], 16),
            contracts={
                name: DeployedContract(
                    address=contract.address,
                    block_number=1,
                    transaction_hash=genesis["hash"],
                    constructor_arguments=[],
                    code_hash=genesis["hash"],
                )
                for name, contract in self.contracts.items()
            },
        )
        settings.deployment_path.parent.mkdir(parents=True, exist_ok=True)
        settings.deployment_path.write_text(deployment.model_dump_json())
        return deployment


def _encode(abi: dict[str, Any], arguments: tuple[Any, ...]) -> str:
    types = [_type(parameter) for parameter in abi["inputs"]]
    selector = keccak(text=f"{abi['name']}({','.join(types)})")[:4]
    return "0x" + (selector + encode(types, arguments)).hex()


def _type(parameter: dict[str, Any]) -> str:
    kind: str = parameter["type"]
    if kind.startswith("tuple"):
        inner = ",".join(_type(component) for component in parameter["components"])
        return f"({inner}){kind.removeprefix('tuple')}"
    return kind
