"""What the demo knows of the running system: the API over HTTP, and the chain over JSON-RPC."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, Self, TypeVar

import aiohttp
from eth_abi.abi import decode
from eth_utils.abi import function_signature_to_4byte_selector

from encore.chain.deployments import load_deployment
from encore.chain.rpc import RpcClient
from encore.demo.listening import Requirements
from encore.errors import EncoreError
from encore.settings import Settings

_POLL_SECONDS: Final = 0.25
_TIMEOUT: Final = aiohttp.ClientTimeout(total=30)

T = TypeVar("T")


class DemoError(EncoreError):
    """The demo cannot go on; the message says what is missing."""


class RefusedError(EncoreError):
    """The API refused a request (4xx); the message is its problem's detail."""


class Api:
    """The API of the running system. Answers are plain JSON values."""

    def __init__(self, settings: Settings) -> None:
        self.url = f"http://{settings.api_host}:{settings.api_port}"
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(self.url, timeout=_TIMEOUT)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def get(self, path: str, **query: str) -> Any:
        """GET a path below /api/v1."""
        return await self._request("GET", path, params=query)

    async def post(self, path: str, body: dict[str, Any]) -> Any:
        """POST JSON to a path below /api/v1."""
        return await self._request("POST", path, json=body)

    async def _request(self, method: str, path: str, **arguments: Any) -> Any:
        assert self._session is not None  # noqa: S101 - requests are made inside `async with`
        try:
            async with self._session.request(method, f"/api/v1{path}", **arguments) as response:
                answer = json.loads(await response.read())
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise DemoError(
                f"no API at {self.url} ({type(error).__name__}); start everything with `encore up` in another terminal"
            ) from None
        if response.status >= 500:  # noqa: PLR2004 - a server's fault
            raise DemoError(f"the API cannot serve now: {answer.get('detail', response.status)}")
        if response.status >= 400:  # noqa: PLR2004 - the request's fault
            raise RefusedError(str(answer.get("detail", response.status)))
        return answer


async def launch_requirements(settings: Settings, rpc: RpcClient) -> Requirements:
    """Ask the chain what a launch demands."""
    manager = load_deployment(settings.deployment_path).address("CreatorMetricsManager")
    selector = "0x" + function_signature_to_4byte_selector("launchRequirements()").hex()
    answer = await rpc.call("eth_call", {"to": manager, "data": selector}, "latest")
    streams, followers, _ = decode(["uint256"] * 3, bytes.fromhex(answer[2:]))
    return Requirements(streams, followers)


async def until(probe: Callable[[], Awaitable[T | None]], seconds: float) -> T | None:
    """Return the first answer of `probe` that is not None, or None when there was none within `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        answer = await probe()
        if answer is not None or time.monotonic() >= deadline:
            return answer
        await asyncio.sleep(_POLL_SECONDS)
