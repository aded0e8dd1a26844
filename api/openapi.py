"""The OpenAPI document: FastAPI's, with what it leaves open said for those who make a client of it."""

from collections.abc import Iterator
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api import problems
from api.examples import Examples
from api.mirror.service import BlockNotIndexedError

_NULL: Final = {"type": "null"}
_TAGS: Final = {
    "network": "Which chain, and where its contracts are",
    "creators": "Creators: figures of both sides, the way to a coin of their own, revenue, their part of it",
    "coins": "Coins and their market: figures, holders, trades, candles",
    "trading": "Quotes, limits, and transactions for a wallet to sign",
    "portfolio": "What a wallet has, what it cost and gained, what it did, and what it may like",
    "governance": "Proposals, votes and voters of SPARK and of coins",
    "accounts": "Signing in with a wallet; sessions and linked wallets",
    "webhooks": "Events sent to a URL, signed and retried",
    "events": "Events and prices as they happen (Server-Sent Events)",
    "health": "For operators",
}
"""In the order of the documentation page."""


def describe(app: FastAPI) -> dict[str, Any]:
    """Build the document of `app`, once."""
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        document["components"]["schemas"].update(problems.schemas())
        document["tags"] = [{"name": name, "description": description} for name, description in _TAGS.items()]
        examples = Examples(document)
        for operation in _operations(document):
            operation.setdefault("security", [])  # for everybody: said, not left open
            for parameter in operation.get("parameters", []):
                parameter["schema"] = _without_null(parameter["schema"])
                if parameter["name"] == "min_block":
                    problems.declare(operation["responses"], str(BlockNotIndexedError.status), BlockNotIndexedError)
            for response in operation["responses"].values():
                stream = response.get("content", {}).get("text/event-stream")
                if stream is not None:
                    stream["schema"] = _server_sent(stream["schema"])
            examples.add_to(operation)
        app.openapi_schema = document
    return app.openapi_schema


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for methods in document["paths"].values():
        yield from methods.values()


def _server_sent(schema: dict[str, Any]) -> dict[str, Any]:
    """Describe one server-sent event whose data is one of `schema`'s models in JSON, as OpenAPI 3.2 models them.

    FastAPI adds to `schema` that it is a string, for the answer is not JSON.
    """
    return {
        "type": "object",
        "description": "one event of the stream",
        "properties": {
            "event": {"type": "string", "examples": ["applied"]},
            "id": {"type": "string", "examples": ["4711"]},
            "data": {
                "type": "string",
                "contentMediaType": "application/json",
                "contentSchema": {"anyOf": schema["anyOf"]},
            },
        },
        "required": ["event", "id", "data"],
    }


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Leave null out, which a URL or a header cannot say: a parameter that may be left out is only not required."""
    options = [option for option in schema.get("anyOf", []) if option != _NULL]
    if len(options) != 1:
        return schema
    return {**{keyword: value for keyword, value in schema.items() if keyword != "anyOf"}, **options[0]}
