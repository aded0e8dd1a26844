"""Events come in the order that docs/contracts/events.md tells indexers: each call of its table is made here."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pytest
from eth_utils.crypto import keccak

from tests.contracts.balanced import report_streams
from tests.contracts.conftest import COIN, FOREVER, MINIMUM_SEED, YEAR, ZERO_ADDRESS, Actors
from tests.contracts.governance import DAY, FOR, Governance, deploy_governance
from tests.contracts.voting import delegate, pass_time

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| (?P<call>`\w+`|the proxy's construction) \| (?P<events>.*) \|$", re.MULTILINE)
TOKEN = re.compile(r"`(?P<event>\w+)`(?P<several> …)?|(?P<opens>\[)|(?P<closes>\])")
TEXTS = ("A Name", "NAME", "About it", "https://img.example/1")
OTHER_TEXTS = ("Another", "NAME", "About it", "https://img.example/1")
PRICE = COIN
MONTH = 31 * DAY
TRIPPED_BY_LITTLE = (10_000, 10_000, 10, 0, 10_000, 5_000, 500, 300)


def documented() -> dict[str, str]:
    """Return for each call of the page's table the order of its events as a regular expression over their names."""
    page = (ROOT / "docs" / "contracts" / "events.md").read_text()
    table = page[page.index("## Order within a transaction") : page.index("What has no event")]
    return {row["call"].strip("`"): pattern(re.sub(r"\([^)]*\)", "", row["events"])) for row in ROW.finditer(table)}


def pattern(events: str) -> str:
    parts = []
    for token in TOKEN.finditer(events):
        if token["event"]:
            parts.append(f"(?:{token['event']} ){'+' if token['several'] else ''}")
        else:
            parts.append("(?:" if token["opens"] else ")?")
    return "".join(parts)


