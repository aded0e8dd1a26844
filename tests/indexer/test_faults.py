"""Nodes that lie, lag, refuse or serve another chain: the mirror is right or the indexer says why it stops."""

from random import Random
from typing import Any

import pytest
from eth_utils.crypto import keccak
from sqlalchemy import delete

from encore.db import Database
from encore.db.models.chain import IndexedContract
from encore.errors import DeploymentError, RpcError
from indexer.errors import (
    AlreadyRunningError,
    InconsistentNodeError,
    MirrorError,
    OtherChainError,
    ReorgBelowFinalityError,
)
from indexer.lock import writer_lock
from indexer.source import suggested_span
from tests.indexer.economy import Economy
from tests.indexer.node import FakeNode, NodeError
from tests.indexer.replica import catch_up, dump, events_mirrored, events_told, indexer_of
from tests.indexer.world import ACCOUNTS, CONTRACTS, deployment, encode_log

APPROVAL = "0x" + keccak(text="Approval(address,address,uint256)").hex()
FINAL = 0
"""A finality depth with which every block is final when it is first seen."""


def play(node: FakeNode, blocks: int, seed: int = 7, transactions: int = 4) -> None:
    """Mine blocks of random activity."""
    random = Random(seed)
    for _ in range(blocks):
        economy: Economy = node.head.state.copy()
        node.mine(economy.act(random, node.next_timestamp, transactions), economy, salt=str(seed))


@pytest.fixture
def lively(node: FakeNode) -> FakeNode:
    """A chain of 40 blocks with all kinds of events."""
    economy = Economy()
    node.start_chain(economy)
    node.mine(economy.setup(), economy)
    play(node, 40)
    return node


@pytest.fixture
async def truth(fresh_database: Database, lively: FakeNode) -> dict[str, list[tuple[Any, ...]]]:
    """What an honest node's chain looks like."""
    async with indexer_of(fresh_database, lively) as indexer:
        await catch_up(indexer)
    return await dump(fresh_database)


class Refuse:
    """Meddles with some answers, as often as `times` says."""

    def __init__(self, method: str, times: int = 1_000_000) -> None:
        self.method = method
        self.times = times
        self.done = 0

    def __call__(self, method: str, params: list[Any], result: Any) -> Any:
        if method == self.method and self.done < self.times:
            self.done += 1
            return self.lie(params, result)
        return result

    def lie(self, params: list[Any], result: Any) -> Any:  # noqa: ARG002 - for subclasses
        raise NodeError(-32005, "query returned more than 10000 results")


class LeaveOut(Refuse):
    def lie(self, params: list[Any], result: Any) -> Any:
        return [] if "fromBlock" in params[0] or "blockHash" in params[0] else result


@pytest.mark.parametrize("finality", [FINAL, 64])
async def test_logs_that_a_node_leaves_out_are_found_by_bloom(
    database: Database, lively: FakeNode, truth: dict[str, Any], finality: int
) -> None:
    lively.finality_blocks = finality
    lively.finalized = lively.head.number - finality if finality == FINAL else 0
    lively.meddle = LeaveOut("eth_getLogs")
    async with indexer_of(database, lively) as indexer:
        await catch_up(indexer)
    assert await dump(database) == truth


class LeaveOutSome(Refuse):
    """Answers for single blocks without their approvals, where the same contract has another log: no bloom tells."""

    left_out = 0

    def lie(self, params: list[Any], result: Any) -> Any:
        if "blockHash" not in params[0]:
            return result
        others = {log["address"] for log in result if log["topics"][0] != APPROVAL}
        kept = [log for log in result if log["topics"][0] != APPROVAL or log["address"] not in others]
        self.left_out += len(result) - len(kept)
        return kept


