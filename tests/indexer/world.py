"""Who and what the modelled chain has, and how its contracts' events look in a log."""

from collections.abc import Callable
from functools import cache
from typing import Any

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from encore.chain.deployments import DeployedContract, Deployment, load_abi
from tests.indexer.node import RawLog

ZERO = "0x" + "00" * 20
TOKEN = 10**18
ODD_STRINGS = ["", "Sigur Rós", "a\0b", "🎸" * 10, "line\nbreak", "\\u0000", '{"json": 1}']
INVALID_UTF8 = b"\xff\xfe\x80"

Emit = Callable[..., None]
"""Emits an event of one of the modelled contracts: its name, the event's name, the event's arguments."""


def address_of(label: str) -> str:
    return "0x" + keccak(text=label)[12:].hex()


CONTRACTS = {
    name: address_of(name)
    for name in (
        "TokenDeploymentFactory",
        "CreatorMetricsManager",
        "IntegratedCreatorDEX",
        "CreatorTokenFactory",
        "SparkToken",
        "MusicNFT",
        "ContentAccess",
        "SparkNFT",
        "SparkMarketplace",
        "CreatorTimelock",
        "CreatorGovernor",
    )
}
ACCOUNTS = [address_of(f"account {index}") for index in range(6)]
TREASURY = address_of("treasury")


def deployment() -> Deployment:
    """Return the registry of the modelled contracts, all deployed by block 1."""
    contracts = {
        name: DeployedContract(
            address=address, block_number=1, transaction_hash="0x" + "11" * 32, constructor_arguments=[], code_hash="0x"
        )
        for name, address in CONTRACTS.items()
    }
    return Deployment(
        network="local", chain_id=31337, deployer=TREASURY, block_number=1, timestamp=0, contracts=contracts
    )


@cache
def _event_abi(contract: str, name: str) -> dict[str, Any]:
    return next(entry for entry in load_abi(contract) if entry["type"] == "event" and entry["name"] == name)


def encode_log(contract: str, address: str, name: str, args: dict[str, Any], transaction: int) -> RawLog:
    """Encode an event of one of our contracts as the EVM logs it."""
    return log_from_abi(_event_abi(contract, name), address, args, transaction)


def log_from_abi(abi: dict[str, Any], address: str, args: dict[str, Any], transaction: int) -> RawLog:
    """Encode an event as the EVM logs it."""
    inputs = abi["inputs"]
    signature = f"{abi['name']}({','.join(parameter['type'] for parameter in inputs)})"
    topics = ["0x" + keccak(text=signature).hex()]
    topics += ["0x" + encode([p["type"]], [args[p["name"]]]).hex() for p in inputs if p["indexed"]]
    plain = [p for p in inputs if not p["indexed"]]
    values = [args[p["name"]] for p in plain]
    types = ["bytes" if p["type"] == "string" else p["type"] for p in plain]  # the same encoding, of any bytes
    values = [
        value.encode() if isinstance(value, str) and kind == "bytes" else value
        for kind, value in zip(types, values, strict=True)
    ]
    return RawLog(address, topics, "0x" + encode(types, values).hex(), transaction)
