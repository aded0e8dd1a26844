"""The alert rules of oracle and indexer against what the processes really serve: each fires when it should.

The rules on rates are tested by Prometheus' own promtool: `make alerts`.
"""

import ast
import math
import operator
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import aiohttp
import pytest
import yaml  # type: ignore[import-untyped]
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import update

from encore import PROJECT_ROOT
from encore.chain.local_node import free_port
from encore.chain.outbox import Spending
from encore.db.models.outbox import OutboxEntry
from encore.monitor import Listener, monitored
from indexer.source import Head, Header
from indexer.telemetry import Telemetry as IndexerTelemetry
from oracle.assembly import observe
from oracle.repository.state import Pause, save_pause, save_synced
from oracle.telemetry import Telemetry
from tests.oracle.conftest import LOCAL, Loop
from tests.oracle.listening import listened

RULES: Final[dict[str, dict[str, Any]]] = {
    rule["alert"]: rule
    for group in yaml.safe_load((PROJECT_ROOT / "deploy" / "prometheus" / "alerts.yml").read_text())["groups"]
    if group["name"] in {"encore-oracle", "encore-indexer"}
    for rule in group["rules"]
}
COIN = 10**18
UNITS: Final = {"m": 60, "h": 3_600}

Samples = dict[str, float]
"""A scrape: the value of each series without labels."""

OPERATORS: Final[dict[type[ast.AST], Callable[[Any, Any], Any]]] = {
    ast.Gt: operator.gt,
    ast.Lt: operator.lt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.Add: operator.add,
    ast.Mult: operator.mul,
}


def evaluate(expression: str, samples: Samples) -> float | None:
    """Evaluate PromQL over series without labels: comparisons filter, as PromQL's do; None is an empty result.

    Of PromQL only what binds as in Python: names, numbers, + and *, one comparison, `and`, `absent()`.
    """

    def value(node: ast.AST) -> float | None:
        match node:
            case ast.Name(id=name):
                return samples.get(name)
            case ast.Constant(value=number):
                return float(str(number))
            case ast.BinOp(left=left, op=op, right=right):
                operands = value(left), value(right)
                return None if None in operands else float(OPERATORS[type(op)](*operands))
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                found, limit = value(left), value(right)
                return found if None not in {found, limit} and OPERATORS[type(op)](found, limit) else None
            case ast.BoolOp(op=ast.And(), values=values):
                results = [value(each) for each in values]
                return None if None in results else results[0]
            case ast.Call(func=ast.Name(id="absent"), args=[argument]):
                return 1.0 if value(argument) is None else None
        raise AssertionError(f"not part of the language: {ast.dump(node)}")

    return value(ast.parse(expression, mode="eval").body)


