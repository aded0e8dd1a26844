from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2

from encore.db import Database
from encore.db.models.chain import ContractSetting
from encore.db.models.chain_tokens import CreatorRevenue, RevenueDistribution
from encore.db.models.revenue import Revenue
from encore.settings import Settings, local_account_address
from tests.api.conftest import FACTORY
from tests.api.mirrored import TRADER, market_of
from tests.api.paging import walk
from tests.conftest import LocalChain
from tests.factories import ETHER, NOW, address, checkpoint, creator, hash_of, launch, save, token

WALLET, COIN = address(0xC), address(0xC01)
MONTH = datetime.fromtimestamp(NOW, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def revenue(event: int, amount: int, earned_at: datetime) -> Revenue:
    return Revenue(creator_id=1, amount_wei=amount, earned_at=earned_at, source="test", event_key=str(event))


def distribution(block: int, amount: int) -> RevenueDistribution:
    return RevenueDistribution(
        block_number=block,
        log_index=1,
        transaction_hash=hash_of(block),
        timestamp=NOW - 1_000 + block,
        creator=WALLET,
        token=COIN,
        distributor=address(0xD),
        amount=amount,
        holders_share=amount // 4,
        creator_share=amount - amount // 4,
    )


async def test_revenue_adds_up_and_the_next_distribution_is_told(
    client: httpx2.AsyncClient, database: Database
) -> None:
    elapsed = NOW - int(MONTH.timestamp())
    whole = int(((MONTH + timedelta(days=32)).replace(day=1) - MONTH).total_seconds())
    await save(
        database,
        checkpoint(),
        creator(1, wallet=WALLET),
        creator(2),
        token(COIN, creator_wallet=WALLET),
        launch(WALLET, COIN),
        ContractSetting(address=FACTORY, name="holdersShare", value="2500"),
        revenue(1, 10 * ETHER + 1, MONTH - timedelta(days=40)),
        revenue(2, 3 * ETHER, MONTH - timedelta(seconds=1)),
        revenue(3, 7 * ETHER, MONTH),
        distribution(5, 4 * ETHER),
        distribution(6, 5 * ETHER + 3),
        CreatorRevenue(creator=WALLET, amount=42),
    )
    shown = (await client.get("/api/v1/creators/1/revenue")).raise_for_status().json()
    following = shown.pop("next_distribution")
    assert {name: int(shown[name]) for name in shown if name.endswith("_total")} == {
        "earned_total": 20 * ETHER + 1,
        "distributed_total": 9 * ETHER + 3,
        "holders_total": ETHER + (5 * ETHER + 3) // 4,
        "creator_total": 9 * ETHER + 3 - ETHER - (5 * ETHER + 3) // 4,
    }
    assert (shown["withdrawable"], shown["holders_share_bps"]) == ("42", 2_500)
    outstanding = 13 * ETHER + 1 - 9 * ETHER - 3
    forecast = outstanding + 7 * ETHER * whole // elapsed
    assert {name: following[name] for name in following if name != "due_at"} == {
        "outstanding": str(outstanding),
        "earned_this_month": str(7 * ETHER),
        "forecast": str(forecast),
        "forecast_holders": str(forecast // 4),
    }
    assert datetime.fromisoformat(following["due_at"]) == (MONTH + timedelta(days=32)).replace(day=1)

    history = await walk(client, "/api/v1/creators/1/revenue/distributions", limit=1)
    assert [(item["amount"], item["transaction_hash"]) for item in history] == [
        (str(5 * ETHER + 3), hash_of(6)),
        (str(4 * ETHER), hash_of(5)),
    ]
    nobody = (await client.get("/api/v1/creators/2/revenue")).raise_for_status().json()
    assert (nobody["coin"], nobody["earned_total"], nobody["next_distribution"]["forecast"]) == (None, "0", "0")


async def test_a_creator_without_a_coin_has_nobody_to_share_with(
    client: httpx2.AsyncClient, database: Database
) -> None:
    await save(database, checkpoint(), creator(1))
    response = await client.get("/api/v1/creators/1/revenue/preview", params={"amount": "1"})
    assert (response.status_code, response.json()["type"]) == (409, "urn:encore:problem:no-coin")


async def test_each_holder_gets_what_was_previewed_to_the_wei(
    anvil: LocalChain, tmp_path: Path, sqlite_url: str
) -> None:
    settings = Settings(
        data_dir=tmp_path, database_url=sqlite_url, rpc_urls=(anvil.url,), api_cache_megabytes=0, _env_file=None
    )
    async with market_of(settings) as market:
        await save(market.database, creator(1, wallet=local_account_address(2).lower()))
        for trader, value in ((TRADER, 10**18), (6, 3 * 10**17), (8, 10**16)):
            await market.exchange.send("buyTokens", market.coin.address, 0, sender=trader, value=value)
        await market.coin.send("stake", 100 * ETHER + 7, sender=TRADER)
        await market.mirror()
        amount = 10**18 + 1
        shares = await walk(market.client, "/api/v1/creators/1/revenue/preview", limit=2, amount=str(amount))
        assert len(shares) == 3
        await market.coin.send("distribute", sender=7, value=amount)
        await market.chain.wait(10)
        for share in shares:
            assert str(await market.coin.call("pendingRevenue", share["account"])) == share["amount"]
        assert 0 <= amount - sum(int(share["amount"]) for share in shares) < len(shares)
