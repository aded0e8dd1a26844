"""The contracts as strict clients expect them: checked with OpenZeppelin's published interfaces and with ethers."""

import asyncio
import fcntl
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from encore.chain.deployments import load_abi
from encore.chain.local_node import chain_command, free_port
from encore.chain.networks import LOCAL_MNEMONIC
from encore.chain.rpc import RpcClient
from tests.conformance.interfaces import CLAIMS, LEFT_OUT, TALLY, exported, published, published_abi
from tests.contracts_on_anvil import Chain, creation_code
from tests.support import stop_process, wait_until_listening

CHECKS: Final = Path(__file__).parent / "checks"
NAMES: Final = [
    name
    for path in sorted(CHECKS.glob("*.mjs"))
    for name in re.findall(r'^check\(\s*"(.+?)"', path.read_text(), re.MULTILINE)
]
DEPLOYED_BY_ETHERS: Final = (
    *("SparkToken", "CreatorTimelock", "CreatorGovernor", "MusicNFT", "SparkNFT", "ContentAccess"),
)
SEEN_BY_ETHERS: Final = ("CreatorTokenFactory", "IntegratedCreatorDEX")
CREATOR: Final = 2
DEADLINE_SECONDS: Final = 300

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")


@pytest.fixture(scope="session")
def outcomes(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> dict[str, str | None]:
    """What became of every check, by name: None or what went wrong. One worker runs them for all."""
    base = tmp_path_factory.getbasetemp()
    folder = base if worker_id == "master" else base.parent
    result = folder / "conformance.json"
    with (folder / "conformance.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not result.exists():
            result.write_text(_run_checks(folder / "conformance-world.json"))
    outcomes: dict[str, str | None] = json.loads(result.read_text())
    return outcomes


@pytest.mark.parametrize("name", NAMES)
def test_ethers_finds_that(name: str, outcomes: dict[str, str | None]) -> None:
    problem = outcomes[name]
    assert problem is None, problem


def test_every_check_that_ran_is_reported(outcomes: dict[str, str | None]) -> None:
    assert sorted(outcomes) == sorted(NAMES)


@pytest.mark.parametrize(("contract", "interface"), [(name, each) for name, all_ in CLAIMS.items() for each in all_])
def test_a_contract_has_every_function_and_event_of_what_it_claims_to_be(contract: str, interface: str) -> None:
    assert published(interface) - exported(contract) - LEFT_OUT.get(contract, {}).keys() == set()


@pytest.mark.parametrize("contract", CLAIMS)
def test_nothing_is_listed_as_left_out_that_is_there_or_that_nobody_expects(contract: str) -> None:
    expected = set().union(*(published(interface) for interface in CLAIMS[contract]))
    assert LEFT_OUT.get(contract, {}).keys() <= expected - exported(contract)


def test_nothing_that_tally_reads_or_calls_differs_from_openzeppelins() -> None:
    theirs = set().union(*(published(interface) for interface in CLAIMS["CreatorGovernor"]))
    same = {re.split(r"[ (]", signature)[1] for signature in theirs & exported("CreatorGovernor")}
    assert same >= TALLY


def _run_checks(world: Path) -> str:
    with _running_chain() as url:
        world.write_text(json.dumps(asyncio.run(_deploy(url))))
        run = subprocess.run(
            ["node", CHECKS / "run.mjs", world], capture_output=True, text=True, check=False, timeout=DEADLINE_SECONDS
        )
    assert run.returncode == 0, f"{run.stderr}\n(`make env` installs what the checks need)"
    return run.stdout


@contextmanager
def _running_chain() -> Iterator[str]:
    port = free_port()
    process = subprocess.Popen(chain_command(port, None))
    try:
        wait_until_listening(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        stop_process(process)


async def _deploy(url: str) -> dict[str, Any]:
    """Deploy the economy, launch a coin, and describe it all for `world.mjs`, with the code of what that deploys."""
    async with RpcClient([url]) as rpc:
        economy = await Chain(rpc).deploy()
        coin = await economy.launch(CREATOR)
    addresses = {contract.name: contract.address for contract in economy.contracts.values()}
    # The proxy has no functions: its constructor is OpenZeppelin's.
    proxy = {"abi": published_abi("ERC1967Proxy"), "bytecode": creation_code("ERC1967Proxy").hex()}
    contracts = {"ERC1967Proxy": proxy}
    contracts |= {name: {"abi": load_abi(name)} for name in SEEN_BY_ETHERS}
    for name in DEPLOYED_BY_ETHERS:
        contracts[name] = {"abi": load_abi(name), "bytecode": creation_code(name).hex()}
    return {
        "url": url,
        "mnemonic": LOCAL_MNEMONIC,
        "contracts": contracts,
        "addresses": addresses | {"BalancedCreatorToken": coin.address},
    }