class Clock:
    """The time of day, moved on by what a test says."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


async def scrape(telemetry: Telemetry | IndexerTelemetry) -> Samples:
    """Read what a process serves over HTTP."""
    listener = Listener("127.0.0.1", free_port(), "A_PORT")
    async with (
        monitored(telemetry.exposition, lambda: None, listener),
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{listener.port}/metrics") as response,
    ):
        text = await response.text()
    families = text_string_to_metric_families(text)
    return {sample.name: sample.value for family in families for sample in family.samples if not sample.labels}


async def firing(telemetry: Telemetry, clock: Clock) -> set[str]:
    """Return the alerts that fire: true now and, looked at again, until the time that they have to be has passed."""
    indexer = IndexerTelemetry()
    indexer.stands_at(10, 1_000)
    result = set()
    for name, rule in RULES.items():
        lasting = rule["for"]
        before, ahead = clock.ahead, timedelta(seconds=int(lasting[:-1]) * UNITS[lasting[-1]])
        held = True
        for moment in (before, before + ahead):
            clock.ahead = moment
            samples = await scrape(telemetry) | await scrape(indexer)
            held &= evaluate(rule["expr"], samples) is not None
        clock.ahead = before
        if held:
            result.add(name)
    return result


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def telemetry(loop: Loop, clock: Clock) -> Telemetry:
    telemetry = Telemetry(clock)
    settings = loop.settings
    telemetry.allows(
        budget=10 * COIN,
        low_balance=settings.oracle_low_balance_wei,
        patience_seconds=settings.oracle_patience_hours * 3_600,
    )
    telemetry.leads()
    return telemetry


async def look(loop: Loop, telemetry: Telemetry, *, spent: int = 0, gas_left: int = 10 * COIN) -> None:
    seen = await observe(loop.oracle, await loop.oracle.gas_prices.outlook())
    telemetry.saw(replace(seen, spending=Spending(spent, 0)) if spent else seen, gas_left)


async def synced(loop: Loop, ago: timedelta) -> None:
    async with loop.database.transaction() as connection:
        await save_synced(connection, LOCAL.chain_id, datetime.now(UTC) - ago)


async def test_nothing_fires_while_all_is_well(loop: Loop, telemetry: Telemetry, clock: Clock) -> None:
    await listened(loop.database, 1, plays=5_000, fans=3, wallet="0x" + "11" * 20)
    await loop.oracle.sync.run(everything=True)
    await loop.settle()
    await look(loop, telemetry)
    assert await firing(telemetry, clock) == set()
    samples = await scrape(telemetry)
    assert samples["encore_oracle_balance_coins"] == pytest.approx(await loop.oracle.balance() / COIN)
    assert samples["encore_oracle_gas_spent_coins"] > 0
    assert samples["encore_oracle_leads"] == samples["encore_oracle_authorised"] == 1
    assert math.isnan(samples["encore_oracle_gas_price_typical_wei"])
    assert 0 <= samples["encore_oracle_lag_seconds"] < 60


async def paused(loop: Loop, _clock: Clock) -> None:
    async with loop.database.transaction() as connection:
        await save_pause(connection, LOCAL.chain_id, Pause(datetime.now(UTC), "by hand"))


async def lagging(loop: Loop, _clock: Clock) -> None:
    await synced(loop, timedelta(hours=8, minutes=1))


async def stuck(loop: Loop, _clock: Clock) -> None:
    await listened(loop.database, 1, plays=5_000, fans=3, wallet="0x" + "11" * 20)
    await loop.oracle.sync.run(everything=True)
    async with loop.database.write() as session:
        await session.execute(update(OutboxEntry).values(created_at=datetime.now(UTC) - timedelta(minutes=31)))


async def failed(loop: Loop, _clock: Clock) -> None:
    await listened(loop.database, 1, plays=5_000, fans=3, wallet="0x" + "00" * 20)  # which the contract refuses
    await loop.oracle.sync.run(everything=True)
    await loop.settle()


async def poor(loop: Loop, _clock: Clock) -> None:
    await loop.economy.chain.rpc.call("anvil_setBalance", loop.oracle.signer.address, hex(COIN // 2))


async def revoked(loop: Loop, _clock: Clock) -> None:
    await loop.metrics_manager.send("setOracle", loop.oracle.signer.address, False)


CASES: Final[list[tuple[str, Callable[[Loop, Clock], Awaitable[None]]]]] = [
    ("EncoreOraclePaused", paused),
    ("EncoreOracleLagging", lagging),
    ("EncoreOracleTransactionStuck", stuck),
    ("EncoreOracleTransactionFailed", failed),
    ("EncoreOracleBalanceLow", poor),
    ("EncoreOracleUnauthorised", revoked),
]


@pytest.mark.parametrize(("alert", "happens"), CASES)
async def test_an_alert_fires_for_what_it_is_for_and_no_other_does(
    loop: Loop, telemetry: Telemetry, clock: Clock, alert: str, happens: Callable[[Loop, Clock], Awaitable[None]]
) -> None:
    await happens(loop, clock)
    await look(loop, telemetry)
    assert await firing(telemetry, clock) == {alert}


async def test_silence_a_halted_chain_and_a_spent_budget_fire(loop: Loop, telemetry: Telemetry, clock: Clock) -> None:
    await look(loop, telemetry, spent=9 * COIN + 1, gas_left=COIN // 2)
    assert "EncoreOracleBudgetSpent" in await firing(telemetry, clock)
    clock.ahead = timedelta(minutes=11)
    assert {"EncoreOracleSilent", "EncoreChainHalted"} <= await firing(telemetry, clock)
    assert "could not be looked at" in (telemetry.unready() or "")


async def test_processes_that_are_not_there_fire_and_one_that_stands_by_is_no_leader(clock: Clock) -> None:
    standing_by = Telemetry(clock)
    assert standing_by.unready() is None
    samples = await scrape(standing_by)
    true = {name for name, rule in RULES.items() if evaluate(rule["expr"], samples) is not None}
    assert true == {"EncoreOracleAbsent", "EncoreIndexerAbsent"}


async def test_a_mirror_that_is_behind_fires() -> None:
    indexer = IndexerTelemetry()
    indexer.stands_at(100, 1_000)
    for newest, is_true in ((1_300, False), (1_301, True)):
        indexer.saw_head(Head(Header(120, "0x" + "ab" * 32, "0x" + "cd" * 32, newest, bloom=0), finalized=3))
        samples = await scrape(indexer)
        assert (evaluate(RULES["EncoreIndexerLagging"]["expr"], samples) is not None) is is_true


def test_every_rule_of_oracle_and_indexer_is_tested_here() -> None:
    tested_elsewhere = {"Absent", "Silent", "ChainHalted", "BudgetSpent", "IndexerLagging"}
    for name in RULES:
        assert name in dict(CASES) or any(name.endswith(each) for each in tested_elsewhere)
