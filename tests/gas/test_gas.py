"""The committed gas figures: complete, what the contracts really use, and explained where they miss a goal."""

import pytest

from encore.chain.local_node import find_anvil
from tests.gas import table
from tests.gas.world import measure

# Of a figure: what changes a contract's arithmetic by a few steps need not rewrite the table.
TOLERANCE = 0.01


@pytest.mark.skipif(find_anvil() is None, reason="anvil is not installed")
async def test_the_committed_table_tells_what_every_function_that_changes_state_uses() -> None:
    meter = await measure()
    measured = {(row.contract, row.operation): row.gas for row in meter.rows}
    committed = table.read()

    assert not meter.missing()
    assert committed.keys() == measured.keys()
    stale = [key for key, gas in measured.items() if abs(committed[key] - gas) > TOLERANCE * gas]
    assert not stale, "`make gas` writes the table anew"


def test_what_is_dearer_than_its_reference_is_explained_and_nothing_else() -> None:
    assert table.explained() == table.missed()
