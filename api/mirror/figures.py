"""Figures of a whole block (rankings of everything), computed once however many pages are cut from them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

T = TypeVar("T")


class BlockFigures:
    """Keeps what was computed of one block, known by its hash, until another block is asked for."""

    def __init__(self) -> None:
        self._block_hash = ""
        self._figures: dict[str, Any] = {}
        self._computing = asyncio.Lock()

    async def get(self, block_hash: str, name: str, compute: Callable[[], Awaitable[T]]) -> T:
        """Return what `compute` returns; it is awaited once for each block and name."""
        if not self._has(block_hash, name):
            async with self._computing:
                if not self._has(block_hash, name):
                    figure = await compute()
                    if block_hash != self._block_hash:
                        self._block_hash, self._figures = block_hash, {}
                    self._figures[name] = figure
                    return figure
        found: T = self._figures[name]
        return found

    def _has(self, block_hash: str, name: str) -> bool:
        return block_hash == self._block_hash and name in self._figures
