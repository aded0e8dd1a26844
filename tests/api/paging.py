"""Following cursors."""

from typing import Any

import httpx2


async def walk(client: httpx2.AsyncClient, path: str, **params: Any) -> list[dict[str, Any]]:
    """Return every item of a list, page after page; no page but the last may be short."""
    items: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        query = params if cursor is None else {**params, "cursor": cursor}
        page = (await client.get(path, params=query)).raise_for_status().json()
        items += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return items
        assert len(page["items"]) == params["limit"]
