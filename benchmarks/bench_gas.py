"""Gas of every operation of the contracts, on anvil with one transaction a block, beside the best known figures.

    python benchmarks/bench_gas.py

References are what OpenZeppelin Contracts 5.7, the Uniswap v2 router and Synthetix' StakingRewards take for the same
work, measured the same way (Cancun, optimised). A figure is gas used, refunds taken off, of a transaction that is not
the account's first of its kind unless it says so.
"""

import argparse
import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from eth_abi.abi import encode
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from rich.console import Console
from rich.table import Table

from encore.chain.local_node import chain_command, free_port
from encore.chain.rpc import RpcClient
from encore.settings import local_account_address
from encore.stack.ports import wait_until_listening
from tests.contracts.signing import sign_permit
from tests.contracts_on_anvil import HOUR, ZERO_ADDRESS, Chain, Contract, Economy, creation_code

COIN: Final = 10**18
DAY: Final = 86_400
FOREVER: Final = 2**256 - 1
OWNER, ORACLE, CREATOR, HOLDER, FAN, BUYER = range(6)

OPENZEPPELIN: Final = "OpenZeppelin 5.7"
UNISWAP: Final = "Uniswap v2 router"
SYNTHETIX: Final = "Synthetix StakingRewards"
SAFEGUARDS_GOAL: Final = "goal with all safeguards"


@dataclass(frozen=True, slots=True)
class Reference:
    """What somebody else's contract takes for the same work."""

    source: str
    gas: int


TRANSFER: Final = Reference(f"{OPENZEPPELIN}, votes token", 39_249)
TRANSFER_DELEGATED: Final = Reference(f"{OPENZEPPELIN}, votes token", 104_560)
PERMIT: Final = Reference(OPENZEPPELIN, 74_765)
SELF_DELEGATE: Final = Reference(OPENZEPPELIN, 95_486)
MINT: Final = Reference(OPENZEPPELIN, 78_597)
BUY: Final = Reference(UNISWAP, 100_450)
SELL: Final = Reference(UNISWAP, 111_676)
BUY_GUARDED: Final = Reference(SAFEGUARDS_GOAL, 65_000)
SELL_GUARDED: Final = Reference(SAFEGUARDS_GOAL, 75_000)
STAKE: Final = Reference(SYNTHETIX, 135_230)
CLAIM: Final = Reference(SYNTHETIX, 76_131)
EXIT: Final = Reference(SYNTHETIX, 99_230)
PROPOSE: Final = Reference(OPENZEPPELIN, 75_629)
VOTE: Final = Reference(OPENZEPPELIN, 83_059)
QUEUE: Final = Reference(OPENZEPPELIN, 145_158)
EXECUTE: Final = Reference(OPENZEPPELIN, 150_250)


@dataclass(frozen=True, slots=True)
class Measured:
    """One row of the table."""

    contract: str
    operation: str
    gas: int
    reference: Reference | None

    @property
    def ratio(self) -> float | None:
        """Ours to the reference: below 1 is cheaper."""
        return None if self.reference is None else self.gas / self.reference.gas


@dataclass
class Meter:
    """Sends transactions and writes down what they take."""

    rows: list[Measured] = field(default_factory=list)

    async def send(  # noqa: PLR0913 - what a transaction has
        self,
        contract: Contract,
        operation: str,
        function: str,
        *arguments: Any,
        sender: int = OWNER,
        value: int = 0,
        reference: Reference | None = None,
        name: str = "",
    ) -> None:
        """Send a transaction and add its row."""
        receipt = await contract.send(function, *arguments, sender=sender, value=value)
        self.rows.append(Measured(name or contract.name, operation, int(receipt["gasUsed"], 16), reference))


def account(index: int) -> str:
    """Return the address of a local account."""
    return local_account_address(index)


async def measure(chain: Chain) -> list[Measured]:
    """Deploy everything and measure every operation."""
    economy = await chain.deploy_everything()
    meter = Meter()
    await _metrics(meter, economy)
    coin = await _launch(meter, economy)
    await _exchange(meter, economy, coin)
    await _plain_pool(meter, chain)
    await _coin(meter, chain, coin)
    await _revenue(meter, economy, coin)
    await _creator_token(meter, economy)
    await _spark(meter, economy)
    await _music(meter, economy)
    await _access(meter, economy)
    await _market(meter, economy)
    await _govern(meter, economy)
    return meter.rows


