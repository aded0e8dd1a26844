"""Publishes sources on a Sourcify server, where explorers read them: https://docs.sourcify.dev (API version 2)."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp
from vyper.cli.vyper_compile import compile_files

from encore import PROJECT_ROOT
from encore.chain.deployments import DeployedContract, Deployment
from encore.settings import Settings
from scripts._compile import CONTRACTS

POLL_SECONDS: Final = 2.0
POLLS: Final = 60
TIMEOUT: Final = aiohttp.ClientTimeout(total=60)
PACKAGES: Final = "site-packages/"
PUBLISHED: Final = "published"


def verify_sources(settings: Settings, deployment: Deployment, poll_seconds: float = POLL_SECONDS) -> dict[str, str]:
    """Publish what `deployment` records on a public network; say of each contract what became of it.

    A server that cannot be reached, or refuses, is no reason to fail: the next run tries again.
    """
    if settings.chain.is_local or not settings.verifier_url:
        return {}
    return asyncio.run(_verify_all(settings.verifier_url.rstrip("/"), deployment, poll_seconds))


def standard_json(contract: str) -> dict[str, Any]:
    """Return the compiler's input for `contract`, by import paths instead of this machine's, and `compiler_version`."""
    (path,) = CONTRACTS.rglob(f"{contract}.vy")
    (output,) = compile_files([path], ["solc_json"], paths=[str(PROJECT_ROOT)]).values()
    bundle = output["solc_json"]
    name = _import_path(str(path))
    return {
        "language": bundle["language"],
        "sources": {_import_path(source): content for source, content in bundle["sources"].items()},
        "settings": {"outputSelection": {name: ["*"]}, "search_paths": ["."]},
        "compiler_version": bundle["compiler_version"].removeprefix("v"),
    }


def _import_path(source: str) -> str:
    _, installed, path = source.rpartition(PACKAGES)
    return path if installed else Path(source).resolve().relative_to(PROJECT_ROOT).as_posix()


@dataclass(frozen=True, slots=True)
class _Verifier:
    session: aiohttp.ClientSession
    server: str
    chain_id: int
    poll_seconds: float

    async def verify(self, contract: DeployedContract, submission: dict[str, Any]) -> str:
        """Publish one contract unless it is there; return what became of it."""
        place = f"{self.chain_id}/{contract.address}"
        try:
            async with self.session.get(f"{self.server}/v2/contract/{place}") as response:
                if response.ok and (await response.json()).get("match"):
                    return PUBLISHED
            async with self.session.post(
                f"{self.server}/v2/verify/{place}",
                json=submission | {"creationTransactionHash": contract.transaction_hash},
            ) as response:
                answer = await response.json()
                if not response.ok:
                    return f"refused: {answer.get('message', response.status)}"
            return await self._outcome(answer["verificationId"])
        except (aiohttp.ClientError, TimeoutError, ValueError, KeyError) as error:
            return f"not published: {error or type(error).__name__}"

    async def _outcome(self, job: str) -> str:
        for _ in range(POLLS):
            async with self.session.get(f"{self.server}/v2/verify/{job}") as response:
                answer = await response.json()
            if answer["isJobCompleted"]:
                refusal = answer.get("error")
                return f"refused: {refusal['message']}" if refusal else PUBLISHED
            await asyncio.sleep(self.poll_seconds)
        return "submitted, still waiting"


async def _verify_all(server: str, deployment: Deployment, poll_seconds: float) -> dict[str, str]:
    named = {name: contract for name, contract in deployment.contracts.items() if contract.source}
    submissions = {str(contract.source): _submission(str(contract.source)) for contract in named.values()}
    async with aiohttp.ClientSession(timeout=TIMEOUT) as session:
        verifier = _Verifier(session, server, deployment.chain_id, poll_seconds)
        outcomes = await asyncio.gather(
            *(verifier.verify(contract, submissions[str(contract.source)]) for contract in named.values())
        )
    return dict(zip(named, outcomes, strict=True))


def _submission(source: str) -> dict[str, Any]:
    document = standard_json(source)
    version = document.pop("compiler_version")
    (path,) = document["settings"]["outputSelection"]
    return {"stdJsonInput": document, "compilerVersion": version, "contractIdentifier": f"{path}:{source}"}
