"""The audit itself: it knows every decision of a source, sees which way each went, and refuses what is not listed."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from vyper import ast as vy_ast

from tests.contracts.audit.branches import Branch, Contract, compile_deployable, deployables
from tests.contracts.audit.sourcemap import CONTRACTS
from tests.contracts.audit.suite import attacks, searched
from tests.contracts.audit.summary import SUBJECTS, typical_call
from tests.contracts.audit.unreached import complaints, listed

# It has loops over lists and conditions that end a round: what the compiler's own map leaves out.
MANAGER = CONTRACTS / "launch" / "CreatorMetricsManager.vy"
QUORUM = CONTRACTS / "modules" / "metrics_quorum.vy"
DECISIONS = (vy_ast.Assert, vy_ast.BoolOp, vy_ast.For, vy_ast.If, vy_ast.IfExp)


@pytest.fixture(scope="module")
def manager() -> Contract:
    return compile_deployable(MANAGER)


@pytest.mark.parametrize("source", [MANAGER, QUORUM], ids=lambda source: source.stem)
def test_every_decision_of_the_source_has_its_jump(manager: Contract, source: Path) -> None:
    name = source.relative_to(CONTRACTS).as_posix()
    known = {(branch.line, branch.column) for branch in manager.branches if branch.source == name}
    module = vy_ast.parse_to_ast(source.read_text())
    decisions = {(node.lineno, node.col_offset) for kind in DECISIONS for node in module.get_descendants(kind)}
    assert len(decisions) > 10
    assert decisions == known


def test_what_is_audited_is_what_is_deployed(manager: Contract, metrics: Any, contracts: Any) -> None:
    initialisation = bytes(contracts.CreatorMetricsManager.contract_type.deployment_bytecode.to_bytes())
    assert len(metrics.code) == manager.size
    assert manager.initialisation.matches(initialisation)
    assert manager.runtime.matches(bytes(metrics.code))
    assert not manager.runtime.matches(initialisation)


def test_a_jump_is_the_way_that_the_source_says(manager: Contract) -> None:
    code = manager.runtime
    (position,) = (
        position
        for position, ways in code.branches.items()
        if ways[0].condition == "metrics.monthlyStreams < MILESTONES[i]"
    )
    stayed, jumped = code.branches[position]
    assert jumped.holds  # `break` jumps out of the loop
    assert not stayed.holds
    assert manager.taken({code.digest: {(position, True)}}) == {jumped}
    assert manager.taken({code.digest: {(position, True), (position, False), (0, True)}}) == {stayed, jumped}


def test_the_list_of_branches_out_of_reach_is_kept_exactly(tmp_path: Path) -> None:
    branch = Branch("modules/a.vy", "_f", 7, 4, 0, "x > 0", holds=False)
    branches = {name: {branch, replace(branch, holds=True)} for name in ("Coin", "Dex")}
    page = tmp_path / "audit.md"
    page.write_text(
        "| contract | branch | why |\n|---|---|---|\n| Coin, Dex | `modules/a.vy _f: x > 0` fails | because |\n"
    )

    assert complaints(branches, {"Coin": {branch}, "Dex": {branch}}, listed(page)) == []
    assert complaints(branches, {"Coin": {branch}, "Dex": set()}, listed(page)) == [
        "Dex: a test takes modules/a.vy _f: x > 0 fails, listed as out of reach"
    ]
    assert complaints(branches, {"Coin": {branch}, "Dex": {branch}}, {("Coin", str(branch))}) == [
        "Dex: no test takes modules/a.vy _f: x > 0 fails"
    ]
    assert complaints(branches, {"Coin": {branch}, "Dex": branches["Dex"]}, listed(page)) == [
        "Dex: nothing of it ran; did its source change meanwhile?"
    ]


def test_attacks_and_searches_are_found_where_they_are() -> None:
    assert "tests/contracts/test_attacks.py::test_permit_replay" in attacks()
    assert "tests/contracts/test_dividends.py::test_reentrancy_in_claim_revenue" in attacks()
    assert "tests/contracts/test_dividends.py::test_c3_revenue_is_shared_in_proportion_to_holdings" not in attacks()
    assert "tests/contracts/test_trading_limits.py::test_what_the_safeguards_leave_of_the_gas_goal" not in attacks()
    rows, invariants = searched()[
        "tests/contracts/test_stateful_coins.py::test_a_balanced_token_stays_solvent_and_within_its_maximum_supply"
    ]
    assert "C6" in rows
    assert {"tokens_are_conserved", "revenue_held_covers_all_that_is_pending"} <= invariants


def test_the_table_has_every_contract_with_its_gas() -> None:
    assert set(SUBJECTS) == {source.stem for source in deployables()}
    assert [contract for contract in SUBJECTS if not typical_call(contract)] == ["ERC1967Proxy"]
