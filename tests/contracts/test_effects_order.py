"""Effects before interactions: no contract writes its storage after it has called another one.

The re-entrancy lock hides a wrong order from every call that an attacker could make; the EVM's own steps show it. Not
here, because it cannot be otherwise: the factory learns a coin's address from the call that deploys it, and the
timelock marks an operation as done after its calls, having checked once more that it was still to be done.
"""

from collections.abc import Callable
from typing import Any

import pytest

from tests.contracts.balanced import deploy_coin, execute
from tests.contracts.conftest import COIN, FOREVER, ZERO_ADDRESS, Actors
from tests.contracts.governance import deploy_governance
from tests.contracts.voting import pass_time

SSTORE, CALL = 0x55, 0xF1
DAY = 86_400
PRICE = 10**16


class Recorder:
    """Notes which contracts wrote their storage after a call of theirs, within one transaction."""

    def __init__(self, opcodes: dict[int, Any]) -> None:
        self.calls = 0
        self.late_writers: set[str] = set()
        self._opcodes = {code: opcodes[code] for code in (SSTORE, CALL)}
        self._callers: set[tuple[Any, bytes]] = set()

    def call(self, computation: Any) -> None:
        """Stand in for CALL."""
        self.calls += 1
        self._callers.add((computation.transaction_context, computation.msg.storage_address))
        self._opcodes[CALL](computation=computation)

    def store(self, computation: Any) -> None:
        """Stand in for SSTORE."""
        if (computation.transaction_context, computation.msg.storage_address) in self._callers:
            self.late_writers.add("0x" + computation.msg.storage_address.hex())
        self._opcodes[SSTORE](computation=computation)


@pytest.fixture
def record(networks: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Recorder]:
    """Starts recording what py-evm runs."""

    def start() -> Recorder:
        opcodes = networks.provider.evm_backend.chain.get_vm().state.computation_class.opcodes
        recorder = Recorder(opcodes)
        monkeypatch.setitem(opcodes, CALL, recorder.call)
        monkeypatch.setitem(opcodes, SSTORE, recorder.store)
        return recorder

    return start


def assert_effects_came_first(recorder: Recorder) -> None:
    assert recorder.calls > 0
    assert recorder.late_writers == set()


EXCHANGE: dict[str, Callable[[Any, Any, Actors], Any]] = {
    "addLiquidity": lambda dex, token, actors: dex.addLiquidity(
        token, FOREVER, 0, FOREVER, value=COIN, sender=actors.provider
    ),
    "removeLiquidity": lambda dex, token, actors: dex.removeLiquidity(
        token, 10**18, 0, 0, FOREVER, sender=actors.creator
    ),
    "buyTokens": lambda dex, token, actors: dex.buyTokens(token, 0, value=COIN, sender=actors.trader),
    "sellTokens": lambda dex, token, actors: dex.sellTokens(token, COIN, 0, sender=actors.trader),
    "withdrawPlatformFees": lambda dex, _token, actors: dex.withdrawPlatformFees(
        actors.fee_recipient, sender=actors.stranger
    ),
}


@pytest.mark.parametrize("step", EXCHANGE)
def test_the_exchange_writes_before_it_pays(
    record: Callable[[], Recorder], pool: Any, funded_token: Any, actors: Actors, step: str
) -> None:
    pool.buyTokens(funded_token, 0, value=COIN, sender=actors.trader)
    recorder = record()

    EXCHANGE[step](pool, funded_token, actors)

    assert_effects_came_first(recorder)


def test_a_pools_creation_writes_before_it_takes_tokens(
    record: Callable[[], Recorder], dex: Any, token: Any, actors: Actors
) -> None:
    token.approve(dex, FOREVER, sender=actors.creator)
    recorder = record()

    dex.createPool(token, 1_000 * COIN, actors.creator, value=COIN, sender=actors.creator)

    assert_effects_came_first(recorder)


def test_a_coin_writes_before_it_pays_revenue(
    record: Callable[[], Recorder], contracts: Any, metrics: Any, dex: Any, actors: Actors
) -> None:
    coin = deploy_coin(contracts, actors, metrics=metrics, exchange=dex)
    coin.distribute(value=COIN, sender=actors.owner)
    recorder = record()

    coin.claimRevenue(sender=actors.provider)

    assert_effects_came_first(recorder)


