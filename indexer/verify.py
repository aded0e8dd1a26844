"""Comparing the mirror with the contracts themselves, by eth_call at the indexed block."""

from collections import Counter
from dataclasses import dataclass
from typing import Final

from eth_abi.exceptions import EncodingError
from sqlalchemy import select

from encore.chain.rpc import RpcClient
from encore.db import Database, Row
from encore.db.models.chain import Balance, Checkpoint, Token
from encore.db.models.chain_tokens import SparkToken
from encore.errors import EncoreError, RpcError
from indexer import erc20, erc721, roles, settings
from indexer.check import Check, Reader
from indexer.registry import all_contracts

CALLS_PER_REQUEST: Final = 200
SHARED_CHECKS: Final = (erc20.checks, erc721.checks, roles.checks, settings.checks)
"""Checks of the tables that several contracts' handlers write; the others stand with their contract's handlers."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A value in which mirror and chain differ; None where the chain does not have it."""

    what: str
    mirrored: int | str
    on_chain: int | str | None


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of a comparison at one block."""

    block_number: int
    compared: int
    differences: list[Difference]


async def verify_mirror(database: Database, rpc: RpcClient) -> Report:
    """Compare every value of the mirror for which a contract has a view with that view at the indexed block.

    A token's holders and the sum of their balances are compared with its row, too.
    """
    checkpoint, checks, sums = await _read(database)
    differences = [sum_ for sum_ in sums if sum_.mirrored != sum_.on_chain]
    compared = len(sums)
    for start in range(0, len(checks), CALLS_PER_REQUEST):
        chunk = checks[start : start + CALLS_PER_REQUEST]
        asked, requests = [], []
        for check in chunk:
            compared += len(check.expected)
            try:
                requests.append(check.request(checkpoint.block_hash))
                asked.append(check)
            except (EncodingError, ValueError):  # what the row is about can be nothing on the chain
                differences += _differences(check, None)
        answers = await rpc.batch_outcomes(requests)
        for check, answer in zip(asked, answers, strict=True):
            differences += _differences(check, None if isinstance(answer, RpcError) else answer)
    return Report(checkpoint.block_number, compared, differences)


def _differences(check: Check, answer: str | None) -> list[Difference]:
    expected = check.expected
    found: list[int | str | None] = [] if answer is None else [*check.found(answer)]
    found += [None] * (len(expected) - len(found))  # what reverts, or is not there, has no value
    return [
        Difference(check.what, mirrored, on_chain)
        for mirrored, on_chain in zip(expected, found, strict=True)
        if mirrored != on_chain
    ]


async def _read(database: Database) -> tuple[Row, list[Check], list[Difference]]:
    """Read everything that is compared at one checkpoint: again, if the indexer moved on meanwhile."""
    contracts = all_contracts()
    while True:
        async with database.read() as session:
            before = await session.first(select(Checkpoint.__table__))
            if before is None:
                raise EncoreError("nothing is indexed yet; run `encore indexer run`")
            reader = Reader(session, before.timestamp)
            checks = []
            for of_tables in (*SHARED_CHECKS, *(contract.checks for contract in contracts)):
                if of_tables is not None:
                    checks += await of_tables(reader)
            sums = await _sums(reader)
            after = await session.first(select(Checkpoint.__table__))
        if after is not None and after.block_hash == before.block_hash:
            return before, checks, sums


async def _sums(reader: Reader) -> list[Difference]:
    held: Counter[str] = Counter()
    holders: Counter[str] = Counter()
    for balance in await reader.rows(Balance):
        held[balance.token] += balance.amount
        holders[balance.token] += 1
    sums = []
    for token in [*await reader.rows(Token), *await reader.rows(SparkToken)]:
        sums += [
            Difference(f"{token.address} supply, sum of balances", token.total_supply, held[token.address]),
            Difference(f"{token.address} holders, count of balances", token.holder_count, holders[token.address]),
        ]
    return sums
