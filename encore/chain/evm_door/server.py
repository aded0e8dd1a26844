"""JSON-RPC 2.0 over HTTP on the loopback interface."""

import socket
from typing import Any, Final

import orjson
import structlog
from aiohttp import web

from encore.chain.evm_door.errors import INTERNAL_ERROR, INVALID_REQUEST, PARSE_ERROR, JsonRpcError
from encore.chain.evm_door.methods import Methods
from encore.chain.evm_door.shapes import Json
from encore.errors import EncoreError

HOST: Final = "127.0.0.1"
LARGEST_REQUEST_BYTES: Final = 64 * 2**20
SHUTDOWN_SECONDS: Final = 1.0

_CORS_HEADERS: Final = {
    "Access-Control-Allow-Origin": "*",  # wallets in web pages, as with anvil: this chain holds nothing of value
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "Content-Type",
}

_log = structlog.get_logger(__name__)


class PortTakenError(EncoreError):
    """Another process listens on the port that the development chain should have."""


def claim_port(port: int) -> socket.socket:
    """Return a socket bound to `port`, on which nothing is accepted yet."""
    claimed = socket.socket()
    claimed.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        claimed.bind((HOST, port))
    except OSError as error:
        claimed.close()
        raise PortTakenError(
            f"port {port} on {HOST} cannot be had ({error.strerror}): stop what uses it or set ENCORE_CHAIN_PORT"
        ) from None
    return claimed


def serve(methods: Methods, claimed: socket.socket) -> None:
    """Answer requests until SIGINT or SIGTERM."""
    web.run_app(create_app(methods), sock=claimed, print=None, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)


def create_app(methods: Methods) -> web.Application:
    """Return the web application. It runs one request at a time, which is what keeps the chain consistent."""

    async def post(request: web.Request) -> web.Response:
        reply = _reply_to_body(methods, await request.read())
        body = b"" if reply is None else orjson.dumps(reply)
        return web.Response(body=body, content_type="application/json", headers=_CORS_HEADERS)

    async def options(_request: web.Request) -> web.Response:
        return web.Response(headers=_CORS_HEADERS)

    app = web.Application(client_max_size=LARGEST_REQUEST_BYTES)
    app.add_routes([web.post("/", post), web.options("/", options)])
    return app


def _reply_to_body(methods: Methods, body: bytes) -> Any:
    try:
        payload = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        return _failure(None, JsonRpcError(PARSE_ERROR, f"the request is not JSON: {error}"))
    if isinstance(payload, list) and payload:
        return [reply for request in payload if (reply := _reply(methods, request)) is not None]
    return _reply(methods, payload)


def _reply(methods: Methods, request: object) -> Json | None:
    match request:
        case {"method": str(method), **rest} if isinstance(arguments := rest.get("params", []), list):
            request_id = rest.get("id")
            try:
                result = methods.answer(method, arguments)
            except JsonRpcError as error:
                reply = _failure(request_id, error)
            except Exception as error:  # noqa: BLE001 - one bad request must not end the chain for all others
                _log.exception("request failed", method=method)
                reply = _failure(request_id, JsonRpcError(INTERNAL_ERROR, f"{type(error).__name__}: {error}"))
            else:
                reply = {"jsonrpc": "2.0", "id": request_id, "result": result}
            return reply if "id" in rest else None  # a notification is obeyed, not answered
        case {"id": request_id}:
            return _failure(request_id, JsonRpcError(INVALID_REQUEST, "a request needs a method and a list of params"))
    return _failure(None, JsonRpcError(INVALID_REQUEST, "a request is an object, a batch a list of some"))


def _failure(request_id: object, error: JsonRpcError) -> Json:
    described: Json = {"code": error.code, "message": error.message}
    if error.data is not None:
        described["data"] = error.data
    return {"jsonrpc": "2.0", "id": request_id, "error": described}