async def _metrics(meter: Meter, economy: Economy) -> None:
    manager = economy.contracts["CreatorMetricsManager"]
    figures = (60_000, 6_000, 2 * COIN, 5_000)
    first = "first report, past five milestones"
    await meter.send(manager, first, "updateCreatorMetrics", account(CREATOR), *figures, sender=ORACLE)
    await meter.send(manager, "report", "updateCreatorMetrics", account(CREATOR), *figures, sender=ORACLE)
    await economy.chain.wait(10)
    now = await economy.chain.now()
    batch = [(f"0x{number:040x}", *figures, now) for number in range(1, 51)]
    await manager.send("updateCreatorMetricsBatch", batch, sender=ORACLE)
    await meter.send(manager, "report of 50 creators", "updateCreatorMetricsBatch", batch, sender=ORACLE)
    await meter.send(manager, "let an oracle report", "setOracle", account(FAN), True)
    await meter.send(manager, "change the launch's requirements", "setLaunchRequirements", 50_000, 5_000, 7 * DAY)
    await meter.send(manager, "change the epoch", "setEpochLength", 2 * HOUR)


async def _launch(meter: Meter, economy: Economy) -> Contract:
    factory = economy.contracts["CreatorTokenFactory"]
    terms = (account(CREATOR), "Ama Sereno", "AMA", "", "")
    await meter.send(
        factory, "launch a coin with its pool", "launchCreatorCoin", *terms, sender=ORACLE, value=1_000 * COIN
    )
    address = to_checksum_address(await factory.call("coinOf", account(CREATOR)))
    return Contract(economy.chain, "BalancedCreatorToken", address)


async def _exchange(meter: Meter, economy: Economy, coin: Contract) -> None:
    exchange, chain = economy.exchange, economy.chain
    await meter.send(exchange, "buy a coin, first", "buyTokens", coin.address, 0, sender=HOLDER, value=COIN)
    await exchange.send("buyTokens", coin.address, 0, sender=FAN, value=10 * COIN)
    await coin.send("approve", exchange.address, FOREVER, sender=HOLDER)
    await chain.wait(60)
    await meter.send(exchange, "buy a coin", "buyTokens", coin.address, 0, sender=HOLDER, value=COIN, reference=BUY)
    await chain.wait(60)
    sale = (coin.address, 1_000 * COIN, 0)
    await meter.send(exchange, "sell a coin", "sellTokens", *sale, sender=HOLDER, reference=SELL)
    await coin.send("approve", exchange.address, FOREVER, sender=FAN)
    await meter.send(
        *(exchange, "add liquidity, first", "addLiquidity", coin.address, 10**6 * COIN, 0, FOREVER),
        sender=FAN,
        value=COIN,
    )
    shares = await exchange.call("sharesOf", coin.address, account(FAN))
    await meter.send(
        exchange, "remove liquidity", "removeLiquidity", coin.address, shares // 2, 0, 0, FOREVER, sender=FAN
    )
    recipient = account(OWNER)
    await meter.send(exchange, "withdraw platform fees", "withdrawPlatformFees", recipient, sender=FAN)
    until = await chain.now() + DAY
    await meter.send(exchange, "grant an exemption", "grantExemption", account(FAN), coin.address, until)
    await meter.send(exchange, "revoke an exemption", "revokeExemption", account(FAN), coin.address)
    await meter.send(exchange, "pause a pool", "pausePool", coin.address)
    await meter.send(exchange, "unpause a pool", "unpausePool", coin.address)
    await meter.send(exchange, "make a guardian", "setGuardian", account(FAN), True)
    safeguards = (500, 3_000, 200, 4 * HOUR, 500, 1_000, 2_500, HOUR)
    await meter.send(exchange, "set the safeguards", "setSafeguards", safeguards)


async def _plain_pool(meter: Meter, chain: Chain) -> None:
    """Trade a plain ERC-20, so that only the exchange is measured."""
    registry = await _create_mock(chain, "OpenRegistry")
    token = Contract(chain, "CreatorToken", await _create_mock(chain, "PlainToken", 10**9 * COIN, 250))
    exchange = await chain.create("IntegratedCreatorDEX", registry)
    await token.send("approve", exchange.address, FOREVER)
    pool = (token.address, 10**8 * COIN, ZERO_ADDRESS)
    await meter.send(exchange, "open a pool", "createPool", *pool, value=1_000 * COIN)
    await token.send("approve", exchange.address, FOREVER, sender=HOLDER)
    await exchange.send("buyTokens", token.address, 0, sender=HOLDER, value=COIN)
    await chain.wait(60)
    buy, sell = (exchange, "buy a plain ERC-20", "buyTokens"), (exchange, "sell a plain ERC-20", "sellTokens")
    await meter.send(*buy, token.address, 0, sender=HOLDER, value=COIN, reference=BUY_GUARDED)
    await chain.wait(60)
    await meter.send(*sell, token.address, 1_000 * COIN, 0, sender=HOLDER, reference=SELL_GUARDED)


