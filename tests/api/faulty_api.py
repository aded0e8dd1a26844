"""`encore api run` with routes that fail as a bug would, and one that asks the node; a process of its own."""

from collections.abc import AsyncIterator
from unittest.mock import patch

from fastapi import FastAPI, Header
from fastapi.responses import StreamingResponse

from api.cli import api
from api.deps import ResourcesDep
from api.main import create_app
from encore.settings import Settings

NODE_URL = "https://polygon.provider.example/v2/node-secret"
DATABASE_URL = "postgresql://encore:database-secret@db.example/encore"


async def fail(number: int, authorization: str = Header("")) -> None:
    key = f"0x{number:064x}"
    _variable = "variable_secret".replace("_", "-")  # the source may be shown, the value may not
    raise ValueError(f"{DATABASE_URL} {NODE_URL} {authorization} {key}: api-secret-of-thirty-two-letters")


async def break_off() -> StreamingResponse:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"half"
        raise ValueError("the other half is missing")

    return StreamingResponse(pieces())


async def ask(held: ResourcesDep) -> str:
    return str(await held.rpc.call("eth_chainId"))


def create_faulty_app(settings: Settings) -> FastAPI:
    app = create_app(settings)
    app.add_api_route("/faulty/{number}", fail, methods=["GET", "POST"], operation_id="fail")
    app.add_api_route("/half", break_off, operation_id="breakOff")
    app.add_api_route("/node", ask, operation_id="ask")
    return app


if __name__ == "__main__":
    with patch("api.cli.create_app", create_faulty_app):
        api(["run"])