@dataclass(frozen=True)
class System:
    """The contracts, and who acts on them."""

    contracts: Any
    chain: Any
    actors: Actors
    factory: Any
    metrics: Any
    pool: Any
    funded_token: Any
    music_nft: Any
    spark_nft: Any
    marketplace: Any
    spark: Any
    governance: Governance

    def launched(self) -> Any:
        """Launch the creator's coin and let the trader buy some; return the coin."""
        report_streams(self.metrics, self.actors, 60_000)
        self.metrics.updateCreatorMetrics(self.actors.creator, 60_000, 6_000, COIN, 0, sender=self.actors.oracle)
        self.factory.launchCreatorCoin(self.actors.creator, *TEXTS, value=MINIMUM_SEED, sender=self.actors.creator)
        coin = self.contracts.BalancedCreatorToken.at(self.factory.coinOf(self.actors.creator))
        self.pool.buyTokens(coin, 0, value=COIN // 50, sender=self.actors.trader)
        return coin

    def minted(self) -> int:
        """Mint a collectable to the creator, who lets the marketplace move it; return its ID."""
        self.spark_nft.mint(self.actors.creator, sender=self.actors.owner)
        self.spark_nft.setApprovalForAll(self.marketplace, True, sender=self.actors.creator)
        self.spark.approve(self.marketplace, PRICE, sender=self.actors.trader)
        return int(self.spark_nft.totalSupply())

    def now(self) -> int:
        return int(self.chain.pending_timestamp)


@pytest.fixture(scope="session")
def system(request: pytest.FixtureRequest) -> System:
    """All of it, SPARK's governance included."""
    parts = {field.name: request.getfixturevalue(field.name) for field in fields(System) if field.name != "governance"}
    return System(**parts, governance=deploy_governance(parts["contracts"], parts["actors"]))


def create_creator_token(system: System) -> Iterator[Any]:
    creator = system.actors.creator
    arguments = (*OTHER_TEXTS, COIN, creator, system.actors.fee_recipient)
    yield system.factory.createCreatorToken(*arguments, sender=creator)


def launch_creator_coin(system: System) -> Iterator[Any]:
    report_streams(system.metrics, system.actors, 60_000)
    creator = system.actors.creator
    yield system.factory.launchCreatorCoin(creator, *TEXTS, value=MINIMUM_SEED, sender=creator)


def distribute_revenue(system: System) -> Iterator[Any]:
    system.launched()
    creator, owner = system.actors.creator, system.actors.owner
    yield system.factory.distributeRevenue(creator, value=COIN, sender=owner)
    yield system.factory.distributeRevenue(creator, value=COIN, sender=owner)  # a second later
    system.factory.setHoldersShare(0, sender=owner)
    yield system.factory.distributeRevenue(creator, value=COIN, sender=owner)


def buy_tokens(system: System) -> Iterator[Any]:
    trader = system.actors.trader
    yield system.pool.buyTokens(system.funded_token, 0, value=COIN // 100, sender=trader)
    system.pool.setSafeguards(TRIPPED_BY_LITTLE, sender=system.actors.owner)
    yield system.pool.buyTokens(system.funded_token, 0, value=COIN, sender=trader)


def sell_tokens(system: System) -> Iterator[Any]:
    trader = system.actors.trader
    yield system.pool.sellTokens(system.funded_token, 100 * COIN, 0, sender=trader)
    system.pool.setSafeguards(TRIPPED_BY_LITTLE, sender=system.actors.owner)
    system.funded_token.approve(system.pool, 10_000 * COIN, sender=trader)
    yield system.pool.sellTokens(system.funded_token, 10_000 * COIN, 0, sender=trader)


def add_liquidity(system: System) -> Iterator[Any]:
    provider = system.actors.provider
    for allowance in (FOREVER, 20_000 * COIN):
        system.funded_token.approve(system.pool, allowance, sender=provider)
        yield system.pool.addLiquidity(system.funded_token, 20_000 * COIN, 0, FOREVER, value=COIN, sender=provider)


def remove_liquidity(system: System) -> Iterator[Any]:
    yield system.pool.removeLiquidity(system.funded_token, COIN, 0, 0, FOREVER, sender=system.actors.creator)


def transfer_from(system: System) -> Iterator[Any]:
    trader, provider, staker = system.actors.trader, system.actors.provider, system.actors.staker
    system.funded_token.approve(staker, FOREVER, sender=trader)
    yield system.funded_token.transferFrom(trader, provider, COIN, sender=staker)
    for holder in (trader, provider):
        delegate(system.funded_token, holder, sender=holder)
    system.funded_token.approve(staker, COIN, sender=trader)
    yield system.funded_token.transferFrom(trader, provider, COIN, sender=staker)


def delegate_votes(system: System) -> Iterator[Any]:
    for delegatee in (system.actors.trader, system.actors.provider):
        yield delegate(system.funded_token, delegatee, sender=system.actors.trader)


def stake(system: System) -> Iterator[Any]:
    for token in (system.funded_token, system.spark):
        yield token.stake(1_000 * COIN, sender=system.actors.staker)


def claim_rewards(system: System) -> Iterator[Any]:
    staker = system.actors.staker
    system.spark.fundRewards(100_000 * COIN, sender=system.actors.owner)
    for token in (system.funded_token, system.spark):
        token.stake(1_000 * COIN, sender=staker)
        pass_time(system.chain, DAY)
        yield token.claimRewards(sender=staker)
        delegate(token, staker, sender=staker)
        pass_time(system.chain, DAY // 24)
        yield token.claimRewards(sender=staker)


def unstake(system: System) -> Iterator[Any]:
    staker = system.actors.staker
    for token in (system.funded_token, system.spark):
        token.stake(1_000 * COIN, sender=staker)
        delegate(token, staker, sender=staker)
    pass_time(system.chain, YEAR)
    yield system.funded_token.unstake(sender=staker)
    yield system.spark.unstake(1_000 * COIN, sender=staker)


def fund_rewards(system: System) -> Iterator[Any]:
    owner = system.actors.owner
    yield system.spark.fundRewards(COIN, sender=owner)
    delegate(system.spark, owner, sender=owner)
    yield system.spark.fundRewards(COIN, sender=owner)


def release(system: System) -> Iterator[Any]:
    coin, creator = system.launched(), system.actors.creator
    for streams in (100_000, 200_000):
        pass_time(system.chain, MONTH)
        report_streams(system.metrics, system.actors, streams)
        yield coin.release(sender=system.actors.stranger)
        delegate(coin, creator, sender=creator)


def claim_vested_tokens(system: System) -> Iterator[Any]:
    coin, creator = system.launched(), system.actors.creator
    for _ in range(2):
        pass_time(system.chain, MONTH)
        yield coin.claimVestedTokens(sender=creator)
        delegate(coin, creator, sender=creator)


def update_creator_metrics(system: System) -> Iterator[Any]:
    oracles = (system.actors.oracle, system.actors.staker, system.actors.trader)
    figures = (system.actors.creator, 60_000, 6_000, 0, 0)
    yield system.metrics.updateCreatorMetrics(*figures, sender=oracles[0])
    for oracle in oracles:
        system.metrics.setOracle(oracle, True, sender=system.actors.owner)
    system.metrics.setQuorum(3, sender=system.actors.owner)
    now = pass_time(system.chain, DAY)
    for oracle in oracles:
        yield system.metrics.updateCreatorMetrics(figures[0], 200_000, *figures[2:], now, sender=oracle)


def construct_proxy(system: System) -> Iterator[Any]:
    owner = system.actors.owner
    implementation = owner.deploy(system.contracts.SparkToken)
    initialisation = implementation.initialize.encode_input(owner, owner, owner)
    yield owner.deploy(system.contracts.ERC1967Proxy, implementation, initialisation).creation_metadata.receipt


def upgrade(system: System) -> Iterator[Any]:
    owner = system.actors.owner
    version_2 = owner.deploy(system.contracts.SparkTokenV2)
    for migration in (b"", version_2.initializeV2.encode_input("onwards")):
        yield system.spark.upgradeToAndCall(version_2, migration, sender=owner)


def create_drop(system: System) -> Iterator[Any]:
    for price in (0, PRICE):
        yield system.music_nft.createDrop(
            *("A Song", "a piece", 500, 3, False, ZERO_ADDRESS, price), sender=system.actors.creator
        )


def mint_exclusive_track(system: System) -> Iterator[Any]:
    arguments = (system.actors.trader, "A Song", "another piece", 5, 3)
    yield system.music_nft.mintExclusiveTrack(*arguments, sender=system.actors.creator)


def buy_edition(system: System) -> Iterator[Any]:
    music, trader = system.music_nft, system.actors.trader
    system.funded_token.approve(music, PRICE, sender=trader)
    for currency, value in ((ZERO_ADDRESS, PRICE), (system.funded_token, 0)):
        terms = ("A Song", "a piece", 500, 3, False, currency, PRICE)
        music.createDrop(*terms, sender=system.actors.creator)
        yield music.buyEdition(music.totalDrops(), currency, PRICE, value=value, sender=trader)


def in_both_currencies(system: System) -> Iterator[tuple[Any, int]]:
    yield ZERO_ADDRESS, PRICE
    yield system.spark, 0


def buy(system: System) -> Iterator[Any]:
    for currency, value in in_both_currencies(system):
        listed = (system.spark_nft, system.minted(), currency, PRICE)
        system.marketplace.createListing(*listed, system.now() + DAY, sender=system.actors.creator)
        yield system.marketplace.buy(*listed, value=value, sender=system.actors.trader)


def make_offer(system: System) -> Iterator[Any]:
    for currency, value in in_both_currencies(system):
        terms = (system.spark_nft, system.minted(), currency, PRICE, system.now() + DAY)
        yield system.marketplace.makeOffer(*terms, value=value, sender=system.actors.trader)


def accept_offer(system: System) -> Iterator[Any]:
    creator, trader = system.actors.creator, system.actors.trader
    for is_listed in (False, True):
        token = (system.spark_nft, system.minted())
        terms = (*token, ZERO_ADDRESS, PRICE, system.now() + DAY)
        system.marketplace.makeOffer(*terms, value=PRICE, sender=trader)
        if is_listed:
            system.marketplace.createListing(*terms, sender=creator)
        yield system.marketplace.acceptOffer(*token, trader, ZERO_ADDRESS, PRICE, sender=creator)


def create_auction(system: System) -> Iterator[Any]:
    creator = system.actors.creator
    for is_listed in (False, True):
        terms = (system.spark_nft, system.minted(), ZERO_ADDRESS, PRICE)
        if is_listed:
            system.marketplace.createListing(*terms, system.now() + DAY, sender=creator)
        yield system.marketplace.createAuction(*terms, DAY, sender=creator)


def bid(system: System) -> Iterator[Any]:
    for currency, value in in_both_currencies(system):
        terms = (system.spark_nft, system.minted(), currency, PRICE)
        system.marketplace.createAuction(*terms, DAY, sender=system.actors.creator)
        yield system.marketplace.bid(*terms, value=value, sender=system.actors.trader)


def settle_auction(system: System) -> Iterator[Any]:
    for has_bid in (False, True):
        terms = (system.spark_nft, system.minted(), ZERO_ADDRESS, PRICE)
        system.marketplace.createAuction(*terms, DAY, sender=system.actors.creator)
        if has_bid:
            system.marketplace.bid(*terms, value=PRICE, sender=system.actors.trader)
        pass_time(system.chain, DAY)
        yield system.marketplace.settleAuction(*terms[:2], sender=system.actors.stranger)


def cast_vote(system: System) -> Iterator[Any]:
    governance, actors = system.governance, system.actors
    identifier = governance.open_vote(governance.raise_rewards, system.chain, sender=actors.trader)
    yield governance.governor.castVote(identifier, FOR, sender=actors.staker)
    system.chain.pending_timestamp = governance.governor.proposalDeadline(identifier) - 100
    yield governance.governor.castVote(identifier, FOR, sender=actors.trader)


def queue(system: System) -> Iterator[Any]:
    proposal = system.governance.raise_rewards
    system.governance.succeed(proposal, system.chain, system.actors)
    yield system.governance.governor.queue(*proposal.hashed, sender=system.actors.stranger)


def execute(system: System) -> Iterator[Any]:
    list(queue(system))
    pass_time(system.chain, DAY)
    yield system.governance.execute(system.governance.raise_rewards, sender=system.actors.stranger)


CALLS: dict[str, Callable[[System], Iterator[Any]]] = {
    "createCreatorToken": create_creator_token,
    "launchCreatorCoin": launch_creator_coin,
    "distributeRevenue": distribute_revenue,
    "buyTokens": buy_tokens,
    "sellTokens": sell_tokens,
    "addLiquidity": add_liquidity,
    "removeLiquidity": remove_liquidity,
    "transferFrom": transfer_from,
    "delegate": delegate_votes,
    "stake": stake,
    "claimRewards": claim_rewards,
    "unstake": unstake,
    "fundRewards": fund_rewards,
    "release": release,
    "claimVestedTokens": claim_vested_tokens,
    "updateCreatorMetrics": update_creator_metrics,
    "the proxy's construction": construct_proxy,
    "upgradeToAndCall": upgrade,
    "createDrop": create_drop,
    "mintExclusiveTrack": mint_exclusive_track,
    "buyEdition": buy_edition,
    "buy": buy,
    "makeOffer": make_offer,
    "acceptOffer": accept_offer,
    "createAuction": create_auction,
    "bid": bid,
    "settleAuction": settle_auction,
    "castVote": cast_vote,
    "queue": queue,
    "execute": execute,
}


@pytest.fixture(scope="session")
def event_names() -> dict[bytes, str]:
    """The names of all events by their first topic."""
    entries = [
        entry
        for path in (ROOT / "deployments" / "abi").glob("*.json")
        for entry in json.loads(path.read_text())
        if entry["type"] == "event"
    ]
    return {
        keccak(text=f"{entry['name']}({','.join(argument['type'] for argument in entry['inputs'])})"): entry["name"]
        for entry in entries
    }


def test_every_call_of_the_page_is_made_here() -> None:
    assert set(documented()) == set(CALLS)


@pytest.mark.parametrize("call", CALLS)
def test_events_come_in_the_order_that_is_documented(system: System, event_names: dict[bytes, str], call: str) -> None:
    order = documented()[call]
    emitted = [
        "".join(f"{event_names[bytes(log['topics'][0])]} " for log in receipt.logs) for receipt in CALLS[call](system)
    ]
    assert [names for names in emitted if not re.fullmatch(order, names)] == []
    assert set(re.findall(r"\w+", order)) == set(" ".join(emitted).split())
