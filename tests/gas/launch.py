"""Gas of metrics, of the factories, and of revenue shared through them."""

from eth_utils.address import to_checksum_address

from tests.contracts_on_anvil import HOUR, Contract, Economy
from tests.gas.meter import (
    BUYER,
    COIN,
    CREATOR,
    DAY,
    FAN,
    FOREVER,
    HOLDER,
    ORACLE,
    OWNER,
    STRANGER,
    Meter,
    account,
    measure_ownership,
)

FIGURES = (60_000, 6_000, 2 * COIN, 5_000)
BATCH = 50
POOLED = 1_000 * COIN


async def measure_metrics(meter: Meter, economy: Economy) -> None:
    """Measure reports and the owner's settings; CREATOR then meets the requirements."""
    manager, chain = economy.contracts["CreatorMetricsManager"], economy.chain
    report = (account(CREATOR), *FIGURES)
    await meter.send(manager, "updateCreatorMetrics", *report, note="first, past five milestones", sender=ORACLE)
    await meter.send(manager, "updateCreatorMetrics", *report, sender=ORACLE)
    observed = await chain.now()
    await meter.send(
        *(manager, "updateCreatorMetrics", *report, observed), note="with the time of observation", sender=ORACLE
    )
    batch = [(f"0x{number:040x}", *FIGURES, observed) for number in range(1, BATCH + 1)]
    await manager.send("updateCreatorMetricsBatch", batch, sender=ORACLE)
    await meter.send(manager, "updateCreatorMetricsBatch", batch, note=f"of {BATCH}", sender=ORACLE)
    await meter.send(manager, "setOracle", account(FAN), True)
    await manager.send("setOracle", account(BUYER), True)
    await meter.send(manager, "setQuorum", 3)
    await manager.send("updateCreatorMetrics", *report, sender=ORACLE)
    second = "second of three reports"
    await meter.send(manager, "updateCreatorMetrics", *report, note=second, sender=FAN)
    deciding = "third of three reports"
    await meter.send(manager, "updateCreatorMetrics", *report, note=deciding, sender=BUYER)
    await manager.send("setQuorum", 1)
    await meter.send(manager, "setEpochLength", 2 * HOUR)
    await meter.send(manager, "setLaunchRequirements", 50_000, 5_000, 7 * DAY)
    await measure_ownership(meter, manager)


async def launch_coin(meter: Meter, economy: Economy) -> Contract:
    """Launch CREATOR's coin with its pool."""
    factory = economy.contracts["CreatorTokenFactory"]
    coin = (account(CREATOR), "Ama Sereno", "AMA", "", "")
    await meter.send(factory, "launchCreatorCoin", *coin, sender=ORACLE, value=POOLED)
    return Contract(
        economy.chain, "BalancedCreatorToken", to_checksum_address(await factory.call("coinOf", account(CREATOR)))
    )


async def create_token(meter: Meter, economy: Economy) -> Contract:
    """Create FAN's token, give HOLDER and BUYER some, and open its pool as large as a launched coin's."""
    factory, exchange = economy.contracts["CreatorTokenFactory"], economy.exchange
    terms = ("Ben", "BEN", "", "", 10**8 * COIN, account(FAN), account(OWNER))
    receipt = await meter.send(factory, "createCreatorToken", *terms, sender=FAN)
    created = next(log for log in receipt["logs"] if log["address"] == factory.address.lower())
    token = Contract(economy.chain, "CreatorToken", to_checksum_address(created["topics"][2][-40:]))
    for receiver in (HOLDER, BUYER):
        await token.send("transfer", account(receiver), 10**5 * COIN, sender=FAN)
    await token.send("approve", exchange.address, FOREVER, sender=FAN)
    await exchange.send("createPool", token.address, 10**7 * COIN, account(OWNER), sender=FAN, value=POOLED)
    return token


async def measure_factories(meter: Meter, economy: Economy) -> None:
    """Measure revenue shared through the launching factory, the owners' settings, and deployments."""
    factory, deployer = economy.contracts["CreatorTokenFactory"], economy.contracts["TokenDeploymentFactory"]
    await factory.send("distributeRevenue", account(CREATOR), value=COIN)
    await meter.send(factory, "distributeRevenue", account(CREATOR), value=COIN)
    await meter.send(factory, "withdrawCreatorRevenue", account(CREATOR))
    await factory.send("distributeRevenue", account(CREATOR), value=COIN)
    await meter.send(factory, "withdrawCreatorRevenueTo", account(STRANGER), sender=CREATOR)
    await meter.send(factory, "setLauncher", account(STRANGER), True)
    await meter.send(factory, "setMinimumSeed", 2 * COIN)
    await meter.send(factory, "setHoldersShare", 2_000)
    await measure_ownership(meter, factory)

    await meter.send(deployer, "setFactory", account(OWNER), True)
    texts, people = ("Cleo", "CLEO", "", ""), (account(STRANGER), account(OWNER))
    await meter.send(deployer, "deployCreatorToken", *texts, 10**7 * COIN, *people)
    other = "to another holder"
    await meter.send(deployer, "deployCreatorToken", *texts, 10**7 * COIN, *people, account(FAN), note=other)
    parts = (economy.contracts["CreatorMetricsManager"].address, economy.exchange.address)
    await meter.send(deployer, "deployBalancedCreatorToken", *texts, *people, account(OWNER), *parts)
    await measure_ownership(meter, deployer)
