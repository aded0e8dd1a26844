"""Every contract of the platform on a real chain: what the mirror says of it is what its views say."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from eth_utils.crypto import keccak
from sqlalchemy import Table, select, update

from encore.chain.deployments import load_abi
from encore.chain.networks import network_named
from encore.chain.rpc import RpcClient
from encore.db import Database
from encore.db.models import chain_tokens
from encore.db.models.base import Base
from encore.db.models.chain import ContractSetting, Role, Token
from encore.db.models.chain_exchange import PoolGuard, TradingCooldown, TradingExemption
from encore.db.models.chain_governance import Proposal, TimelockOperation
from encore.db.models.chain_market import Auction, Listing, MarketplaceCredit, Offer
from encore.db.models.chain_nft import AccessGrant, AccessRule, Drop, DropProceeds, Nft
from encore.settings import load_settings, local_account_address
from indexer.mirror import Mirror
from indexer.registry import Registry, all_contracts
from indexer.runner import Indexer
from indexer.source import Source
from indexer.verify import verify_mirror
from tests.conftest import LocalChain
from tests.contracts_on_anvil import HOUR, ZERO_ADDRESS, Chain, Contract, Economy

ETHER = 10**18
FAR = 2**40
OWNER, CREATOR, HOLDER, BUYER = 0, 2, 3, 4
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def account(index: int) -> str:
    return local_account_address(index)


class Platform:
    """All contracts, and what people do with them."""

    def __init__(self, economy: Economy) -> None:
        self.economy = economy
        self.chain = economy.chain
        self.contracts = economy.contracts

    def __getitem__(self, name: str) -> Contract:
        return self.contracts[name]

    async def trade_coins(self) -> None:
        exchange, factory, metrics = (
            self[name] for name in ("IntegratedCreatorDEX", "CreatorTokenFactory", "CreatorMetricsManager")
        )
        launched = await self.economy.launch(CREATOR, seed=300 * ETHER)
        coin = Contract(self.chain, "BalancedCreatorToken", launched.address)
        await metrics.send("updateCreatorMetrics", account(CREATOR), 70_000, 6_000, 9 * ETHER, 5_000, sender=1)
        await exchange.send("buyTokens", coin.address, 1, sender=HOLDER, value=7 * ETHER)  # large: 2 % of the reserve
        await coin.send("delegate", account(BUYER), sender=HOLDER)
        await coin.send("approve", account(BUYER), 5 * ETHER, sender=HOLDER)
        await coin.send("stake", 1_000 * ETHER, sender=HOLDER)
        await factory.send("distributeRevenue", account(CREATOR), value=10 * ETHER)
        await coin.send("transfer", account(BUYER), 77 * ETHER, sender=HOLDER)
        await factory.send("distributeRevenue", account(CREATOR), value=3 * ETHER + 1)
        await self.chain.wait(1)  # a distribution is shared when its second is over
        await coin.send("claimRevenue", sender=HOLDER)
        await self.chain.wait(40 * 86_400)
        await coin.send("claimVestedTokens", sender=CREATOR)
        await metrics.send("updateCreatorMetrics", account(CREATOR), 99_000, 6_000, 9 * ETHER, 5_000, sender=1)
        await coin.send("release")
        await factory.send("distributeRevenue", account(CREATOR), value=2 * ETHER)  # and nobody moves coins afterwards
        await exchange.send("pausePool", coin.address)
        until = await self.chain.now() + 9_999
        await exchange.send("grantExemption", account(HOLDER), coin.address, until)

    async def stake_spark(self) -> None:
        spark = self["SparkToken"]
        await spark.send("delegate", account(OWNER))
        for receiver in (HOLDER, BUYER):
            await spark.send("transfer", account(receiver), 10**6 * ETHER)
            await spark.send("stake", 1_234 * ETHER + receiver, sender=receiver)
        await spark.send("fundRewards", 5_000 * ETHER)
        await self.chain.wait(1_000)
        await spark.send("unstake", 999 * ETHER, sender=HOLDER)
        await self.chain.wait(1_000)
        await spark.send("claimRewards", sender=HOLDER)
        await spark.send("setRewardRate", ETHER // 7)
        await spark.send("pause")
        await spark.send("unpause")

    async def sell_music(self) -> None:
        music, market = self["MusicNFT"], self["SparkMarketplace"]
        await music.send("createDrop", "Song", "bafysong", 500, 10, False, ZERO_ADDRESS, ETHER, sender=CREATOR)
        for _ in range(4):
            await music.send("buyEdition", 1, ZERO_ADDRESS, ETHER, sender=HOLDER, value=ETHER)
        await music.send("setApprovalForAll", market.address, True, sender=HOLDER)
        now = await self.chain.now()
        token = 1 << 128
        for number in (1, 2):
            terms = (music.address, token + number, ZERO_ADDRESS, 2 * ETHER)
            await market.send("createListing", *terms, now + 9_999, sender=HOLDER)
        await market.send("buy", music.address, token + 1, ZERO_ADDRESS, 2 * ETHER, sender=BUYER, value=2 * ETHER)
        await self["SparkToken"].send("approve", market.address, 2**256 - 1, sender=BUYER)
        for number in (2, 3):
            terms = (music.address, token + number, self["SparkToken"].address, 50 * ETHER)
            await market.send("makeOffer", *terms, now + 9_999, sender=BUYER)
        await market.send(
            *("acceptOffer", music.address, token + 2, account(BUYER), self["SparkToken"].address, 50 * ETHER),
            sender=HOLDER,
        )
        await market.send("createListing", music.address, token + 3, ZERO_ADDRESS, ETHER, now + 9_999, sender=HOLDER)
        await market.send("createAuction", music.address, token + 4, ZERO_ADDRESS, ETHER, HOUR, sender=HOLDER)
        for bidder, bid in ((BUYER, ETHER), (CREATOR, 2 * ETHER)):
            await market.send("bid", music.address, token + 4, ZERO_ADDRESS, bid, sender=bidder, value=bid)
        access = self["ContentAccess"]
        await access.send("setContentAccess", "bafysong", account(CREATOR), 10 * ETHER, sender=CREATOR)
        await access.send("setNftGate", "bafysong", music.address, 1, sender=CREATOR)
        await access.send("grantAccess", account(BUYER), "bafysong", FAR)
        await self["SparkNFT"].send("mint", account(HOLDER))

    async def govern(self) -> None:
        timelock, governor = self["CreatorTimelock"], self["CreatorGovernor"]
        call = timelock.encode("updateDelay", 2 * HOUR)
        description = "Wait two hours"
        await self.chain.wait(10)
        await governor.send("propose", [timelock.address], [0], [call], description)
        calls = ([timelock.address], [0], [call], keccak(text=description))
        proposal = await governor.call("hashProposal", *calls)
        await self.chain.wait(120)
        await governor.send("castVoteWithReason", proposal, 1, "yes")
        await self.chain.wait(HOUR + 100)
        await governor.send("queue", *calls)
        await self.chain.wait(HOUR + 100)
        await governor.send("execute", *calls)


@pytest.fixture
async def platform(anvil: LocalChain) -> AsyncIterator[Platform]:
    async with RpcClient([anvil.url]) as rpc:
        platform = Platform(await Chain(rpc).deploy_everything())
        await platform.trade_coins()
        await platform.stake_spark()
        await platform.sell_music()
        await platform.govern()
        yield platform


FLIPPED: list[tuple[type[Base], str]] = [
    (chain_tokens.Allowance, "amount"),
    (chain_tokens.VotingPower, "votes"),
    (chain_tokens.BalancedToken, "cumulative_revenue"),
    (chain_tokens.BalancedToken, "revenue_remainder"),
    (chain_tokens.BalancedToken, "undivided_revenue"),
    (chain_tokens.BalancedToken, "undivided_since"),
    (chain_tokens.BalancedToken, "released_supply"),
    (chain_tokens.BalancedToken, "vested_tokens_claimed"),
    (chain_tokens.CreatorRevenue, "amount"),
    (chain_tokens.SparkToken, "total_supply"),
    (chain_tokens.SparkToken, "reward_reserve"),
    (chain_tokens.SparkStake, "amount"),
    (PoolGuard, "breaker_until"),
    (TradingCooldown, "until"),
    (TradingExemption, "until"),
    (Drop, "minted"),
    (DropProceeds, "amount"),
    (AccessRule, "minimum_coin_holding"),
    (AccessGrant, "expires_at"),
    (Listing, "price"),
    (Offer, "amount"),
    (Auction, "amount"),
    (MarketplaceCredit, "amount"),
    (Proposal, "votes_for"),
]


@ON_SQLITE
async def test_verify_proves_every_contracts_mirror_and_finds_every_flipped_figure(
    database: Database, platform: Platform, tmp_path: Path
) -> None:
    rpc = platform.chain.rpc
    registry = Registry(all_contracts(), load_abi)
    network = network_named("local")
    indexer = Indexer(Source(rpc, network, registry.topics), Mirror(database, registry, network.chain_id), registry)
    await indexer.open(await platform.economy.register(load_settings(data_dir=str(tmp_path))))
    await indexer.catch_up()

    report = await verify_mirror(database, rpc)
    assert report.differences == []
    for model, column in FLIPPED:
        table = model.__table__
        assert isinstance(table, Table)
        async with database.read() as session:
            rows = await session.all(select(table))
        assert rows, f"{table.name} is not tested"
        keys = [key.name for key in table.primary_key.columns]
        row = update(table).where(*(table.c[key] == getattr(rows[0], key) for key in keys))
        before = getattr(rows[0], column)
        async with database.transaction() as connection:
            await connection.execute(row.values({column: before - 1 if before else 1}))
        assert (await verify_mirror(database, rpc)).differences, f"{table.name}.{column}"
        async with database.transaction() as connection:
            await connection.execute(row.values({column: before}))
    async with database.transaction() as connection:
        await connection.execute(update(Nft).values(owner=ZERO_ADDRESS))
        await connection.execute(update(Role).values(is_granted=False))
        settings = ContractSetting.name.in_(["getMinDelay", "safeguards.breakerBps"])
        await connection.execute(update(ContractSetting).where(settings).values(value="1"))
        await connection.execute(update(TimelockOperation).values(status="cancelled"))
    found = {row.what.split(" ")[1].partition("(")[0] for row in (await verify_mirror(database, rpc)).differences}
    assert {"ownerOf", "hasRole", "isOracle", "getMinDelay", "safeguards", "getTimestamp"} <= found
    await assert_that_nonsense_is_a_difference(database, rpc)


async def assert_that_nonsense_is_a_difference(database: Database, rpc: RpcClient) -> None:
    """Texts are compared too, and what no contract could return or be asked for is told, not stumbled over."""
    async with database.transaction() as connection:
        recipient = ContractSetting.name.in_(["feeRecipient", "implementation", "royalty.bps"])
        await connection.execute(update(ContractSetting).where(recipient).values(value="nobody"))
        await connection.execute(update(ContractSetting).where(ContractSetting.name == "baseUri").values(value="?"))
        await connection.execute(update(Token).values(name="Another", symbol="X", description="?", image_url="?"))
        await connection.execute(update(Drop).values(title="Another", audio_piece_cid="?"))
        await connection.execute(update(AccessGrant).values(user="nobody"))
    differences = (await verify_mirror(database, rpc)).differences
    mirrored = {(row.what.split(" ")[1].partition("(")[0], row.mirrored) for row in differences}
    assert {
        ("feeRecipient", "nobody"),
        ("name", "Another"),
        ("symbol", "X"),
        ("creatorInfo", "?"),
        ("drop", "Another"),
        ("drop", "?"),
    } <= mirrored
    assert any(row.on_chain == "Song" for row in differences)
    assert any("nobody" in row.what and row.on_chain is None for row in differences)
