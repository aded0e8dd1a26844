"""C16, the storage of SPARK across upgrades: the committed layout, and what a next version may change of it."""

import pytest

from encore import PROJECT_ROOT
from scripts._storage import STORAGE_DIR, StorageLayout, compiled_layout, storage_clashes
from tests.contracts.voting import IMPLEMENTATION_SLOT

CONTRACTS = PROJECT_ROOT / "contracts"


@pytest.fixture
def recorded() -> StorageLayout:
    """The layout that is committed for SPARK."""
    return StorageLayout.model_validate_json((STORAGE_DIR / "SparkToken.json").read_bytes())


def test_the_committed_layout_is_the_compiled_one(recorded: StorageLayout) -> None:
    assert compiled_layout(CONTRACTS / "tokens" / "SparkToken.vy") == recorded
    assert int(recorded.variables[0].slot, 16) == IMPLEMENTATION_SLOT


def test_the_proxy_keeps_the_implementation_where_spark_does(recorded: StorageLayout) -> None:
    proxy = compiled_layout(CONTRACTS / "upgrades" / "ERC1967Proxy.vy")

    assert proxy.variables == recorded.variables[:1]


def test_a_version_that_adds_at_the_end_fits(recorded: StorageLayout) -> None:
    upgraded = compiled_layout(CONTRACTS / "mocks" / "SparkTokenV2.vy")

    assert storage_clashes(recorded, upgraded) == []
    assert upgraded.variables[-1].name == "motto"


def test_a_version_that_moves_variables_clashes(recorded: StorageLayout) -> None:
    clashing = compiled_layout(CONTRACTS / "mocks" / "SparkTokenClashing.vy")

    clashes = storage_clashes(recorded, clashing)

    assert len(clashes) >= len(recorded.variables)
    assert clashes[0].startswith("erc1967._implementation: address at ")


def test_another_evm_version_clashes(recorded: StorageLayout) -> None:
    upgraded = recorded.model_copy(update={"evm_version": "shanghai"})

    assert storage_clashes(recorded, upgraded) == ["the EVM version changes from cancun to shanghai"]


def test_a_variable_of_another_type_or_in_a_gap_clashes(recorded: StorageLayout) -> None:
    first, *others = recorded.variables
    retyped = [first.model_copy(update={"type": "uint256"}), *others]
    squeezed = [*recorded.variables, first.model_copy(update={"name": "late", "slot": hex(IMPLEMENTATION_SLOT - 1)})]

    assert len(storage_clashes(recorded, recorded.model_copy(update={"variables": retyped}))) == 1
    (clash,) = storage_clashes(recorded, recorded.model_copy(update={"variables": squeezed}))
    assert clash.startswith("late: address at ")
