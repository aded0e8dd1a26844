"""Comparing the mirror with the contracts themselves, by eth_call at the indexed block."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from eth_abi.abi import encode
from eth_utils.crypto import keccak
from sqlalchemy import Row, select

from encore.chain.deployments import Deployment
from encore.chain.rpc import Request, RpcClient
from encore.db import Database, ReadSession
from encore.db.models.chain import Balance, Checkpoint, FeeBalance, LiquidityPosition, Pool, Stake, Token
from encore.errors import EncoreError

CALLS_PER_REQUEST: Final = 200
WORD_DIGITS: Final = 64


@dataclass(frozen=True, slots=True)
class Difference:
    """A value in which mirror and chain differ."""

    what: str
    mirrored: int
    on_chain: int


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of a comparison at one block."""

    block_number: int
    compared: int
    differences: list[Difference]


@dataclass(frozen=True, slots=True)
class _Check:
    """A call of a view, and what the mirror says are the first words that it returns."""

    view: str
    contract: str
    arguments: tuple[str, ...]
    mirrored: tuple[int, ...]

    @property
    def what(self) -> str:
        return f"{self.contract} {self.view.partition('(')[0]}({', '.join(self.arguments)})"

    def request(self, block_hash: str) -> Request:
        """Spell the eth_call, at the very block that is mirrored (EIP-1898)."""
        data = keccak(text=self.view)[:4] + encode(["address"] * len(self.arguments), self.arguments)
        return "eth_call", [{"to": self.contract, "data": "0x" + data.hex()}, {"blockHash": block_hash}]


async def verify_mirror(database: Database, rpc: RpcClient, deployment: Deployment) -> Report:
    """Compare supplies, balances, stakes, reserves, shares and fees with the contracts at the indexed block.

    A token's holders and the sum of their balances are compared with its row, too.
    """
    checkpoint, checks, sums = await _read(database, deployment.address("IntegratedCreatorDEX").lower())
    differences = [sum_ for sum_ in sums if sum_.mirrored != sum_.on_chain]
    for start in range(0, len(checks), CALLS_PER_REQUEST):
        chunk = checks[start : start + CALLS_PER_REQUEST]
        answers = await rpc.batch([check.request(checkpoint.block_hash) for check in chunk])
        for check, answer in zip(chunk, answers, strict=True):
            differences += [
                Difference(check.what, mirrored, on_chain)
                for mirrored, on_chain in zip(check.mirrored, _words(answer), strict=False)
                if mirrored != on_chain
            ]
    compared = len(sums) + sum(len(check.mirrored) for check in checks)
    return Report(checkpoint.block_number, compared, differences)


async def _read(database: Database, exchange: str) -> tuple[Row[Any], list[_Check], list[Difference]]:
    """Read everything that is compared at one checkpoint: again, if the indexer moved on meanwhile."""
    while True:
        async with database.read() as session:
            before = await session.first(select(Checkpoint.__table__))
            if before is None:
                raise EncoreError("nothing is indexed yet; run `encore indexer run`")
            checks = [*await _token_checks(session), *await _exchange_checks(session, exchange)]
            sums = await _sums(session)
            after = await session.first(select(Checkpoint.__table__))
        if after is not None and after.block_hash == before.block_hash:
            return before, checks, sums


async def _token_checks(session: ReadSession) -> list[_Check]:
    checks = []
    for token in await session.all(select(Token.__table__)):
        checks += [
            _Check("totalSupply()", token.address, (), (token.total_supply,)),
            _Check("totalStaked()", token.address, (), (token.total_staked,)),
            _Check("maximumSupply()", token.address, (), (token.maximum_supply,)),
            _Check("platformFeeRate()", token.address, (), (token.platform_fee_bps,)),
        ]
    for balance in await session.all(select(Balance.__table__)):
        checks.append(_Check("balanceOf(address)", balance.token, (balance.holder,), (balance.amount,)))
    for stake in await session.all(select(Stake.__table__)):
        # The contract forgets a position that was withdrawn; the mirror keeps what it paid.
        position = (
            (stake.amount, stake.staked_at, stake.last_claimed_at, stake.total_rewards) if stake.amount else (0,) * 4
        )
        checks.append(_Check("stakingInfo(address)", stake.token, (stake.account,), position))
    return checks


async def _exchange_checks(session: ReadSession, exchange: str) -> list[_Check]:
    checks = []
    for pool in await session.all(select(Pool.__table__)):
        checks += [
            _Check("reserves(address)", exchange, (pool.token,), (pool.native_reserve, pool.token_reserve)),
            _Check("totalShares(address)", exchange, (pool.token,), (pool.total_shares,)),
            _Check("spotPrice(address)", exchange, (pool.token,), (pool.price,)),
        ]
    for position in await session.all(select(LiquidityPosition.__table__)):
        arguments = (position.token, position.provider)
        checks.append(_Check("sharesOf(address,address)", exchange, arguments, (position.shares,)))
    for fee in await session.all(select(FeeBalance.__table__)):
        checks.append(_Check("platformFeesDue(address)", exchange, (fee.recipient,), (fee.amount,)))
    return checks


async def _sums(session: ReadSession) -> list[Difference]:
    held: Counter[str] = Counter()
    holders: Counter[str] = Counter()
    for balance in await session.all(select(Balance.__table__)):
        held[balance.token] += balance.amount
        holders[balance.token] += 1
    sums = []
    for token in await session.all(select(Token.__table__)):
        sums.append(Difference(f"{token.address} supply, sum of balances", token.total_supply, held[token.address]))
        sums.append(
            Difference(f"{token.address} holders, count of balances", token.holder_count, holders[token.address])
        )
    return sums


def _words(answer: str) -> Sequence[int]:
    digits = answer.removeprefix("0x")
    return [int(digits[start : start + WORD_DIGITS], 16) for start in range(0, len(digits), WORD_DIGITS)]
