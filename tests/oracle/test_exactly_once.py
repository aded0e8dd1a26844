"""Killed with -9 at random through a faulty network, reorgs, fee spikes and a node that restarts: each update once."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import orjson
from sqlalchemy import func, select

from encore.chain.outbox import Status, enqueue
from encore.chain.outbox.fees import GWEI
from encore.chain.rpc import RpcClient
from encore.db import Database
from encore.db.models.outbox import OutboxEntry, OutboxTransaction
from tests.conftest import LocalChain
from tests.faulty_proxy import NETWORK_FAULTS, FaultyProxy
from tests.oracle.background import mirroring
from tests.oracle.conftest import LOCAL, Loop, Recorder, deploy_recorder, open_loop
from tests.oracle.listening import Log, listened, save_all
from tests.oracle.long_run import KILLS, SEED
from tests.support import eventually, stop_process

WALLET = "0x" + "77" * 20
UPDATES_A_LIFE = 5
REQUESTS_OF_A_LIFE = 60
"""About as many as it takes to start, to sync and to send what was queued between two lives."""
PAUSES_SECONDS = (0.05, 2)
"""The longest wait before a kill, one or the other: while much goes on, or beyond the next look at activity."""
DEEPEST_REORG = 32
FAULT_RATE = 0.15
SLOWEST_LIFE_SECONDS = 180
BLOCK_SECONDS = 0.02


@dataclass
class Ordeal:
    """An oracle's process, the node behind a faulty proxy, and what may happen to both."""

    loop: Loop
    recorder: Recorder
    rpc: RpcClient
    start_node: Callable[[], LocalChain]
    node: LocalChain
    proxy: FaultyProxy
    state: Path
    log: Path
    random: Random
    queued: int = 0
    oldest_undoable: int = 0
    chain_turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by whoever lengthens or shortens the chain."""

    @asynccontextmanager
    async def mining(self) -> AsyncIterator[None]:
        """Mine what is sent, in place of anvil itself: it would go on while it undoes blocks, and leave a gap."""
        await self.rpc.call("evm_setAutomine", False)
        task = asyncio.create_task(self._mine_for_ever())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _mine_for_ever(self) -> None:
        while True:
            async with self.chain_turn:
                if int((await self.rpc.call("txpool_status"))["pending"], 16):
                    await self.rpc.call("evm_mine")
            await asyncio.sleep(BLOCK_SECONDS)

    async def work(self) -> None:
        """Queue transactions whose order shows on the chain, and let listeners play so that figures change."""
        sender = self.loop.oracle.signer.address
        numbers = range(self.queued, self.queued + UPDATES_A_LIFE)
        async with self.loop.database.transaction() as connection:
            await enqueue(connection, [self.recorder.intent(each, sender) for each in numbers], datetime.now(UTC))
        self.queued += UPDATES_A_LIFE
        log = Log()
        log.play(1, 1, at=datetime.now(UTC), count=1)
        log.plays[0].event_key = f"life {self.queued}"
        await save_all(self.loop.database, log.plays)

    @contextmanager
    def running_oracle(self) -> Iterator[subprocess.Popen[bytes]]:
        """Run `encore oracle run`, which reaches the node through the proxy alone, and kill it with -9."""
        settings = {
            "ENCORE_DATABASE_URL": self.loop.database.url,
            "ENCORE_DATA_DIR": str(self.loop.settings.data_dir),
            "ENCORE_RPC_URLS": self.proxy.url,
        }
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "encore", "oracle", "run"], env=os.environ | settings, stdout=log, stderr=log
            )
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    async def live_until_killed(self) -> None:
        """Let a process live until it made a random number of requests or sent everything, and kill it a moment later.

        Meanwhile something befalls the node.
        """
        last = self.proxy.requests + self.random.randrange(1, REQUESTS_OF_A_LIFE)
        pause_seconds = self.random.random() * self.random.choice(PAUSES_SECONDS)
        with self.running_oracle() as process:

            async def is_done() -> bool:
                assert process.poll() is None, self.log.read_text()[-2_000:]
                return self.proxy.requests >= last or await self._is_open_no_more()

            befalls = asyncio.create_task(self._befall())
            await eventually(is_done, SLOWEST_LIFE_SECONDS)
            await asyncio.sleep(pause_seconds)
        await befalls

    async def _befall(self) -> None:
        before = self.proxy.requests + self.random.randrange(REQUESTS_OF_A_LIFE // 2)

        async def is_time() -> bool:
            return self.proxy.requests >= before

        calamity = self.random.choice([self._reorg, self._reorg, self._fee_spike, self._restart, self._forget_pool])
        with suppress(AssertionError):  # the process was killed before: then it happens while none runs
            await eventually(is_time, deadline_seconds=2)
        async with self.chain_turn:
            await calamity()

    async def _reorg(self) -> None:
        depth = min(self.random.randint(1, DEEPEST_REORG), await self.head() - self.oldest_undoable)
        await self.rpc.call("anvil_reorg", depth, [])

    async def _fee_spike(self) -> None:
        """Raise the base fee, at times above what the oracle may pay, and let it fall again."""
        await self.rpc.call("anvil_setNextBlockBaseFeePerGas", hex(self.random.randint(2, 3_000) * GWEI))
        await self.rpc.call("evm_mine")
        await asyncio.sleep(self.random.random())
        await self.rpc.call("anvil_setNextBlockBaseFeePerGas", hex(GWEI))
        await self.rpc.call("evm_mine")

    async def _restart(self) -> None:
        # It writes its state when it ends: one killed meanwhile would serve another chain.
        stop_process(self.node.process, timeout_seconds=60)
        keep_one_genesis(self.state / "anvil.json")
        self.node = self.start_node()
        await self.rpc.call("evm_setAutomine", False)
        await self.dig_in()

    async def _forget_pool(self) -> None:
        await self.rpc.call("anvil_dropAllTransactions")

    async def dig_in(self) -> None:
        """Mine enough for the deepest reorg: a node undoes only blocks that it has seen itself."""
        self.oldest_undoable = await self.head()
        await self.rpc.call("anvil_mine", hex(DEEPEST_REORG + 1))

    async def head(self) -> int:
        return int(await self.rpc.call("eth_blockNumber"), 16)

    async def finish(self) -> None:
        """Let a process see everything through on a good network, until it is final, and end it."""
        self.proxy.fault_rate = 0
        await self.rpc.call("anvil_setNextBlockBaseFeePerGas", hex(GWEI))
        with self.running_oracle() as process:
            await eventually(self._is_open_no_more, SLOWEST_LIFE_SECONDS)
            await eventually(self._is_level)
            await self.rpc.call("anvil_mine", hex(LOCAL.finality_blocks + 1))
            await eventually(self._is_final)
            stop_process(process)

    async def _count(self, condition: Any) -> int:
        async with self.loop.database.read() as session:
            return int(await session.scalar(select(func.count()).select_from(OutboxEntry).where(condition)))

    async def _is_open_no_more(self) -> bool:
        return await self._count(OutboxEntry.status.in_(["pending", "sent"])) == 0

    async def _is_level(self) -> bool:
        return not await self.loop.differences()

    async def _is_final(self) -> bool:
        return await self._count(~OutboxEntry.is_final) == 0

    async def mined(self) -> list[dict[str, Any]]:
        """Return the oracle's transactions on the chain, in the chain's order."""
        sender = self.loop.oracle.signer.address
        blocks = await self.rpc.batch(
            [("eth_getBlockByNumber", [hex(number), True]) for number in range(await self.head() + 1)]
        )
        return [each for block in blocks for each in block["transactions"] if each["from"] == sender]


def keep_one_genesis(state: Path) -> None:
    """Leave the oldest genesis in anvil's state: at every start it adds one, and may later serve any of them."""
    content = orjson.loads(state.read_bytes())
    genesis = min((block for block in content["blocks"] if number(block) == 0), key=timestamp)
    content["blocks"] = [genesis, *(block for block in content["blocks"] if number(block) > 0)]
    state.write_bytes(orjson.dumps(content))


