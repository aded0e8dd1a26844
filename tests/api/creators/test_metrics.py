from typing import Any

import httpx2

from encore.db import Database
from tests.factories import (
    ETHER,
    NOW,
    activity,
    address,
    checkpoint,
    creator,
    launch,
    metrics,
    milestone,
    requirements,
    save,
)

WALLET = address(0xA)


async def get(client: httpx2.AsyncClient) -> dict[str, Any]:
    body: dict[str, Any] = (await client.get("/api/v1/creators/1/metrics")).raise_for_status().json()
    return body


async def test_off_chain_stands_beside_on_chain(client: httpx2.AsyncClient, database: Database) -> None:
    await save(
        database,
        checkpoint(),
        creator(1, wallet=WALLET),
        activity(1, streams=61_000, followers=400, revenue=2 * ETHER, score=7_000),
        metrics(WALLET, streams=60_000, followers=400, revenue=2 * ETHER, score=7_000),
        milestone(WALLET, 50_000),
        milestone(WALLET, 1_000),
    )
    body = await get(client)
    assert (body["off_chain"]["monthly_streams"], body["on_chain"]["monthly_streams"]) == (61_000, 60_000)
    assert body["on_chain"]["monthly_revenue"] == body["off_chain"]["monthly_revenue"] == str(2 * ETHER)
    assert body["in_sync"] is False
    assert [each["threshold"] for each in body["milestones"]] == [1_000, 50_000]


async def test_both_sides_are_in_sync_when_all_four_figures_are_equal(
    client: httpx2.AsyncClient, database: Database
) -> None:
    figures = {"streams": 9, "followers": 8, "revenue": 7, "score": 6}
    await save(database, checkpoint(), creator(1, wallet=WALLET), activity(1, **figures), metrics(WALLET, **figures))
    assert (await get(client))["in_sync"] is True


async def test_readiness_tells_how_far_each_requirement_is(client: httpx2.AsyncClient, database: Database) -> None:
    await save(
        database,
        checkpoint(),
        creator(1, wallet=WALLET),
        requirements(streams=50_000, followers=5_000, maximum_age_seconds=3_600),
        metrics(WALLET, streams=49_999, followers=6_000, observed_at=NOW - 3_601),
    )
    launch_state = (await get(client))["launch"]
    assert launch_state["status"] == "not_ready"
    assert launch_state["requirements"] == [
        {"name": "monthly_streams", "have": 49_999, "need": 50_000, "fraction": 0.9999, "met": False},
        {"name": "followers", "have": 6_000, "need": 5_000, "fraction": 1, "met": True},
        {"name": "metrics_age_seconds", "have": 3_601, "need": 3_600, "fraction": 0, "met": False},
    ]
    assert launch_state["fraction"] == 0.6666
    assert launch_state["missing"] == [
        "1 more monthly streams on chain",
        "a fresh report of the oracle: the last is 3601 s old, 3600 s at most",
    ]


async def test_a_creator_who_meets_all_is_ready_and_then_launched(
    client: httpx2.AsyncClient, database: Database
) -> None:
    await save(
        database,
        checkpoint(),
        creator(1, wallet=WALLET),
        requirements(maximum_age_seconds=3_600),
        metrics(WALLET, streams=50_000, followers=5_000, observed_at=NOW - 3_600),
    )
    ready = (await get(client))["launch"]
    assert (ready["status"], ready["fraction"], ready["missing"], ready["coin"]) == ("ready", 1, [], None)
    await save(database, launch(WALLET, address(0xC01)))
    launched = (await get(client))["launch"]
    assert (launched["status"], int(launched["coin"], 16), launched["missing"]) == ("launched", 0xC01, [])


async def test_what_is_not_known_yet_is_said(client: httpx2.AsyncClient, database: Database) -> None:
    await save(database, checkpoint(), creator(1), creator(2, wallet=WALLET))
    body = await get(client)
    assert (body["off_chain"], body["on_chain"], body["milestones"]) == (None, None, [])
    assert body["launch"]["missing"] == ["a wallet: the chain does not know this creator yet"]
    other = (await client.get("/api/v1/creators/2/metrics")).json()["launch"]
    assert other["missing"] == ["the launch requirements: the metrics contract is not indexed yet"]
    await save(database, requirements())
    other = (await client.get("/api/v1/creators/2/metrics")).json()["launch"]
    assert other["missing"] == ["a first report of the oracle: the chain knows no metrics of this creator yet"]
    assert other["fraction"] == 0