async def _create_mock(chain: Chain, name: str, *arguments: int) -> str:
    code = creation_code(name) + encode(["uint256"] * len(arguments), arguments)
    return to_checksum_address((await chain.send("0x" + code.hex()))["contractAddress"])


async def _coin(meter: Meter, chain: Chain, coin: Contract) -> None:
    await coin.send("transfer", account(BUYER), 5_000 * COIN, sender=HOLDER)
    await _token(meter, chain, coin)
    for name, reference in (("stake", STAKE),):
        await chain.wait(60)
        await meter.send(coin, "stake", name, 1_000 * COIN, sender=HOLDER, reference=reference)
    await chain.wait(30 * DAY)
    await coin.send("claimRewards", sender=HOLDER)
    await chain.wait(30 * DAY)
    await meter.send(coin, "claim rewards", "claimRewards", sender=HOLDER, reference=CLAIM)
    await meter.send(coin, "claim vested coins, first", "claimVestedTokens", sender=CREATOR)


async def _token(meter: Meter, chain: Chain, token: Contract, holder: int = HOLDER, other: int = BUYER) -> None:
    """Measure what every ERC-20 with votes does; both accounts hold some and neither delegates."""
    amount = 10 * COIN
    to_other = (account(other), amount)
    await meter.send(token, "transfer", "transfer", *to_other, sender=holder, reference=TRANSFER)
    await meter.send(
        token, "delegate to oneself, first", "delegate", account(holder), sender=holder, reference=SELF_DELEGATE
    )
    await token.send("delegate", account(other), sender=other)
    await chain.wait(60)
    both = "transfer, both delegate"
    await meter.send(token, both, "transfer", *to_other, sender=holder, reference=TRANSFER_DELEGATED)
    await meter.send(token, "approve, first", "approve", *to_other, sender=holder)
    await chain.wait(60)
    taken = (account(holder), account(other), amount)
    await meter.send(token, "transferFrom, both delegate", "transferFrom", *taken, sender=other)
    signature = sign_permit(await _Signed.of(token), holder, _At(account(FAN)), amount, deadline=FOREVER)
    await meter.send(
        *(token, "permit, first", "permit", account(holder), account(FAN), amount, FOREVER, *signature),
        reference=PERMIT,
    )
    await chain.wait(60)
    await meter.send(token, "burn, delegated", "burn", COIN, sender=holder)


@dataclass(frozen=True, slots=True)
class _At:
    address: str


@dataclass(frozen=True, slots=True)
class _Signed:
    """A token as `sign_permit` takes it."""

    address: str
    title: str

    @classmethod
    async def of(cls, token: Contract) -> "_Signed":
        return cls(token.address, await token.call("name"))

    def name(self) -> str:
        return self.title


async def _revenue(meter: Meter, economy: Economy, coin: Contract) -> None:
    factory, chain = economy.contracts["CreatorTokenFactory"], economy.chain
    await factory.send("distributeRevenue", account(CREATOR), value=COIN)
    await meter.send(factory, "share revenue", "distributeRevenue", account(CREATOR), value=COIN)
    await chain.wait(60)
    after = "transfer, after a distribution"
    await meter.send(coin, after, "transfer", account(BUYER), COIN, sender=HOLDER)
    await meter.send(coin, "claim revenue", "claimRevenue", sender=HOLDER)
    await meter.send(factory, "withdraw the creator's revenue", "withdrawCreatorRevenue", account(CREATOR))
    manager = economy.contracts["CreatorMetricsManager"]
    await manager.send("updateCreatorMetrics", account(CREATOR), 90_000, 6_000, COIN, 5_000, sender=ORACLE)
    await meter.send(coin, "release supply, first", "release")
    await chain.wait(366 * DAY)
    await meter.send(coin, "unstake with what is due", "unstake", sender=HOLDER, reference=EXIT)