def test_the_factory_writes_before_it_shares_and_pays_revenue(
    record: Callable[[], Recorder], factory: Any, metrics: Any, dex: Any, actors: Actors
) -> None:
    metrics.updateCreatorMetrics(actors.creator, 60_000, 6_000, COIN, 0, sender=actors.oracle)
    factory.launchCreatorCoin(actors.creator, "Coin", "C", "", "", value=COIN, sender=actors.creator)
    dex.buyTokens(factory.coinOf(actors.creator), 0, value=COIN // 50, sender=actors.trader)
    recorder = record()

    factory.distributeRevenue(actors.creator, value=COIN, sender=actors.owner)
    factory.withdrawCreatorRevenue(actors.creator, sender=actors.stranger)

    assert_effects_came_first(recorder)


def test_drops_write_before_they_pay_and_ask(
    record: Callable[[], Recorder], music_nft: Any, hostile_trader: Any, actors: Actors
) -> None:
    music_nft.createDrop("Song", "piece", 0, 9, False, ZERO_ADDRESS, PRICE, sender=actors.creator)
    drop = music_nft.totalDrops()
    recorder = record()

    execute(hostile_trader, music_nft.buyEdition, drop, ZERO_ADDRESS, PRICE, value=PRICE, sender=actors.stranger)
    music_nft.mintEdition(drop, hostile_trader, sender=actors.creator)
    music_nft.withdrawProceeds(actors.creator, sender=actors.stranger)

    assert_effects_came_first(recorder)


def test_a_sale_for_tokens_writes_before_it_takes_them(
    record: Callable[[], Recorder], music_nft: Any, funded_token: Any, actors: Actors
) -> None:
    music_nft.createDrop("Song", "piece", 0, 9, False, funded_token, PRICE, sender=actors.creator)
    drop = music_nft.totalDrops()
    funded_token.approve(music_nft, FOREVER, sender=actors.trader)
    recorder = record()

    music_nft.buyEdition(drop, funded_token, PRICE, sender=actors.trader)

    assert_effects_came_first(recorder)


def test_collectables_write_before_they_ask(
    record: Callable[[], Recorder], spark_nft: Any, hostile_trader: Any, actors: Actors
) -> None:
    recorder = record()

    spark_nft.mint(hostile_trader, sender=actors.owner)

    assert_effects_came_first(recorder)


@pytest.mark.parametrize("currency", ["native", "spark"])
def test_the_marketplace_writes_before_it_calls(
    record: Callable[[], Recorder],
    marketplace: Any,
    spark_nft: Any,
    spark: Any,
    chain: Any,
    *,
    actors: Actors,
    currency: str,
) -> None:
    payment, value = (ZERO_ADDRESS, PRICE) if currency == "native" else (spark, 0)
    tokens = range(1, 5)
    for _ in tokens:
        spark_nft.mint(actors.creator, sender=actors.owner)
    spark_nft.setApprovalForAll(marketplace, True, sender=actors.creator)
    for buyer in (actors.trader, actors.staker):
        spark.approve(marketplace, FOREVER, sender=buyer)
    until = chain.pending_timestamp + 10 * DAY
    recorder = record()

    marketplace.createListing(spark_nft, tokens[0], payment, PRICE, until, sender=actors.creator)
    marketplace.buy(spark_nft, tokens[0], payment, PRICE, value=value, sender=actors.trader)
    marketplace.makeOffer(spark_nft, tokens[1], payment, PRICE, until, value=value, sender=actors.trader)
    marketplace.acceptOffer(spark_nft, tokens[1], actors.trader, payment, PRICE, sender=actors.creator)
    for token in tokens[2:]:
        marketplace.createAuction(spark_nft, token, payment, PRICE, DAY, sender=actors.creator)
    marketplace.cancelAuction(spark_nft, tokens[3], sender=actors.creator)
    marketplace.bid(spark_nft, tokens[2], payment, PRICE, value=value, sender=actors.trader)
    marketplace.bid(spark_nft, tokens[2], payment, 2 * PRICE, value=2 * value, sender=actors.staker)
    pass_time(chain, 2 * DAY)
    marketplace.settleAuction(spark_nft, tokens[2], sender=actors.stranger)
    marketplace.withdraw(actors.trader, payment, sender=actors.stranger)

    assert_effects_came_first(recorder)


def test_the_governor_writes_before_it_calls_the_timelock(
    record: Callable[[], Recorder], contracts: Any, chain: Any, actors: Actors
) -> None:
    governance = deploy_governance(contracts, actors)
    proposal = governance.raise_rewards
    governance.succeed(proposal, chain, actors)
    recorder = record()

    governance.governor.queue(*proposal.hashed, sender=actors.stranger)
    pass_time(chain, DAY)
    governance.execute(proposal, sender=actors.stranger)

    assert recorder.calls > 0
    assert governance.governor.address.lower() not in recorder.late_writers
