"""A node in memory that answers over real HTTP and WebSocket: any chain, any branch, and faults on demand."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import orjson
from aiohttp import WSMsgType, web
from eth_bloom.bloom import BloomFilter
from eth_utils.crypto import keccak

GENESIS_TIMESTAMP = 1_700_000_000
BLOCK_SECONDS = 15

Json = dict[str, Any]


@dataclass(frozen=True)
class RawLog:
    """What a contract emitted; `transaction` counts the block's transactions."""

    address: str
    topics: list[str]
    data: str
    transaction: int


@dataclass(frozen=True)
class FakeBlock:
    """A block; `state` is whatever its maker wants to find again when it builds on this block."""

    number: int
    hash: str
    parent_hash: str
    timestamp: int
    bloom: int
    logs: list[Json]
    state: Any

    def header(self) -> Json:
        return {
            "number": hex(self.number),
            "hash": self.hash,
            "parentHash": self.parent_hash,
            "timestamp": hex(self.timestamp),
            "logsBloom": f"0x{self.bloom:0512x}",
            "transactions": [],
        }


class NodeError(Exception):
    """An error object for the answer."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class FakeNode:
    """Serves the canonical chain and still knows the orphaned blocks by hash, as real nodes do.

    `meddle` sees each request and its honest answer and returns the one that is sent (or raises `NodeError`).
    """

    finality_blocks: int = 64
    chain_id: int = 31337
    meddle: Callable[[str, list[Any], Any], Any] | None = None
    serves_websocket: bool = True
    url: str = ""
    requests: int = 0
    finalized: int = 0
    canonical: list[FakeBlock] = field(default_factory=list)
    _by_hash: dict[str, FakeBlock] = field(default_factory=dict)
    _sockets: set[web.WebSocketResponse] = field(default_factory=set)
    _runner: web.AppRunner | None = None

    def start_chain(self, state: Any, *, salt: str = "") -> None:
        self.canonical.clear()
        self.finalized = 0
        self.mine([], state, salt=salt)

    @property
    def head(self) -> FakeBlock:
        return self.canonical[-1]

    @property
    def next_timestamp(self) -> int:
        return GENESIS_TIMESTAMP + BLOCK_SECONDS * len(self.canonical)

    def mine(self, logs: Sequence[RawLog], state: Any, *, salt: str = "") -> FakeBlock:
        """Add a block; `salt` tells branches with the same activity apart."""
        number = len(self.canonical)
        parent_hash = self.head.hash if self.canonical else "0x" + "00" * 32
        content = orjson.dumps([parent_hash, number, salt, [[log.address, log.topics, log.data] for log in logs]])
        block_hash = "0x" + keccak(content).hex()
        bloom = BloomFilter()
        for log in logs:
            bloom.extend(bytes.fromhex(part[2:]) for part in [log.address, *log.topics])
        timestamp = self.next_timestamp
        block = FakeBlock(
            number=number,
            hash=block_hash,
            parent_hash=parent_hash,
            timestamp=timestamp,
            bloom=int(bloom),
            logs=[
                {
                    "address": log.address,
                    "topics": log.topics,
                    "data": log.data,
                    "blockNumber": hex(number),
                    "blockHash": block_hash,
                    "blockTimestamp": hex(timestamp),
                    "transactionHash": "0x" + keccak(content + log.transaction.to_bytes(4)).hex(),
                    "transactionIndex": hex(log.transaction),
                    "logIndex": hex(index),
                    "removed": False,
                }
                for index, log in enumerate(logs)
            ],
            state=state,
        )
        self.canonical.append(block)
        self._by_hash[block_hash] = block
        self.finalized = max(self.finalized, number - self.finality_blocks)
        return block

    def drop_blocks(self, depth: int) -> None:
        """Forget up to `depth` newest blocks, final ones never: half of a reorg, or a node that was killed."""
        del self.canonical[max(self.finalized + 1, len(self.canonical) - depth) :]

    async def announce(self) -> None:
        """Send the head to every newHeads subscriber."""
        notice = {"jsonrpc": "2.0", "method": "eth_subscription", "params": {"result": self.head.header()}}
        for socket in list(self._sockets):
            await socket.send_bytes(orjson.dumps(notice))

    async def drop_websockets(self) -> None:
        for socket in list(self._sockets):
            await socket.close()

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/", self._http)
        app.router.add_get("/", self._websocket)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _http(self, request: web.Request) -> web.Response:
        payload = orjson.loads(await request.read())
        answer = [self._reply(item) for item in payload] if isinstance(payload, list) else self._reply(payload)
        return web.Response(body=orjson.dumps(answer), content_type="application/json")

    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        if not self.serves_websocket:
            return web.Response(status=404)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            if message.type in {WSMsgType.TEXT, WSMsgType.BINARY}:
                subscribe = orjson.loads(message.data)
                await socket.send_bytes(orjson.dumps({"jsonrpc": "2.0", "id": subscribe["id"], "result": "0x1"}))
                self._sockets.add(socket)
        self._sockets.discard(socket)
        return socket

    def _reply(self, request: Json) -> Json:
        self.requests += 1
        method, params = request["method"], request["params"]
        try:
            result = getattr(self, f"_{method}")(*params)
            if self.meddle is not None:
                result = self.meddle(method, params, result)
        except NodeError as error:
            return {"jsonrpc": "2.0", "id": request["id"], "error": {"code": error.code, "message": str(error)}}
        return {"jsonrpc": "2.0", "id": request["id"], "result": result}

    def _eth_chainId(self) -> str:  # noqa: N802 - named as the method that it answers
        return hex(self.chain_id)

    def _eth_getCode(self, _address: str, _block: str) -> str:  # noqa: N802
        return "0x00"

    def _eth_getBlockByNumber(self, tag: str, _full: bool) -> Json | None:  # noqa: N802, FBT001
        if tag == "latest":
            return self.head.header()
        if tag == "finalized":
            return self.canonical[self.finalized].header()
        number = int(tag, 16)
        return self.canonical[number].header() if number < len(self.canonical) else None

    def _eth_getLogs(self, query: Json) -> list[Json]:  # noqa: N802
        if "blockHash" in query:
            if query["blockHash"] not in self._by_hash:
                raise NodeError(-32000, "unknown block")
            blocks = [self._by_hash[query["blockHash"]]]
        else:
            blocks = self.canonical[int(query["fromBlock"], 16) : int(query["toBlock"], 16) + 1]
        addresses = query.get("address")
        return [
            dict(log)
            for block in blocks
            for log in block.logs
            if (addresses is None or log["address"] in addresses) and log["topics"][0] in query["topics"][0]
        ]

    def _eth_getBlockReceipts(self, block_hash: str) -> list[Json] | None:  # noqa: N802
        block = self._by_hash.get(block_hash)
        return None if block is None else [{"logs": [dict(log) for log in block.logs]}]