async def test_logs_that_no_bloom_shows_to_be_missing_are_found_once_their_blocks_are_final(
    database: Database, lively: FakeNode, truth: dict[str, Any]
) -> None:
    lively.finality_blocks = 64
    lively.finalized = 0
    liar = lively.meddle = LeaveOutSome("eth_getLogs")
    async with indexer_of(database, lively) as indexer:
        await catch_up(indexer)
        assert liar.left_out > 0
        assert await dump(database) != truth
        lively.finalized = lively.head.number
        await catch_up(indexer)
    assert await dump(database) == truth
    assert await events_told(database) == await events_mirrored(database)


async def test_a_node_that_takes_back_logs_of_blocks_that_became_final_undoes_nothing(
    database: Database, lively: FakeNode, truth: dict[str, Any]
) -> None:
    class TakeBack(Refuse):
        def lie(self, params: list[Any], result: Any) -> Any:
            return result[:-1] if "fromBlock" in params[0] else result

    lively.finality_blocks = 64
    lively.finalized = 0
    async with indexer_of(database, lively) as indexer:
        await catch_up(indexer)
        lively.finalized = lively.head.number
        lively.meddle = TakeBack("eth_getLogs")
        with pytest.raises(InconsistentNodeError, match="leaves out logs of block"):
            await indexer.catch_up()
    assert await dump(database) == truth


async def test_without_receipts_a_contradiction_stops_the_range(database: Database, lively: FakeNode) -> None:
    lie = LeaveOut("eth_getLogs")

    def meddle(method: str, params: list[Any], result: Any) -> Any:
        if method == "eth_getBlockReceipts":
            raise NodeError(-32601, "the method does not exist")
        return lie(method, params, result)

    lively.meddle = meddle
    async with indexer_of(database, lively) as indexer:
        with pytest.raises(InconsistentNodeError, match="receipts cannot be had"):
            await indexer.catch_up()
        assert indexer.position.number == 0
        lively.meddle = None
        await catch_up(indexer)
        assert indexer.position.hash == lively.head.hash


@pytest.mark.parametrize("finality", [FINAL, 64])
@pytest.mark.parametrize("fault", ["foreign", "reversed", "repeated", "renumbered"])
async def test_a_lying_range_is_not_applied(
    database: Database, lively: FakeNode, truth: dict[str, Any], fault: str, finality: int
) -> None:
    lively.finalized = lively.head.number - finality if finality == FINAL else 0

    class Lie(Refuse):
        def lie(self, params: list[Any], result: Any) -> Any:  # noqa: ARG002
            if not result:
                self.done -= 1
                return result
            return {
                "foreign": [*result, result[-1] | {"blockHash": "0x" + "ab" * 32}],
                "reversed": [result[0], *result][::-1],
                "repeated": [*result, result[-1]],
                "renumbered": [result[0] | {"blockNumber": "0x7"}, *result[1:]],
            }[fault]

    lively.meddle = Lie("eth_getLogs", times=1)
    async with indexer_of(database, lively) as indexer:
        with pytest.raises(InconsistentNodeError):
            await indexer.catch_up()
        assert indexer.position.number == 0
        await catch_up(indexer)
    assert await dump(database) == truth


async def test_a_range_that_a_node_refuses_is_halved_until_it_answers(
    database: Database, lively: FakeNode, truth: dict[str, Any]
) -> None:
    lively.finalized = lively.head.number

    class TooMany(Refuse):
        def lie(self, params: list[Any], result: Any) -> Any:
            return super().lie(params, result) if len(result) > 40 else result

    refusal = TooMany("eth_getLogs")
    lively.meddle = refusal
    async with indexer_of(database, lively) as indexer:
        await catch_up(indexer)
    assert await dump(database) == truth


@pytest.mark.parametrize(
    ("words", "blocks"),
    [
        ("Log response size exceeded. This block range should work: [0x10, 0x1f]", 16),
        ("query exceeds max results 20000, retry with the range [0x5, 0x5]", 1),
        ("query returned more than 10000 results", None),
    ],
)
def test_the_range_that_a_provider_suggests_is_taken(words: str, blocks: int | None) -> None:
    assert suggested_span(RpcError("eth_getLogs", -32005, words, None)) == blocks