async def _creator_token(meter: Meter, economy: Economy) -> None:
    factory, chain = economy.contracts["CreatorTokenFactory"], economy.chain
    terms = ("Ben", "BEN", "", "", 10**7 * COIN, account(FAN), account(OWNER))
    receipt = await factory.send("createCreatorToken", *terms, sender=FAN)
    log = next(log for log in receipt["logs"] if log["address"] == factory.address.lower())
    token = Contract(chain, "CreatorToken", to_checksum_address(log["topics"][2][-40:]))
    meter.rows.append(Measured(factory.name, "create a token", int(receipt["gasUsed"], 16), None))
    for receiver in (HOLDER, BUYER):
        await token.send("transfer", account(receiver), 10_000 * COIN, sender=FAN)
    await _token(meter, chain, token)
    await chain.wait(60)
    await meter.send(token, "stake", "stake", 1_000 * COIN, sender=HOLDER, reference=STAKE)
    await chain.wait(30 * DAY)
    await token.send("claimRewards", sender=HOLDER)
    await chain.wait(30 * DAY)
    await meter.send(token, "claim rewards", "claimRewards", sender=HOLDER, reference=CLAIM)
    await chain.wait(366 * DAY)
    await meter.send(token, "unstake with what is due", "unstake", sender=HOLDER, reference=EXIT)
    await meter.send(token, "change its description", "updateCreatorInfo", "About", "", True, sender=FAN)
    await meter.send(token, "change the platform fee", "setPlatformFeeRate", 300)


async def _spark(meter: Meter, economy: Economy) -> None:
    spark, chain = economy.contracts["SparkToken"], economy.chain
    for receiver in (HOLDER, BUYER):
        await spark.send("transfer", account(receiver), 100_000 * COIN)
    await _token(meter, chain, spark)
    await spark.send("setRewardRate", COIN)
    await spark.send("fundRewards", 10**6 * COIN)
    await meter.send(spark, "fund the rewards", "fundRewards", 10**6 * COIN)
    await spark.send("stake", 1_000 * COIN, sender=BUYER)
    await chain.wait(60)
    await meter.send(spark, "stake, first", "stake", 1_000 * COIN, sender=HOLDER, reference=STAKE)
    await chain.wait(DAY)
    await spark.send("claimRewards", sender=HOLDER)
    await chain.wait(DAY)
    await meter.send(spark, "claim rewards", "claimRewards", sender=HOLDER, reference=CLAIM)
    await meter.send(spark, "unstake", "unstake", 1_000 * COIN, sender=HOLDER, reference=EXIT)
    await meter.send(spark, "pause", "pause")
    await meter.send(spark, "unpause", "unpause")
    await spark.send("delegate", account(OWNER))


async def _music(meter: Meter, economy: Economy) -> None:
    music = economy.contracts["MusicNFT"]
    drop = ("Song", "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi", 500, 100, False, ZERO_ADDRESS, COIN)
    await meter.send(music, "create a drop", "createDrop", *drop, sender=CREATOR)
    await music.send("mintEdition", 1, account(HOLDER), sender=CREATOR)
    await meter.send(music, "mint an edition", "mintEdition", 1, account(HOLDER), sender=CREATOR, reference=MINT)
    await music.send("buyEdition", 1, ZERO_ADDRESS, COIN, sender=HOLDER, value=COIN)
    await meter.send(music, "buy an edition", "buyEdition", 1, ZERO_ADDRESS, COIN, sender=HOLDER, value=COIN)
    token = (1 << 128) + 1
    await meter.send(music, "transfer", "transferFrom", account(HOLDER), account(BUYER), token, sender=HOLDER)
    exclusive = (account(FAN), "Only one", "bafkreigh2akiscaildc", 10, 1)
    await meter.send(music, "drop and mint in one call", "mintExclusiveTrack", *exclusive, sender=CREATOR)
    await meter.send(music, "withdraw proceeds", "withdrawProceeds", account(CREATOR))


async def _access(meter: Meter, economy: Economy) -> None:
    access = economy.contracts["ContentAccess"]
    piece = "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi"
    await meter.send(access, "gate a piece", "setContentAccess", piece, account(CREATOR), COIN, sender=CREATOR)
    music = economy.contracts["MusicNFT"].address
    await meter.send(access, "gate by an NFT", "setNftGate", piece, music, 1, sender=CREATOR)
    until = await economy.chain.now() + 30 * DAY
    await meter.send(access, "grant access, first", "grantAccess", account(FAN), piece, until)
    await meter.send(access, "renew access", "grantAccess", account(FAN), piece, until + DAY)


