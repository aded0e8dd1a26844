"""`encore oracle` as an operator uses it: real processes, a real chain, one clear line when something is wrong."""

import signal

import aiohttp
import pytest
from click.testing import CliRunner
from sqlalchemy import select

from encore.chain.local_node import free_port
from encore.db.models.outbox import OutboxEntry
from encore.settings import local_account_address, local_account_key
from oracle.cli import oracle
from tests.conftest import LocalChain
from tests.oracle.commands.shell import Shell, line_with
from tests.oracle.conftest import Loop
from tests.oracle.listening import listened
from tests.support import eventually

WALLET = "0x" + "ab" * 20
OTHER_WALLET = "0x" + "cd" * 20


async def test_sync_writes_and_diff_and_status_tell(loop: Loop, shell: Shell) -> None:
    await listened(loop.database, 1, plays=5_000, fans=3, wallet=WALLET)
    before = await shell.run("diff")
    assert before.code == 1
    assert "5000 → nothing" in before.output
    synced = await shell.run("sync")
    assert synced.code == 0, synced.output
    assert "queued the figures of 1 in 1 transactions" in synced.output
    await loop.indexer.catch_up()
    after = await shell.run("diff")
    assert (after.code, after.output) == (0, "equal: off-chain and on-chain figures of 1 creators\n")
    status = (await shell.run("status")).output
    for words in (local_account_address(1), "authorised oracle", "transactions confirmed", "9999."):
        assert words in status


async def test_one_creator_can_be_synced_alone(loop: Loop, shell: Shell) -> None:
    for number in (1, 2):
        await listened(loop.database, number, plays=5_000, fans=3, wallet=f"0x{number:040x}")
    synced = await shell.run("sync", "--creator", "creator-2-2")
    assert synced.code == 0, synced.output
    await loop.indexer.catch_up()
    assert [each.creator_id for each in await loop.differences()] == [1]
    nobody = await shell.run("sync", "--creator", "nobody")
    assert (nobody.code, nobody.output) == (1, "encore: no creator has the slug or id 'nobody'\n")


async def test_a_dry_run_shows_what_is_due_and_its_cost_and_queues_nothing(loop: Loop, shell: Shell) -> None:
    await listened(loop.database, 1, plays=50_000, fans=5, wallet=WALLET)
    shown = await shell.run("sync", "--dry-run")
    assert shown.code == 0, shown.output
    for words in ("metrics", WALLET, "1 transactions", " ETH"):
        assert words in shown.output
    async with loop.database.read() as session:
        assert await session.all(select(OutboxEntry.id)) == []
    assert (await shell.run("sync")).code == 0
    await loop.indexer.catch_up()
    shown = await shell.run("sync", "--dry-run")
    assert "launch" in shown.output
    alone = await shell.run("sync", "--dry-run", "--creator", "1")
    assert "0 transactions" in alone.output


async def test_a_paused_oracle_signs_and_writes_nothing_until_it_is_resumed(loop: Loop, shell: Shell) -> None:
    await listened(loop.database, 1, plays=5_000, fans=3, wallet=WALLET)
    await loop.oracle.sync.run(everything=True)  # waits to be signed
    await listened(loop.database, 2, plays=6_000, fans=3, wallet=OTHER_WALLET)
    assert (await shell.run("pause", "--reason", "figures look wrong")).code == 0
    refused = await shell.run("sync")
    assert refused.code == 1
    assert "figures look wrong; `encore oracle resume` lets it go on" in refused.output
    assert "UTC: figures look wrong" in (await shell.run("status")).output
    process = await shell.start("run")
    assert "figures look wrong" in await line_with(process, "paused")
    async with loop.database.read() as session:
        assert await session.all(select(OutboxEntry.status)) == [("pending",)]
    assert (await shell.run("resume")).code == 0

    async def written() -> bool:
        return [(await loop.on_chain(each)).monthly_streams for each in (WALLET, OTHER_WALLET)] == [5_000, 6_000]

    await eventually(written)
    process.send_signal(signal.SIGTERM)
    await process.communicate()
    assert "last full sync" in (await shell.run("status")).output


