"""How many SQL statements a request takes, however long the page, and that none reads a table from end to end."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from encore.db import Database
from encore.db.drivers import PostgresqlDriver, SqliteDriver
from encore.db.models.chain import ContractSetting
from tests.api.accounts.signing import Signer, bearer
from tests.api.conftest import EXCHANGE, FACTORY, GOVERNOR, SPARK
from tests.factories import (
    INITIAL_SUPPLY,
    NOW,
    activity,
    address,
    balance,
    balanced,
    candle,
    checkpoint,
    creator,
    launch,
    liquidity,
    metrics,
    milestone,
    opening,
    pool,
    pool_guard,
    proposal,
    quorum,
    requirements,
    safeguards,
    save,
    stake,
    supply,
    token,
    trade,
    vote,
)

COIN = address(1)
WALLET = address(0xA)
COINS = 40
STATEMENTS = {
    "/api/v1/coins?sort=market_cap&limit=40": 3,
    "/api/v1/coins?sort=volume&limit=40": 2,
    "/api/v1/coins?sort=created&limit=40": 2,
    f"/api/v1/coins/{COIN}": 2,
    f"/api/v1/coins/{COIN}/holders": 3,
    f"/api/v1/coins/{COIN}/trades": 3,
    f"/api/v1/coins/{COIN}/trades?trader={WALLET}": 3,
    f"/api/v1/coins/{COIN}/candles": 3,
    f"/api/v1/coins/{COIN}/quote?side=buy&amount=1000000": 3,
    f"/api/v1/coins/{COIN}/quote?side=buy&amount=1000000&wallet={WALLET}": 4,
    f"/api/v1/coins/{COIN}/limits?wallet={WALLET}": 4,
    "/api/v1/creators?sort=streams&limit=40": 2,
    "/api/v1/creators?sort=name&limit=40": 2,
    "/api/v1/creators?sort=created&limit=40": 2,
    "/api/v1/creators/1": 2,
    "/api/v1/creators/1/metrics": 8,
    "/api/v1/creators/1/allocation": 3,
    "/api/v1/creators/1/revenue": 5,
    "/api/v1/creators/1/revenue/distributions": 3,
    "/api/v1/creators/1/revenue/preview?amount=1000000": 5,
    "/api/v1/market": 2,
    "/api/v1/network": 1,
    "/api/v1/coins?q=c&limit=40": 3,
    f"/api/v1/wallets/{WALLET}/portfolio": 7,
    f"/api/v1/wallets/{WALLET}/holdings": 2,
    f"/api/v1/wallets/{WALLET}/stakes": 2,
    f"/api/v1/wallets/{WALLET}/liquidity": 2,
    f"/api/v1/wallets/{WALLET}/revenue": 2,
    f"/api/v1/wallets/{WALLET}/profits": 3,
    f"/api/v1/wallets/{WALLET}/history?limit=5": 2,
    f"/api/v1/wallets/{WALLET}/history?kind=buy&coin={COIN}": 2,
    f"/api/v1/wallets/{WALLET}/recommendations": 8,
    f"/api/v1/wallets/{address(0x1001)}/recommendations": 7,
    "/api/v1/governance/proposals?limit=5": 2,
    "/api/v1/governance/proposals?state=pending&state=executed": 2,
    f"/api/v1/governance/proposals?proposer={WALLET}": 2,
    "/api/v1/governance/proposals/1": 2,
    "/api/v1/governance/proposals/1/votes": 3,
    f"/api/v1/governance/voters/{WALLET}": 2,
}
"""The first is always the checkpoint. The first list of coins and the first recommendations ask for what all
of the block's share, too."""
PERSONAL = {
    "/api/v1/me": 3,
    "/api/v1/me/sessions": 2,
    "/api/v1/webhooks": 2,
    "/api/v1/webhooks/1": 2,
    "/api/v1/webhooks/1/deliveries": 3,
}
"""The first is always the session."""
MAY_BE_SCANNED = {
    "/api/v1/coins?sort=market_cap&limit=40": {"tokens"},
    "/api/v1/coins?q=c&limit=40": {"tokens"},
    "/api/v1/creators?sort=streams&limit=40": {"creators"},
    "/api/v1/creators?sort=created&limit=40": {"creators"},
    "/api/v1/creators/1/metrics": {"launch_requirements"},
    "/api/v1/market": {"tokens", "pools"},
}
"""Rankings of everything, SQLite's word for reading in the key's own order, and the table that has one row."""