async def _market(meter: Meter, economy: Economy) -> None:
    market, music, chain = (economy.contracts["SparkMarketplace"], economy.contracts["MusicNFT"], economy.chain)
    nft = economy.contracts["SparkNFT"]
    await nft.send("mint", account(HOLDER))
    await meter.send(nft, "mint", "mint", account(HOLDER), reference=MINT)
    await music.send("setApprovalForAll", market.address, True, sender=HOLDER)
    tokens = [(1 << 128) + number for number in (2, 3, 4)]
    expiry = await chain.now() + 30 * DAY
    terms = [(music.address, token, ZERO_ADDRESS, COIN) for token in tokens]
    await meter.send(market, "list", "createListing", *terms[0], expiry, sender=HOLDER)
    await meter.send(market, "buy a listing", "buy", *terms[0], sender=BUYER, value=COIN)
    await meter.send(market, "make an offer", "makeOffer", *terms[1], expiry, sender=BUYER, value=COIN)
    offered = (music.address, tokens[1], account(BUYER), ZERO_ADDRESS, COIN)
    await meter.send(market, "accept an offer", "acceptOffer", *offered, sender=HOLDER)
    await meter.send(market, "open an auction", "createAuction", *terms[2], HOUR, sender=HOLDER)
    await meter.send(market, "bid, first", "bid", *terms[2], sender=BUYER, value=COIN)
    higher = (*terms[2][:3], 2 * COIN)
    await meter.send(market, "outbid", "bid", *higher, sender=FAN, value=2 * COIN)
    await chain.wait(2 * HOUR)
    await meter.send(market, "settle an auction", "settleAuction", music.address, tokens[2])
    await meter.send(market, "withdraw", "withdraw", account(HOLDER), ZERO_ADDRESS, sender=HOLDER)


async def _govern(meter: Meter, economy: Economy) -> None:
    governor, timelock, chain = (
        economy.contracts["CreatorGovernor"],
        economy.contracts["CreatorTimelock"],
        economy.chain,
    )
    call = timelock.encode("updateDelay", 2 * HOUR)
    description = "Wait two hours"
    calls = ([timelock.address], [0], [call])
    await chain.wait(60)
    await meter.send(governor, "propose", "propose", *calls, description, reference=PROPOSE)
    hashed = (*calls, keccak(text=description))
    proposal = await governor.call("hashProposal", *hashed)
    await chain.wait(120)
    await governor.send("castVote", proposal, 1)
    await meter.send(governor, "vote", "castVote", proposal, 1, sender=BUYER, reference=VOTE)
    await chain.wait(HOUR + 100)
    await meter.send(governor, "queue", "queue", *hashed, reference=QUEUE)
    await chain.wait(HOUR + 100)
    await meter.send(governor, "execute", "execute", *hashed, reference=EXECUTE)


@asynccontextmanager
async def running_chain() -> AsyncIterator[Chain]:
    """Start an anvil for the time of the measurement."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(*chain_command(port, None))
    try:
        await wait_until_listening(port)
        async with RpcClient([f"http://127.0.0.1:{port}"]) as rpc:
            yield Chain(rpc)
    finally:
        process.kill()
        await process.wait()


def show(rows: list[Measured]) -> None:
    """Print the table."""
    table = Table(title="Gas", box=None)
    for heading, justify in (
        ("contract", "left"),
        ("operation", "left"),
        ("gas", "right"),
        ("reference", "right"),
        ("ratio", "right"),
        ("of", "left"),
    ):
        table.add_column(heading, justify=justify, no_wrap=True)  # type: ignore[arg-type] # a literal in each pair
    before = ""
    for row in rows:
        shown = "" if row.contract == before else row.contract
        before = row.contract
        if row.reference is None or row.ratio is None:
            table.add_row(shown, row.operation, f"{row.gas:,}")
        else:
            colour = "green" if row.ratio <= 1 else "red"
            ratio = f"[{colour}]{row.ratio:.2f}[/]"
            table.add_row(shown, row.operation, f"{row.gas:,}", f"{row.reference.gas:,}", ratio, row.reference.source)
    Console(width=140).print(table)


async def main() -> None:
    """Measure, print the table, and as the last line the comparisons as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    async with running_chain() as chain:
        rows = await measure(chain)
    show(rows)
    results = [
        {
            "name": f"{row.contract}: {row.operation}, gas",
            "ours": row.gas,
            "reference": row.reference.gas,
            "ratio": round(row.gas / row.reference.gas, 3),
            "goal": 1,
            "met": row.gas <= row.reference.gas,
        }
        for row in rows
        if row.reference is not None
    ]
    print(json.dumps(results))


if __name__ == "__main__":
    asyncio.run(main())
