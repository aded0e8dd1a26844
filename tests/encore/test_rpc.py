import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from time import monotonic
from urllib.parse import urlsplit

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from encore.chain import rpc as rpc_module
from encore.chain.rpc import RpcClient
from encore.errors import RpcError, RpcUnavailableError
from tests.conftest import LocalChain

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class FaultyNode:
    """A node that answers each request with the next of the given answers, and the last one for ever after."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.requests = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        answer = self._answers[min(self.requests, len(self._answers) - 1)]
        self.requests += 1
        return await answer(request)


async def right(request: web.Request) -> web.StreamResponse:
    payload = orjson.loads(await request.read())
    if isinstance(payload, list):
        replies = [{"jsonrpc": "2.0", "id": one["id"], "result": one["params"]} for one in reversed(payload)]
        return web.json_response(replies)
    return web.json_response({"jsonrpc": "2.0", "id": payload["id"], "result": "0x1"})


async def too_many_requests(_: web.Request) -> web.StreamResponse:
    return web.Response(status=429)


async def broken(_: web.Request) -> web.StreamResponse:
    return web.Response(status=502, text="<html>")


async def truncated(_: web.Request) -> web.StreamResponse:
    return web.Response(text='{"jsonrpc": "2.0", "id": 0, "resu')


async def error_object(_: web.Request) -> web.StreamResponse:
    return web.json_response({"jsonrpc": "2.0", "id": 0, "error": {"code": 3, "message": "reverted", "data": "0x08"}})


Serve = Callable[[FaultyNode], Awaitable[str]]


@pytest.fixture
async def serve(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Serve]:
    """Serve nodes over real HTTP; the pauses between retries are shortened."""
    monkeypatch.setattr(rpc_module, "FIRST_BACKOFF_SECONDS", 0.001)
    servers: list[TestServer] = []

    async def start(node: FaultyNode) -> str:
        app = web.Application()
        app.router.add_post("/", node.handle)
        server = TestServer(app)
        await server.start_server()
        servers.append(server)
        return str(server.make_url("/"))

    yield start
    for server in servers:
        await server.close()


@pytest.mark.parametrize("fault", [too_many_requests, broken, truncated])
async def test_a_passing_fault_is_retried(serve: Serve, fault: Answer) -> None:
    node = FaultyNode(fault, fault, right)
    async with RpcClient([await serve(node)]) as rpc:
        assert await rpc.call("eth_chainId") == "0x1"
    assert node.requests == 3


async def test_a_dead_endpoint_fails_over_to_the_next_and_stays_there(serve: Serve) -> None:
    node = FaultyNode(right)
    async with RpcClient(["http://127.0.0.1:1/", await serve(node)]) as rpc:
        assert await rpc.call("eth_chainId") == "0x1"
        assert await rpc.call("eth_chainId") == "0x1"
    assert node.requests == 2


async def test_when_no_node_answers_the_error_names_them_and_the_reason(serve: Serve) -> None:
    node = FaultyNode(broken)
    url = await serve(node)
    async with RpcClient([url], attempts=3) as rpc:
        with pytest.raises(RpcUnavailableError, match=r"no node answered after 3 attempts .*502"):
            await rpc.call("eth_chainId")
    assert node.requests == 3


async def test_an_error_object_is_the_nodes_answer_and_is_not_retried(serve: Serve) -> None:
    node = FaultyNode(error_object)
    async with RpcClient([await serve(node)]) as rpc:
        with pytest.raises(RpcError, match=r"eth_call: reverted \(code 3\)") as failure:
            await rpc.call("eth_call", {})
        with pytest.raises(RpcError):
            await rpc.batch([("eth_call", [{}])])
    assert (failure.value.code, failure.value.data) == (3, "0x08")
    assert node.requests == 2


async def test_a_batch_answered_out_of_order_comes_back_in_order(serve: Serve) -> None:
    async with RpcClient([await serve(FaultyNode(right))]) as rpc:
        assert await rpc.batch([("a", [1]), ("b", [2]), ("c", [3])]) == [[1], [2], [3]]
        assert await rpc.batch([]) == []


async def test_the_keys_that_endpoints_carry_are_not_shown(serve: Serve) -> None:
    async with RpcClient(["http://127.0.0.1:1/v3/hunter2?key=hunter2"], attempts=1) as rpc:
        with pytest.raises(RpcUnavailableError) as failure:
            await rpc.call("eth_chainId")
    assert "hunter2" not in str(failure.value)


async def test_a_real_node_answers(anvil: LocalChain) -> None:
    async with RpcClient([anvil.url]) as rpc:
        assert await rpc.batch([("eth_chainId", []), ("eth_blockNumber", [])]) == ["0x7a69", "0x0"]


async def incomplete(request: web.Request) -> web.StreamResponse:
    payload = orjson.loads(await request.read())
    if isinstance(payload, list):
        return web.json_response([{"jsonrpc": "2.0", "id": one["id"], "result": "0x1"} for one in payload[1:]])
    return web.json_response({"jsonrpc": "2.0", "id": payload["id"]})


async def gateway_page(_: web.Request) -> web.StreamResponse:
    return web.json_response({"message": "forbidden"}, status=403)


@pytest.mark.parametrize("fault", [incomplete, gateway_page])
async def test_an_answer_that_leaves_something_out_is_asked_for_again(serve: Serve, fault: Answer) -> None:
    node = FaultyNode(fault, right, fault, right)
    async with RpcClient([await serve(node)]) as rpc:
        assert await rpc.call("eth_chainId") == "0x1"
        assert await rpc.batch([("a", [1]), ("b", [2])]) == [[1], [2]]
    assert node.requests == 4


async def test_what_became_of_each_request_is_told_by_endpoint_and_reason(serve: Serve) -> None:
    seen: list[tuple[str, str]] = []

    def observe(endpoint: str, outcome: str) -> None:
        seen.append((endpoint, outcome))

    refusing, confused = (
        await serve(FaultyNode(too_many_requests)),
        await serve(FaultyNode(truncated, error_object, right)),
    )
    endpoints = ["http://127.0.0.1:1/", refusing, confused]
    async with RpcClient(endpoints, attempts=6, observer=observe) as rpc:
        with pytest.raises(RpcError):
            await rpc.call("eth_chainId")
        assert await rpc.call("eth_chainId") == "0x1"
    hosts = [urlsplit(endpoint).netloc for endpoint in endpoints]
    assert seen == [
        (hosts[0], "connection"),
        (hosts[1], "HTTP 429"),
        (hosts[2], "malformed"),
        (hosts[0], "connection"),
        (hosts[1], "HTTP 429"),
        (hosts[2], "error object"),
        (hosts[2], "answered"),
    ]


async def test_requests_that_fail_together_move_on_by_one_endpoint(serve: Serve) -> None:
    node = FaultyNode(right)
    async with RpcClient(["http://127.0.0.1:1/", await serve(node)], attempts=2) as rpc:
        assert await asyncio.gather(*(rpc.call("eth_chainId") for _ in range(4))) == ["0x1"] * 4


async def test_what_retry_after_says_is_waited_for(serve: Serve) -> None:
    async def busy(_: web.Request) -> web.StreamResponse:
        return web.Response(status=429, headers={"Retry-After": "1"})

    node = FaultyNode(busy, right)
    async with RpcClient([await serve(node)]) as rpc:
        began = monotonic()
        assert await rpc.call("eth_chainId") == "0x1"
        assert monotonic() - began >= 1


async def test_an_endpoint_is_not_sent_more_calls_a_second_than_the_limit(serve: Serve) -> None:
    async with RpcClient([await serve(FaultyNode(right))], calls_per_second=100) as rpc:
        began = monotonic()
        await asyncio.gather(*(rpc.batch([("a", [1])] * 5) for _ in range(5)))
        assert monotonic() - began >= 20 / 100  # the last batch waits for the four before it
