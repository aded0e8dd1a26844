"""Gas of the tokens: what every ERC-20 with votes does, staking, and what each token has beside."""

from typing import Any

from eth_abi.abi import encode
from eth_account import Account

from encore.settings import local_account_key
from tests.contracts.signing import PERMIT_TYPES
from tests.contracts_on_anvil import ZERO_ADDRESS, Contract, Economy, creation_code
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
    measure_roles,
)
from tests.gas.references import CLAIM, EXIT, PERMIT, SELF_DELEGATE, STAKE, TRANSFER, TRANSFER_DELEGATED

STAKED = 1_000 * COIN
DELEGATION_TYPES = {
    "Delegation": [
        {"name": "delegatee", "type": "address"},
        {"name": "nonce", "type": "uint256"},
        {"name": "expiry", "type": "uint256"},
    ]
}


async def measure_erc20_with_votes(meter: Meter, token: Contract) -> None:
    """Measure transfers, allowances, burning and votes; HOLDER and BUYER hold some, nobody delegates yet."""
    amount = 10 * COIN
    to_buyer = (account(BUYER), amount)
    await token.send("transfer", *to_buyer, sender=HOLDER)
    await meter.send(
        *(token, "transfer", *to_buyer), note="to a holder, nobody delegates", reference=TRANSFER, sender=HOLDER
    )
    await meter.send(token, "transfer", account(STRANGER), amount, note="to a new holder", sender=HOLDER)
    await token.send("delegate", account(BUYER), sender=BUYER)
    await meter.send(
        *(token, "delegate", account(HOLDER)), note="to oneself, first", reference=SELF_DELEGATE, sender=HOLDER
    )
    await meter.send(token, "transfer", *to_buyer, note="both delegate", reference=TRANSFER_DELEGATED, sender=HOLDER)
    await meter.send(token, "approve", *to_buyer, note="first", sender=HOLDER)
    taken = (account(HOLDER), account(BUYER), amount)
    await meter.send(token, "transferFrom", *taken, note="both delegate", sender=BUYER)
    permit = {"owner": account(FAN), "spender": account(BUYER), "value": amount, "nonce": 0, "deadline": FOREVER}
    signature = await _signature(token, FAN, PERMIT_TYPES, permit)
    await meter.send(token, "permit", *permit_arguments(permit), *signature, note="first", reference=PERMIT)
    delegation = {"delegatee": account(STRANGER), "nonce": 1, "expiry": FOREVER}
    signature = await _signature(token, FAN, DELEGATION_TYPES, delegation)
    await meter.send(token, "delegateBySig", *delegation.values(), *signature, note="first")
    await meter.send(token, "burn", COIN, note="delegated", sender=HOLDER)
    await token.send("approve", account(BUYER), amount, sender=HOLDER)
    await meter.send(token, "burnFrom", account(HOLDER), COIN, note="delegated", sender=BUYER)


async def measure_minted_staking(meter: Meter, token: Contract) -> None:
    """Measure staking with minted rewards, of one who delegates and of one who does not."""
    for staker, kind in ((HOLDER, "delegated"), (FAN, "not delegated")):
        if staker == FAN:
            await token.send("delegate", ZERO_ADDRESS, sender=FAN)
        await meter.send(token, "stake", STAKED, note=kind, reference=STAKE, sender=staker)
        await token.chain.wait(30 * DAY)
        await token.send("claimRewards", sender=staker)
        await token.chain.wait(30 * DAY)
        await meter.send(token, "claimRewards", note=kind, reference=CLAIM, sender=staker)
    await token.chain.wait(366 * DAY)
    for staker, kind in ((HOLDER, "delegated"), (FAN, "not delegated")):
        await meter.send(token, "unstake", note=f"with rewards, {kind}", reference=EXIT, sender=staker)


async def measure_profile(meter: Meter, token: Contract, creator: int) -> None:
    """Measure what creator and platform change."""
    await meter.send(token, "updateCreatorInfo", "About", "ipfs://image", True, sender=creator)
    await meter.send(token, "setPlatformFeeRate", 300)
    await meter.send(token, "setPlatformFeeRecipient", account(STRANGER))
    await token.send("setPlatformFeeRecipient", account(OWNER), sender=STRANGER)
    await measure_ownership(meter, token, owner=creator)


