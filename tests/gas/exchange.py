"""Gas of the exchange: coins of ours and plain ERC-20s, with all safeguards on."""

from eth_abi.abi import encode
from eth_utils.address import to_checksum_address

from tests.contracts_on_anvil import HOUR, ZERO_ADDRESS, Chain, Contract, Economy, creation_code
from tests.gas.meter import BUYER, COIN, DAY, FAN, FOREVER, HOLDER, OWNER, Meter, account, measure_ownership
from tests.gas.references import BUY, BUY_PLAIN, SELL, SELL_PLAIN

SAFEGUARDS = (500, 3_000, 200, 4 * HOUR, 500, 1_000, 2_500, HOUR)


async def measure_pool(meter: Meter, economy: Economy, coin: Contract, kind: str) -> None:
    """Measure trades of a coin of ours and liquidity; the pool holds a thousand native coins."""
    exchange = economy.exchange
    to = coin.address
    await coin.send("approve", exchange.address, FOREVER, sender=HOLDER)
    await exchange.send("buyTokens", to, 0, sender=BUYER, value=COIN)
    first = f"{kind}, an account's first"
    await meter.send(exchange, "buyTokens", to, 0, note=first, sender=HOLDER, value=COIN)
    await meter.send(exchange, "buyTokens", to, 0, note=kind, reference=BUY, sender=HOLDER, value=COIN)
    await meter.send(exchange, "sellTokens", to, 100 * COIN, 0, note=kind, reference=SELL, sender=HOLDER)
    await meter.send(exchange, "buyTokens", to, 0, FOREVER, note=f"{kind}, with a deadline", sender=HOLDER, value=COIN)
    await meter.send(exchange, "sellTokens", to, 100 * COIN, 0, FOREVER, note=f"{kind}, with a deadline", sender=HOLDER)
    await meter.send(exchange, "buyTokens", to, 0, note=f"{kind}, a large trade", sender=BUYER, value=25 * COIN)


async def measure_liquidity_and_guardians(meter: Meter, economy: Economy, coin: Contract) -> None:
    """Measure liquidity, platform fees and what guardians do."""
    exchange, to = economy.exchange, coin.address
    await exchange.send("buyTokens", to, 0, sender=FAN, value=10 * COIN)
    await coin.send("approve", exchange.address, FOREVER, sender=FAN)
    await meter.send(
        *(exchange, "addLiquidity", to, 10**6 * COIN, 0, FOREVER), note="a provider's first", sender=FAN, value=COIN
    )
    shares = await exchange.call("sharesOf", to, account(FAN))
    await meter.send(exchange, "removeLiquidity", to, shares // 2, 0, 0, FOREVER, sender=FAN)
    await meter.send(exchange, "withdrawPlatformFees", account(OWNER), sender=FAN)
    await meter.send(exchange, "grantExemption", account(FAN), to, await economy.chain.now() + DAY)
    await meter.send(exchange, "revokeExemption", account(FAN), to)
    await meter.send(exchange, "pausePool", to)
    await meter.send(exchange, "unpausePool", to)
    await meter.send(exchange, "setGuardian", account(FAN), True)
    await meter.send(exchange, "setSafeguards", SAFEGUARDS)
    await measure_ownership(meter, exchange)


async def measure_plain_pools(meter: Meter, chain: Chain) -> None:
    """Measure trades of plain ERC-20s, so that only the exchange counts."""
    registry = await _create_mock(chain, "OpenRegistry")
    exchange = await chain.create("IntegratedCreatorDEX", registry)
    for rate, kind in ((250, "plain ERC-20"), (0, "plain ERC-20 without platform fee")):
        token = Contract(chain, "CreatorToken", await _create_mock(chain, "PlainToken", 10**9 * COIN, rate))
        for trader in (OWNER, HOLDER):
            await token.send("approve", exchange.address, FOREVER, sender=trader)
        pool = (token.address, 10**8 * COIN, ZERO_ADDRESS)
        await meter.send(exchange, "createPool", *pool, note=kind, value=1_000 * COIN)
        await exchange.send("buyTokens", token.address, 0, sender=HOLDER, value=COIN)
        buy, sell = (token.address, 0), (token.address, 1_000 * COIN, 0)
        await meter.send(exchange, "buyTokens", *buy, note=kind, reference=BUY_PLAIN, sender=HOLDER, value=COIN)
        await meter.send(exchange, "sellTokens", *sell, note=kind, reference=SELL_PLAIN, sender=HOLDER)


async def _create_mock(chain: Chain, name: str, *arguments: int) -> str:
    code = creation_code(name) + encode(["uint256"] * len(arguments), arguments)
    return to_checksum_address((await chain.send("0x" + code.hex()))["contractAddress"])