@pytest.fixture
async def filled(database: Database) -> Database:
    """A database with many of everything."""
    coins = [address(number) for number in range(1, COINS + 1)]
    wallets = [address(0x1000 + number) for number in range(1, COINS + 1)]
    await save(
        database,
        checkpoint(),
        requirements(),
        *(creator(number, wallet=wallet) for number, wallet in enumerate(wallets, 1)),
        *(activity(number, streams=number) for number in range(1, COINS + 1)),
        *(metrics(wallet) for wallet in wallets),
        *(milestone(wallet, 1_000) for wallet in wallets),
        *(token(coin, creator_wallet=wallet) for coin, wallet in zip(coins, wallets, strict=True)),
        *(launch(wallet, coin) for coin, wallet in zip(coins, wallets, strict=True)),
        *(pool(coin) for coin in coins),
        *(pool_guard(coin) for coin in coins),
        *safeguards(EXCHANGE),
        ContractSetting(address=FACTORY, name="minimumSeed", value="1"),
        *(opening(coin, block=number) for number, coin in enumerate(coins)),
        *(
            trade(coin, block=block, log_index=index, timestamp=NOW - block, trader=WALLET)
            for block in range(5)
            for index, coin in enumerate(coins)
        ),
        *(balance(coin, WALLET, INITIAL_SUPPLY) for coin in coins),
        *(balance(COIN, wallet, 1) for wallet in wallets),
        *(stake(coin, WALLET, 5) for coin in coins),
        *(liquidity(coin, WALLET, 5) for coin in coins),
        *(balanced(coin, exchange=EXCHANGE) for coin in coins),
        *(proposal(GOVERNOR, number, proposer=WALLET, block=number) for number in range(1, COINS + 1)),
        *(vote(GOVERNOR, 1, wallet, block=block) for block, wallet in enumerate(wallets)),
        *(supply(SPARK, block, block=block, timestamp=block) for block in range(COINS)),
        *(quorum(GOVERNOR, 4, block=block, since=block) for block in range(COINS)),
        *(
            candle(COIN, interval_seconds=3_600, opened_at=NOW - NOW % 3_600 - hours * 3_600, prices=(1, 1, 1, 1))
            for hours in range(30)
        ),
    )
    return database


@contextmanager
def recorded(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """Collect the SELECTs of the application, with their parameters."""
    statements: list[tuple[str, Any]] = []
    driver = SqliteDriver if database.is_sqlite else PostgresqlDriver
    fetch = driver.fetch

    async def record(self: Any, sql: str, arguments: Any) -> Any:
        if sql.startswith("SELECT") and " feed" not in sql:
            statements.append((sql, tuple(arguments)))
        return await fetch(self, sql, arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(driver, "fetch", record)
        yield statements


async def test_every_request_takes_few_statements_however_many_rows_and_no_scan(
    app: FastAPI, client: httpx2.AsyncClient, filled: Database
) -> None:
    app.state.resources.follower.close()  # it asks the same of the database all the time
    for path, expected in STATEMENTS.items():
        answer = await counted(client, filled, path, expected)
        assert {"etag", "cache-control", "x-indexed-block", "x-indexed-block-hash"} <= set(answer.headers), path
    assert lists_of(app, scoped=False) <= {path.partition("?")[0] for path in STATEMENTS}


async def test_what_is_of_one_account_takes_few_statements_too(
    app: FastAPI, client: httpx2.AsyncClient, filled: Database
) -> None:
    app.state.resources.follower.close()
    client.headers |= bearer(await Signer(5).sign_in(client))
    hook = {"url": "https://receiver.example/hook", "events": ["Transfer"]}
    (await client.post("/api/v1/webhooks", json=hook)).raise_for_status()
    for path, expected in PERSONAL.items():
        await counted(client, filled, path, expected)
    assert lists_of(app, scoped=True) <= PERSONAL.keys()


def lists_of(app: FastAPI, *, scoped: bool) -> set[str]:
    """Return the paths of the lists that OpenAPI tells of: of those that need a session, or of the others."""
    known = {"address": COIN, "creator_id": 1, "proposal_id": 1, "webhook_id": 1}
    return {
        path.replace("/wallets/{address}", f"/wallets/{WALLET}").format(**known)
        for path, operations in app.openapi()["paths"].items()
        if "cursor" in {parameter["name"] for parameter in operations.get("get", {}).get("parameters", [])}
        and bool(operations["get"].get("security")) is scoped
    }


async def counted(client: httpx2.AsyncClient, database: Database, path: str, expected: int) -> httpx2.Response:
    """Ask for `path` with `expected` statements, none of which reads a table from end to end that must not be."""
    with recorded(database) as statements:
        answer = (await client.get(path)).raise_for_status()
    assert len(statements) == expected, (path, statements)
    scanned = {table for statement in statements for table in await scans(database, *statement)}
    assert scanned <= MAY_BE_SCANNED.get(path, set()), path
    return answer


async def scans(database: Database, statement: str, parameters: Any) -> set[str]:
    """Return the tables that the database's plan reads from end to end."""
    async with database.engine.connect() as connection:
        if database.is_sqlite:
            plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            details = [row.detail for row in plan]
            return {
                detail.split()[1]
                for detail in details
                if detail.startswith("SCAN") and " USING " not in detail and detail.split()[1] in TABLES
            }
        await connection.execute(text("ANALYZE"))
        await connection.execute(text("SET enable_seqscan = off"))  # so that only a missing index is left to scan for
        plan = await connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
        return {
            words[words.index("on") + 1]
            for (line,) in plan
            if "Seq Scan on" in line and (words := line.split()) and "anon" not in line
        }


TABLES = {
    *("tokens", "pools", "trades", "balances", "stakes", "candles", "creators", "launches", "activity_metrics"),
    *("creator_metrics", "milestones", "launch_requirements", "liquidity_changes", "liquidity_positions"),
    *("revenues", "revenue_distributions", "creator_revenue"),
    *("transfers", "stake_changes", "revenue_claims", "balanced_tokens"),
    *("revenue_positions", "proposals", "proposal_votes", "quorum_checkpoints", "supply_checkpoints"),
    *("accounts", "account_wallets", "login_sessions", "webhooks", "webhook_deliveries"),
    *("timelock_operations", "voting_power", "delegations", "spark_stakes"),
    *("contract_settings", "roles", "pool_guards", "trading_flows", "trading_cooldowns", "trading_exemptions"),
}
