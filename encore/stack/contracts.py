"""Has the contracts on the local chain: runs the Ape script that deploys, and notices a chain that lost them."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from encore import PROJECT_ROOT
from encore.chain.deployments import load_deployment
from encore.chain.local_node import find_anvil
from encore.chain.rpc import RpcClient
from encore.settings import Settings
from encore.stack.preflight import PreflightError
from encore.stack.supervisor import last_line

NO_CODE: Final = "0x"


async def ensure_deployed(settings: Settings, rpc: RpcClient, log: Path, say: Callable[[str], None]) -> None:
    """Deploy what is missing on the local chain; on a public network the registry must be there already.

    Raises `PreflightError` when the registry names contracts that the chain does not have, or the script fails.
    """
    if settings.deployment_path.exists() or not settings.chain.is_local:
        deployment = load_deployment(settings.deployment_path)
        addresses = [contract.address for contract in deployment.contracts.values()]
        if NO_CODE in await rpc.batch([("eth_getCode", [address, "latest"]) for address in addresses]):
            raise PreflightError(
                f"the chain does not have the contracts that {settings.deployment_path} names: one of the two is "
                "stale; run `make reset` to start over"
            )
    if settings.chain.is_local:
        say("[dim]deploying the contracts …[/]")
        await _run_deploy_script(settings, log)
    say("[green]✓[/] contracts")


async def _run_deploy_script(settings: Settings, log: Path) -> None:
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *(str(Path(sys.executable).with_name("ape")), "run", "deploy"),
            *("--network", settings.chain.ape_network if find_anvil() else settings.endpoints[0]),
            cwd=PROJECT_ROOT,
            env=os.environ
            | {
                "APE_FOUNDRY_HOST": settings.endpoints[0],
                "ENCORE_DATA_DIR": str(settings.data_dir),
                "ENCORE_CHAIN_PORT": str(settings.chain_port),
            },
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            code = await process.wait()
        except asyncio.CancelledError:
            process.terminate()
            raise
    if code:
        reason = last_line(log) or f"exit code {code}"
        raise PreflightError(f"the deployment failed: {reason} (all of it: {log})")