def number(block: dict[str, Any]) -> int:
    return int(block["header"]["number"], 16)


def timestamp(block: dict[str, Any]) -> int:
    return int(block["header"]["timestamp"], 16)


async def test_whatever_happens_the_chain_holds_each_update_once_and_in_order(
    database: Database, start_chain: Callable[..., LocalChain], tmp_path: Path
) -> None:
    state = tmp_path / "chain"
    state.mkdir()
    node = start_chain(state)
    async with (
        RpcClient([node.url]) as rpc,
        FaultyProxy(
            node.url, seed=5 + SEED, fault_rate=FAULT_RATE, kinds=(*NETWORK_FAULTS, "delayed"), delay_seconds=0.3
        ).serving() as proxy,
        open_loop(node, database, tmp_path) as loop,
        mirroring(loop),
    ):
        await listened(database, 1, plays=2_000, fans=3, wallet=WALLET)
        recorder = await deploy_recorder(rpc)
        ordeal = Ordeal(
            *(loop, recorder, rpc, lambda: start_chain(state, node.port), node, proxy),
            *(state, tmp_path / "log", Random(9 + SEED)),
        )
        async with ordeal.mining():
            await ordeal.dig_in()
            for _ in range(KILLS):
                await ordeal.work()
                await ordeal.live_until_killed()
            await ordeal.finish()

        assert await recorder.numbers() == list(range(ordeal.queued))
        mined = await ordeal.mined()
        assert [int(each["nonce"], 16) for each in mined] == list(range(len(mined)))
        async with database.read() as session:
            rows = await session.all(select(OutboxEntry.__table__).order_by(OutboxEntry.id))
            signed = {row.hash: row.outbox_id for row in await session.all(select(OutboxTransaction.__table__))}
        assert {row.is_final for row in rows} == {True}
        sent = [row for row in rows if row.nonce is not None]
        assert [row.nonce for row in sent] == list(range(len(mined)))
        assert [(row.transaction_hash, row.to_address, row.data) for row in sent] == [
            (each["hash"], each["to"], each["input"]) for each in mined
        ]
        assert [signed[each["hash"]] for each in mined] == [row.id for row in sent]
        # Figures are refused where a reorg turns the chain's clock back; they were written again (below).
        failures = {(row.kind, row.error) for row in rows if row.status == Status.FAILED}
        assert failures <= {("metrics", "metrics: observed in the future")}
        assert {row.status for row in rows if row.kind == "record"} == {Status.CONFIRMED}
        assert (await loop.on_chain(WALLET)).monthly_streams == 2_000 + KILLS