async def test_a_block_that_a_node_refuses_by_itself_is_an_error_to_retry(database: Database, lively: FakeNode) -> None:
    lively.finalized = lively.head.number
    lively.meddle = Refuse("eth_getLogs")
    async with indexer_of(database, lively) as indexer:
        with pytest.raises(RpcError, match="more than 10000 results"):
            await indexer.catch_up()


async def test_a_head_that_goes_back_is_a_lagging_node_until_it_contradicts(
    database: Database, lively: FakeNode
) -> None:
    async with indexer_of(database, lively) as indexer:
        await catch_up(indexer)
        before = await dump(database)
        lost = lively.canonical[-5:]

        lively.drop_blocks(5)  # a local chain that was killed and lost its last second
        await catch_up(indexer)
        assert indexer.position.hash == lost[-1].hash
        assert await dump(database) == before

        lively.canonical += lost  # it only lagged
        await catch_up(indexer)
        assert await dump(database) == before

        lively.drop_blocks(5)
        play(lively, 1, seed=8)  # it goes on differently
        await catch_up(indexer)
        assert indexer.position.hash == lively.head.hash
        assert indexer.position.number == lost[0].number


async def test_a_head_that_the_nodes_own_chain_does_not_have_undoes_nothing(
    database: Database, lively: FakeNode
) -> None:
    async with indexer_of(database, lively) as indexer:
        orphan = lively.head
        lively.drop_blocks(3)
        play(lively, 5, seed=8)
        await catch_up(indexer)
        position = indexer.position

        def meddle(_method: str, params: list[Any], result: Any) -> Any:
            return orphan.header() if params[:1] == ["latest"] else result

        lively.meddle = meddle
        with pytest.raises(InconsistentNodeError, match="not a block of its own chain"):
            await indexer.catch_up()
        assert indexer.position == position


async def test_a_reorg_below_the_finalized_block_stops_with_the_mirror_intact(
    database: Database, lively: FakeNode
) -> None:
    lively.finality_blocks = 10
    play(lively, 1)
    async with indexer_of(database, lively) as indexer:
        await catch_up(indexer)
        before = await dump(database)
        lively.finalized = 0
        lively.drop_blocks(20)
        play(lively, 30, seed=9)
        with pytest.raises(ReorgBelowFinalityError, match="replaced block 32, which was final"):
            await indexer.catch_up()
    assert await dump(database) == before


async def test_another_chain_is_recognised_while_running_and_at_the_next_start(
    database: Database, lively: FakeNode
) -> None:
    async with indexer_of(database, lively) as indexer:
        await catch_up(indexer)
        lively.start_chain(Economy(), salt="another genesis")
        with pytest.raises(OtherChainError, match="make reset"):
            await indexer.catch_up()
    lively.mine([], Economy())
    with pytest.raises(OtherChainError, match="belongs to another chain"):
        async with indexer_of(database, lively):
            pass