def test_who_pauses_has_to_say_why() -> None:
    assert CliRunner().invoke(oracle, ["pause"]).exit_code == 2


async def test_run_syncs_until_it_is_told_to_stop(loop: Loop, shell: Shell) -> None:
    await listened(loop.database, 1, plays=5_000, fans=3, wallet=WALLET)
    process = await shell.start("run")

    async def written() -> bool:
        return (await loop.on_chain(WALLET)).monthly_streams == 5_000

    await eventually(written)
    process.send_signal(signal.SIGTERM)
    output, _ = await process.communicate()
    assert process.returncode == 0
    assert b"oracle stopped" in output
    assert local_account_key(1)[2:].encode() not in output


async def test_run_serves_its_metrics_and_health_where_it_is_told_to(loop: Loop, shell: Shell) -> None:
    port = free_port()
    process = await shell.start("run", ENCORE_ORACLE_METRICS_PORT=str(port), ENCORE_ORACLE_GAS_BUDGET="2.5")
    await line_with(process, "synced")
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:

        async def served() -> list[str]:
            async with session.get("/metrics") as response:
                lines = (await response.text()).splitlines()
            return lines if "encore_oracle_authorised 1.0" in lines else []

        lines = set(await eventually(served))
        async with session.get("/readyz") as response:
            assert response.status == 200
    assert {
        "encore_oracle_leads 1.0",
        "encore_oracle_paused 0.0",
        "encore_oracle_gas_budget_coins 2.5",
        "encore_oracle_gas_left_coins 2.0",  # a fifth is kept for launches
        "encore_oracle_low_balance_coins 1.0",
        'encore_oracle_transactions{status="failed"} 0.0',
    } <= lines
    taken = await shell.run("run", ENCORE_ORACLE_METRICS_PORT=str(port))
    assert (taken.code, "ENCORE_ORACLE_METRICS_PORT: cannot listen on" in taken.output) == (1, True)
    process.send_signal(signal.SIGTERM)
    await process.communicate()


async def test_a_key_that_is_no_oracle_is_named_and_refused(loop: Loop, shell: Shell) -> None:
    refused = await shell.run("run", ENCORE_ORACLE_PRIVATE_KEY=local_account_key(5))
    assert refused.code == 1
    last = refused.output.splitlines()[-1]
    assert last.startswith(f"encore: {local_account_address(5)} is no authorised oracle")
    assert last.endswith("`ape run grant_oracle`")
    assert local_account_key(5)[2:] not in refused.output


async def test_run_waits_for_a_chain_that_is_not_there_and_says_so(shell: Shell) -> None:
    process = await shell.start("run", ENCORE_RPC_URLS=f"http://127.0.0.1:{free_port()}")
    await line_with(process, "the chain does not answer yet")
    process.send_signal(signal.SIGTERM)
    await process.communicate()
    assert process.returncode == 0


async def test_run_waits_for_the_contracts_and_says_so(anvil: LocalChain, shell: Shell) -> None:
    process = await shell.start("run", ENCORE_RPC_URLS=anvil.url)
    await line_with(process, "the contracts are not deployed yet")
    process.send_signal(signal.SIGINT)
    await process.communicate()
    assert process.returncode == 0


async def test_another_chain_than_the_configured_one_is_refused(anvil: LocalChain, shell: Shell) -> None:
    refused = await shell.run(
        "run",
        ENCORE_RPC_URLS=anvil.url,
        ENCORE_NETWORK="sepolia",
        ENCORE_ORACLE_PRIVATE_KEY=local_account_key(1),
    )
    assert refused.code == 1
    assert "serves chain 31337, but sepolia is chain 11155111" in refused.output


@pytest.mark.parametrize("command", ["run", "sync", "status", "diff", "pause", "resume", "rotate-key"])
def test_every_command_explains_itself(command: str) -> None:
    explained = CliRunner().invoke(oracle, [command, "--help"])
    assert explained.exit_code == 0
    assert len(explained.output.splitlines()) > 5
