import httpx2

from encore.db import Database
from tests.api.paging import walk
from tests.factories import activity, address, checkpoint, creator, launch, save, token


async def test_creators_are_listed_once_each_in_every_order(client: httpx2.AsyncClient, database: Database) -> None:
    streams = {number: (number * 5) % 4 * 1_000 for number in range(1, 18)}
    await save(
        database,
        checkpoint(),
        *(creator(number, f"Artist {number % 7}") for number in streams),
        *(activity(number, streams=count) for number, count in streams.items() if count),
    )
    expected = {
        "streams": sorted(streams, key=lambda number: (streams[number], number), reverse=True),
        "created": sorted(streams, reverse=True),
        "name": sorted(streams, key=lambda number: f"artist-{number % 7}-{number}"),
    }
    for sort, order in expected.items():
        for limit in (1, 4, 17, 100):
            items = await walk(client, "/api/v1/creators", sort=sort, limit=limit)
            assert [item["id"] for item in items] == order, sort


async def test_creators_with_and_without_a_coin_can_be_told_apart(
    client: httpx2.AsyncClient, database: Database
) -> None:
    await save(
        database,
        checkpoint(),
        *(creator(number, wallet=address(number)) for number in (1, 2)),
        creator(3),
        token(address(0xC01), creator_wallet=address(2)),
        launch(address(2), address(0xC01)),
    )
    for has_coin, expected in (("true", [2]), ("false", [3, 1])):
        items = (await client.get("/api/v1/creators", params={"has_coin": has_coin, "sort": "created"})).json()["items"]
        assert [item["id"] for item in items] == expected
    one = (await client.get("/api/v1/creators/2")).json()
    assert int(one["coin"], 16) == 0xC01


async def test_creators_are_found_by_name_or_wallet(client: httpx2.AsyncClient, database: Database) -> None:
    await save(
        database,
        checkpoint(),
        creator(1, "Nina Simone", address(0xA)),
        creator(2, "50% Off"),
        creator(3, "O'Connor"),
    )
    for query, expected in [("NINA", [1]), ("%", [2]), ("'", [3]), (address(0xA), [1]), ("\\", [])]:
        items = (await client.get("/api/v1/creators", params={"q": query})).json()["items"]
        assert [item["id"] for item in items] == expected, query


async def test_an_unknown_creator_is_told(client: httpx2.AsyncClient, database: Database) -> None:
    await save(database, checkpoint())
    for path in ("9", "9/metrics", str(2**63 - 1)):
        response = await client.get(f"/api/v1/creators/{path}")
        assert (response.status_code, response.json()["type"]) == (404, "urn:encore:problem:creator-not-found")


async def test_a_wrong_parameter_is_named(client: httpx2.AsyncClient, database: Database) -> None:
    await save(database, checkpoint())
    for field, value in [
        ("limit", "0"),
        ("limit", "101"),
        ("sort", "shoe size"),
        ("has_coin", "perhaps"),
        ("q", "a\0b"),
        ("q", "x" * 101),
        ("cursor", "nonsense"),
    ]:
        response = await client.get("/api/v1/creators", params={field: value})
        assert response.status_code == 422
        assert [error["field"] for error in response.json()["errors"]] == [field]