async def measure_revenue_and_supply(meter: Meter, economy: Economy, coin: Contract) -> None:
    """Measure what only launched coins have: revenue shared with holders, vesting, release on growth."""
    chain, manager = economy.chain, economy.contracts["CreatorMetricsManager"]
    await coin.send("distribute", value=COIN)
    await chain.wait(1)
    await coin.send("claimRevenue", sender=HOLDER)
    await meter.send(coin, "distribute", value=COIN)
    await chain.wait(1)
    to_buyer = (account(BUYER), COIN)
    after = "both delegate, after a distribution"
    await meter.send(coin, "transfer", *to_buyer, note=after, sender=HOLDER)
    await coin.send("distribute", value=COIN)
    await chain.wait(1)
    await meter.send(coin, "claimRevenue", sender=HOLDER)
    await coin.send("distribute", value=COIN)
    await chain.wait(1)
    await meter.send(coin, "claimRevenueTo", account(STRANGER), sender=HOLDER)
    await meter.send(coin, "claimVestedTokens", note="first", sender=CREATOR)
    await chain.wait(DAY)
    await meter.send(coin, "claimVestedTokens", sender=CREATOR)
    await chain.wait(30 * DAY)
    await manager.send("updateCreatorMetrics", account(CREATOR), 90_000, 6_000, COIN, 5_000, sender=ORACLE)
    await meter.send(coin, "release", note="first", sender=STRANGER)


async def measure_spark(meter: Meter, economy: Economy) -> None:
    """Measure SPARK behind its proxy."""
    spark, timelock = economy.contracts["SparkToken"], economy.contracts["CreatorTimelock"]
    for receiver in (HOLDER, BUYER, FAN):
        await spark.send("transfer", account(receiver), 100_000 * COIN)
    await measure_erc20_with_votes(meter, spark)
    await meter.send(spark, "mint", account(BUYER), COIN, note="delegated")
    await meter.send(spark, "setRewardRate", COIN)
    await spark.send("fundRewards", 10**6 * COIN)
    await meter.send(spark, "fundRewards", 10**6 * COIN)
    await spark.send("stake", STAKED, sender=BUYER)
    await meter.send(spark, "stake", STAKED, note="first", reference=STAKE, sender=HOLDER)
    await spark.chain.wait(DAY)
    await spark.send("claimRewards", sender=HOLDER)
    await spark.chain.wait(DAY)
    await meter.send(spark, "claimRewards", note="delegated", reference=CLAIM, sender=HOLDER)
    await meter.send(spark, "unstake", STAKED, sender=HOLDER)
    await meter.send(spark, "pause")
    await meter.send(spark, "unpause")
    await measure_roles(meter, spark, "PAUSER_ROLE")
    implementation = await economy.chain.create("SparkToken")
    await meter.send_through(timelock, spark, "upgradeToAndCall", implementation.address, b"")
    initialisation = implementation.encode("initialize", account(OWNER), timelock.address, account(OWNER))
    code = creation_code("ERC1967Proxy") + encode(["address", "bytes"], [implementation.address, initialisation])
    created = await economy.chain.send("0x" + code.hex())
    meter.add("SparkToken", "initialize", 3, int(created["gasUsed"], 16), note="and the creation of its proxy")


def permit_arguments(permit: dict[str, Any]) -> tuple[Any, ...]:
    """Return what `permit` takes before the signature."""
    return permit["owner"], permit["spender"], permit["value"], permit["deadline"]


async def _signature(
    token: Contract, signer: int, types: dict[str, Any], message: dict[str, Any]
) -> tuple[int, bytes, bytes]:
    domain = {
        "name": await token.call("name"),
        "version": "1",
        "chainId": int(await token.chain.rpc.call("eth_chainId"), 16),
        "verifyingContract": token.address,
    }
    signed = Account.sign_typed_data(
        local_account_key(signer), domain_data=domain, message_types=types, message_data=message
    )
    return signed.v, signed.r.to_bytes(32), signed.s.to_bytes(32)