async def test_another_deployment_is_refused(
    database: Database, lively: FakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with indexer_of(database, lively) as indexer:
        await catch_up(indexer)
        moved = deployment()
        moved.contracts["IntegratedCreatorDEX"].address = CONTRACTS["CreatorTokenFactory"]
        with pytest.raises(DeploymentError, match="the database mirrors IntegratedCreatorDEX at"):
            await indexer.open(moved)


async def test_blocks_that_were_passed_without_a_contract_are_indexed_again(
    database: Database, lively: FakeNode, truth: dict[str, Any]
) -> None:
    async with indexer_of(database, lively) as indexer:
        await catch_up(indexer)
        await forget(database, "IntegratedCreatorDEX")
    async with indexer_of(database, lively) as indexer:
        assert indexer.position.number == 0
        await catch_up(indexer)
    assert await dump(database) == truth


async def test_a_contract_in_final_blocks_that_were_passed_is_refused(database: Database, lively: FakeNode) -> None:
    lively.finalized = lively.head.number
    async with indexer_of(database, lively) as indexer:
        await catch_up(indexer)
    await forget(database, "IntegratedCreatorDEX")
    with pytest.raises(DeploymentError, match="IntegratedCreatorDEX was deployed in block 1, which is final"):
        async with indexer_of(database, lively):
            pass


async def forget(database: Database, contract: str) -> None:
    async with database.transaction() as connection:
        await connection.execute(delete(IndexedContract).where(IndexedContract.contract == contract))


async def test_a_missing_log_is_noticed_by_the_books(database: Database, lively: FakeNode) -> None:
    """Where a chain keeps no blooms, at least nothing is spent that was never received."""

    def meddle(method: str, params: list[Any], result: Any) -> Any:
        if method == "eth_getBlockByNumber" and result is not None:
            return result | {"logsBloom": "0x" + "ff" * 256}
        if method == "eth_getLogs":
            return [log for log in result if set(log["topics"][1:2]) != {"0x" + "00" * 32}]  # no mints
        return result

    lively.meddle = meddle
    async with indexer_of(database, lively) as indexer:
        with pytest.raises(MirrorError, match=r"a log is missing|no earlier event created"):
            await indexer.catch_up()


async def test_two_indexers_never_write_together(database: Database, lively: FakeNode) -> None:
    async with writer_lock(database):
        other = Database(database.url)
        with pytest.raises(AlreadyRunningError, match="another indexer"):
            async with writer_lock(other, wait_seconds=0.2):
                pass
        await other.close()
    async with writer_lock(database):
        pass


async def test_a_checkpoint_that_somebody_else_moved_is_never_overwritten(database: Database, lively: FakeNode) -> None:
    async with indexer_of(database, lively) as first, indexer_of(database, lively) as second:
        await catch_up(first)
        with pytest.raises(MirrorError, match="moved the checkpoint"):
            await second.catch_up()


async def test_history_is_no_news_but_everything_after_it_is(database: Database, lively: FakeNode) -> None:
    lively.finalized = lively.head.number
    async with indexer_of(database, lively) as indexer:
        await catch_up(indexer)
        assert not await events_told(database)
        lively.finality_blocks = 64
        history = lively.head.number
        play(lively, 5, seed=3)
        await catch_up(indexer)
        lively.finalized = lively.head.number
        play(lively, 5, seed=4)  # mined while the indexer was away, and final by now
        lively.finalized = lively.head.number
        await catch_up(indexer)
    told = {number for number, _, _ in await events_told(database)}
    assert min(told) > history
    assert max(told) == lively.head.number


async def test_governors_of_single_coins_are_followed_like_the_platforms_own(
    database: Database, node: FakeNode
) -> None:
    address = "0x" + "60" * 20
    registered = deployment()
    registered.contracts[f"CreatorGovernor:{ACCOUNTS[0]}"] = registered.contracts["CreatorGovernor"].model_copy(
        update={"address": address}
    )
    node.start_chain(Economy())
    delays = {CONTRACTS["CreatorGovernor"]: 1, address: 2}
    for governor, delay in delays.items():
        args = {"oldVotingDelay": 0, "newVotingDelay": delay}
        node.mine([encode_log("CreatorGovernor", governor, "VotingDelaySet", args, 0)], Economy())
    async with indexer_of(database, node, registered) as indexer:
        await catch_up(indexer)
    assert (await dump(database))["contract_settings"] == sorted(
        (governor, "votingDelay", str(delay)) for governor, delay in delays.items()
    )


async def test_a_deployment_without_some_contracts_is_mirrored_as_far_as_it_goes(
    database: Database, node: FakeNode
) -> None:
    partial = deployment()
    del partial.contracts["SparkMarketplace"]
    economy = Economy()
    node.start_chain(Economy())
    node.mine(economy.setup(), economy)
    async with indexer_of(database, node, partial) as indexer:
        await catch_up(indexer)
    emitters = {row[4] for row in (await dump(database))["chain_events"]}
    assert CONTRACTS["SparkToken"] in emitters
    assert CONTRACTS["SparkMarketplace"] not in emitters
