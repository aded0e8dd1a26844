"""Figures of a whole block are computed once, for the block that is asked about."""

import asyncio

from api.mirror.figures import BlockFigures


async def test_many_who_ask_at_once_get_one_computation_of_each_block_and_name() -> None:
    figures, computed, go_on = BlockFigures(), list[str](), asyncio.Event()

    async def ask(block: str, name: str) -> str:
        async def compute() -> str:
            computed.append(block + name)
            await go_on.wait()
            return block + name

        return await figures.get(block, name, compute)

    asking = [asyncio.create_task(ask(block, name)) for block in ("a", "b") for name in ("x", "y") for _ in range(5)]
    go_on.set()
    assert await asyncio.gather(*asking) == [name for name in ("ax", "ay", "bx", "by") for _ in range(5)]
    assert computed == ["ax", "ay", "bx", "by"]
    assert await ask("a", "x") == "ax", "a reorg may bring an earlier block back"
    assert computed[4:] == ["ax"]


async def test_a_computation_that_fails_is_not_kept() -> None:
    figures = BlockFigures()

    async def fail() -> int:
        raise ValueError

    async def succeed() -> int:
        return 7

    outcomes = await asyncio.gather(figures.get("a", "x", fail), figures.get("a", "x", succeed), return_exceptions=True)
    assert isinstance(outcomes[0], ValueError)
    assert outcomes[1] == 7
