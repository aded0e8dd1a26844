"""Who may do what: every operation says it in OpenAPI, and does as it says."""

from collections.abc import Iterator
from typing import Any

import httpx2
from fastapi import FastAPI

PRIVATE = ("/api/v1/me", "/api/v1/webhooks", "/api/v1/auth/session")
EXAMPLES = {
    "{session_id}": "0" * 32,
    "{address}": "0x" + "00" * 20,
    "{webhook_id}": "1",
    "{delivery_id}": "1",
}


def operations(app: FastAPI) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in app.openapi()["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def is_private(path: str) -> bool:
    return any(path == prefix or path.startswith(f"{prefix}/") for prefix in PRIVATE)


def test_every_operation_states_its_authorisation(app: FastAPI) -> None:
    for method, path, operation in operations(app):
        expected: list[dict[str, list[str]]] = [{"session": []}] if is_private(path) else []
        assert operation["security"] == expected, f"{method} {path}"
        assert ("401" in operation["responses"]) >= is_private(path), f"{method} {path}"


async def test_what_needs_a_session_is_refused_without_one(app: FastAPI, client: httpx2.AsyncClient) -> None:
    tried = 0
    for method, path, operation in operations(app):
        if not operation["security"]:
            continue
        for placeholder, value in EXAMPLES.items():
            path = path.replace(placeholder, value)  # noqa: PLW2901 - filled in
        for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Basic eDp4"}):
            answer = await client.request(method, path, headers=headers)
            assert (answer.status_code, answer.json()["type"]) == (401, "urn:encore:problem:unauthenticated"), path
            tried += 1
    assert tried >= 3 * 15
