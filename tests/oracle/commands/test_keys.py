"""The oracle's key: from an encrypted keystore, an Ape account or the environment; handed over; and never shown."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest
from eth_account import Account
from sqlalchemy import select

from encore.chain.keys import key_from_keystore, keystore_path, read_passphrase
from encore.chain.local_node import free_port
from encore.chain.outbox import Signer
from encore.db.models.outbox import OutboxEntry
from encore.errors import EncoreError, KeystoreError, SettingsError
from encore.settings import load_settings, local_account_address, local_account_key
from oracle.assembly import assemble
from oracle.errors import NotOwnerError, RotationError
from oracle.rotation import Rotation
from tests.oracle.commands.shell import Shell, line_with
from tests.oracle.conftest import LOCAL, Loop
from tests.oracle.listening import listened
from tests.support import eventually

WALLETS = ["0x" + f"{number:02x}" * 20 for number in range(1, 5)]
PASSPHRASE = "correct horse battery staple"  # noqa: S105 - of keys that everybody knows
OLD = local_account_address(1).lower()
NEW = local_account_address(6).lower()


def keystore(folder: Path, index: int) -> Path:
    """Write account `index` of the local mnemonic as a keystore; few rounds, for it guards nothing."""
    path = folder / f"{index}.json"
    path.write_text(
        json.dumps(Account.encrypt(bytes.fromhex(local_account_key(index)[2:]), PASSPHRASE, kdf="pbkdf2", iterations=2))
    )
    return path


def passphrase_file(folder: Path, passphrase: str = PASSPHRASE) -> Path:
    path = folder / "passphrase"
    path.write_text(passphrase + "\n")
    return path


def test_a_keystore_opens_with_its_passphrase_alone_and_its_errors_show_nothing(tmp_path: Path) -> None:
    path = keystore(tmp_path, 6)
    assert key_from_keystore(str(path), PASSPHRASE) == local_account_key(6)
    with pytest.raises(KeystoreError, match="wrong passphrase") as raised:
        key_from_keystore(str(path), "not the passphrase")
    assert "not the passphrase" not in str(raised.value)
    with pytest.raises(KeystoreError, match="there is no keystore at"):
        key_from_keystore(str(tmp_path / "absent.json"), PASSPHRASE)
    path.write_text(local_account_key(6))
    with pytest.raises(KeystoreError, match="is no JSON keystore") as raised:
        key_from_keystore(str(path), PASSPHRASE)
    path.write_text(json.dumps({"private_key": local_account_key(6)}))
    with pytest.raises(KeystoreError, match="JSON V3") as raised:
        key_from_keystore(str(path), PASSPHRASE)
    assert local_account_key(6)[2:] not in str(raised.value)


def test_a_plain_name_is_an_account_of_apes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APE_DATA_FOLDER", str(tmp_path))
    (tmp_path / "accounts").mkdir()
    keystore(tmp_path / "accounts", 6).rename(tmp_path / "accounts" / "oracle.json")
    assert key_from_keystore("oracle", PASSPHRASE) == local_account_key(6)
    assert keystore_path("./oracle.json") == Path("oracle.json")
    monkeypatch.delenv("APE_DATA_FOLDER")
    assert keystore_path("oracle") == Path.home() / ".ape" / "accounts" / "oracle.json"


def test_the_settings_take_the_passphrase_from_the_environment_or_a_file(tmp_path: Path) -> None:
    path, file = str(keystore(tmp_path, 6)), passphrase_file(tmp_path)
    assert load_settings(oracle_keystore=path, oracle_passphrase=PASSPHRASE).oracle_key() == local_account_key(6)
    assert load_settings(oracle_keystore=path, oracle_passphrase_file=file).oracle_key() == local_account_key(6)
    assert PASSPHRASE not in repr(load_settings(oracle_keystore=path, oracle_passphrase=PASSPHRASE))
    with pytest.raises(SettingsError, match="needs ENCORE_ORACLE_PASSPHRASE"):
        load_settings(oracle_keystore=path).oracle_key()
    with pytest.raises(SettingsError, match="both set"):
        load_settings(oracle_keystore=path, oracle_private_key=local_account_key(6)).oracle_key()
    with pytest.raises(KeystoreError, match="cannot read the passphrase"):
        read_passphrase(tmp_path / "absent")


def test_no_refusal_of_a_key_shows_it(tmp_path: Path) -> None:
    key, keystore_of = local_account_key(1), str(keystore(tmp_path, 1))
    ways: list[dict[str, str]] = [
        {"oracle_private_key": key + "ab"},
        {"oracle_private_key": key, "oracle_keystore": keystore_of, "oracle_passphrase": PASSPHRASE},
        {"oracle_keystore": keystore_of},
        {"oracle_keystore": key, "oracle_passphrase": PASSPHRASE},  # in the wrong variable
    ]
    for way in ways:
        with pytest.raises(EncoreError) as raised:
            load_settings(**way).oracle_key()
        assert PASSPHRASE not in str(raised.value)
        assert key[2:] not in str(raised.value)


async def test_no_command_shows_a_key_or_a_passphrase_whatever_goes_wrong(
    loop: Loop, shell: Shell, tmp_path: Path
) -> None:
    """Every command, with every kind of key, at the most talkative log level, on every failure that can be made."""
    await listened(loop.database, 1, plays=50_000, fans=5, wallet=WALLETS[0])
    good, broken = keystore(tmp_path, 1), tmp_path / "broken.json"
    broken.write_text(json.dumps({"key": local_account_key(1), "passphrase": PASSPHRASE}))
    from_keystore = {"ENCORE_ORACLE_KEYSTORE": str(good), "ENCORE_ORACLE_PASSPHRASE": PASSPHRASE}
    key = local_account_key(1)
    ways: list[tuple[list[str], dict[str, str]]] = [
        (["sync", "--dry-run"], from_keystore),
        (["sync"], from_keystore | {"ENCORE_LOG_FORMAT": "json"}),
        (["rotate-key", "--from", WALLETS[0]], from_keystore),
        (["rotate-key", "--from", WALLETS[0], "--owner", str(broken), "--owner-passphrase-file", str(broken)], {}),
        (["status"], from_keystore | {"ENCORE_ORACLE_PASSPHRASE": PASSPHRASE + "!"}),
        (["status"], {"ENCORE_ORACLE_PRIVATE_KEY": key}),
        (["status"], {"ENCORE_ORACLE_PRIVATE_KEY": key[2:-2] + "xy"}),
        (["status"], from_keystore | {"ENCORE_RPC_URLS": f"http://127.0.0.1:{free_port()}"}),
        (["status"], from_keystore | {"ENCORE_DATABASE_URL": f"sqlite:///{tmp_path}/absent/encore.db"}),
        (["run"], {"ENCORE_ORACLE_PRIVATE_KEY": local_account_key(5)}),  # without a role
    ]
    secrets = [PASSPHRASE, *(local_account_key(index)[2:] for index in (0, 1, 5, 6)), key[2:-2]]
    codes = []
    for command, way in ways:
        await loop.indexer.catch_up()
        finished = await shell.run(*command, ENCORE_LOG_LEVEL="DEBUG", **way)
        codes.append(finished.code)
        assert finished.output
        for secret in secrets:
            assert secret.lower() not in finished.output.lower(), (command, way, finished.output)
    assert codes == [0, 0, 0, 1, 1, 0, 1, 1, 1, 1]


def new_key(loop: Loop) -> Loop:
    """The same loop with an oracle of the new key."""
    settings = loop.settings.model_copy(update={"oracle_private_key": _secret(local_account_key(6))})
    loop.settings = settings
    loop.oracle = assemble(settings, loop.database, loop.economy.chain.rpc, loop.deployment)
    return loop


def _secret(key: str) -> object:
    return load_settings(oracle_private_key=key).oracle_private_key


async def roles(loop: Loop, account: str) -> tuple[bool, bool]:
    contracts = loop.oracle.contracts
    return await contracts.is_oracle(account), await contracts.is_launcher(account)


def rotation(loop: Loop, *, owner: int = 0) -> Rotation:
    return Rotation(loop.oracle, OLD, Signer(local_account_key(owner), LOCAL.chain_id), lambda _: None)


async def entries(loop: Loop) -> list[tuple[str, str, str]]:
    async with loop.database.read() as session:
        statement = select(OutboxEntry.kind, OutboxEntry.status, OutboxEntry.sender).order_by(OutboxEntry.id)
        return [tuple(row) for row in await session.all(statement)]


async def test_another_key_takes_over_and_no_update_is_lost_or_sent_twice(loop: Loop) -> None:
    rpc = loop.economy.chain.rpc
    await listened(loop.database, 1, plays=5_000, fans=3, wallet=WALLETS[0])
    await loop.oracle.sync.run(everything=True)
    await rpc.call("evm_setAutomine", False)
    await loop.oracle.outbox.run_once()  # signed, not mined
    await listened(loop.database, 2, plays=6_000, fans=3, wallet=WALLETS[1])
    await loop.oracle.sync.run(everything=True)  # waits
    await rpc.call("evm_setAutomine", True)
    await rpc.call("evm_mine")

    new_key(loop)
    await rotation(loop).run(revoke_first=False)
    assert await roles(loop, OLD) == (False, False)
    assert await roles(loop, NEW) == (True, True)
    await loop.settle()
    sent = [each for each in await entries(loop) if each[0] == "metrics"]
    assert sent == [("metrics", "confirmed", OLD), ("metrics", "confirmed", NEW)]
    assert await loop.differences() == []

    before = len(await entries(loop))
    await rotation(loop).run(revoke_first=False)  # again: nothing is left to do
    assert len(await entries(loop)) == before


async def test_a_leaked_key_loses_its_roles_before_all_else(loop: Loop) -> None:
    await listened(loop.database, 1, plays=5_000, fans=3, wallet=WALLETS[0])
    await loop.oracle.sync.run(everything=True)
    new_key(loop)
    told: list[str] = []
    leaked = Rotation(loop.oracle, OLD, Signer(local_account_key(0), LOCAL.chain_id), told.append)
    await leaked.run(revoke_first=True)
    assert told[0] == f"{local_account_address(1)} may no longer report and launch"
    await loop.settle()
    assert (await entries(loop))[0] == ("metrics", "confirmed", NEW)


async def test_where_reorgs_happen_the_old_key_keeps_its_roles_until_what_it_signed_is_final(loop: Loop) -> None:
    rpc = loop.economy.chain.rpc
    await listened(loop.database, 1, plays=5_000, fans=3, wallet=WALLETS[0])
    await loop.oracle.sync.run(everything=True)
    await loop.settle()
    new_key(loop)
    loop.settings.__dict__["chain"] = replace(LOCAL, name="public", block_seconds=0.02)
    told: list[str] = []

    async def has_told() -> bool:
        return "waiting until what the old key signed is final" in told

    owner = Signer(local_account_key(0), LOCAL.chain_id)
    handing_over = asyncio.create_task(Rotation(loop.oracle, OLD, owner, told.append).run(revoke_first=False))
    await eventually(has_told)
    await rpc.call("anvil_mine", "0x10")
    assert await roles(loop, OLD) == (True, True)
    assert not handing_over.done()
    await rpc.call("anvil_mine", "0x80")
    await handing_over
    assert await roles(loop, OLD) == (False, False)


async def test_whoever_is_not_the_owner_is_told_which_calls_the_owner_has_to_make(loop: Loop) -> None:
    new_key(loop)
    with pytest.raises(NotOwnerError, match=f"owner, {local_account_address(0)}, has to make") as raised:
        await rotation(loop, owner=7).run(revoke_first=False)
    _, *calls = str(raised.value).splitlines()
    assert await entries(loop) == []
    for call in calls:  # by hand, as the message has them
        _, to, _, data = call.split()
        await loop.economy.chain.send(data, to=to)
    assert await roles(loop, NEW) == (True, True)
    with pytest.raises(NotOwnerError):
        await rotation(loop, owner=7).run(revoke_first=False)  # now of the old key
    assert await roles(loop, OLD) == (True, True)


async def test_a_call_of_the_owner_that_fails_ends_it_with_the_reason(loop: Loop) -> None:
    new_key(loop)
    for index in range(20):
        await loop.metrics_manager.send("setOracle", f"0x{index + 1:040x}", True)
    with pytest.raises(RotationError, match="the owner's call failed: metrics: too many oracles"):
        await rotation(loop).run(revoke_first=False)


async def test_the_command_hands_the_configured_key_the_work(loop: Loop, shell: Shell, tmp_path: Path) -> None:
    configured = {
        "ENCORE_ORACLE_KEYSTORE": str(keystore(tmp_path, 6)),
        "ENCORE_ORACLE_PASSPHRASE_FILE": str(passphrase_file(tmp_path)),
    }
    nonsense = await shell.run("rotate-key", "--from", "0x12", **configured)
    assert (nonsense.code, "'0x12' is not an address" in nonsense.output) == (1, True)
    itself = await shell.run("rotate-key", "--from", NEW, **configured)
    assert (itself.code, "is the configured key: configure the new one first" in itself.output) == (1, True)
    running = await shell.start("run")
    await line_with(running, "oracle ready")
    refused = await shell.run("rotate-key", "--from", OLD, **configured)
    assert (refused.code, "an oracle is running: stop it first" in refused.output) == (1, True)
    running.terminate()
    await running.communicate()
    owner = ("--owner", str(keystore(tmp_path, 0)), "--owner-passphrase-file", str(passphrase_file(tmp_path)))
    done = await shell.run("rotate-key", "--from", OLD, *owner, **configured)
    assert done.code == 0, done.output
    assert f"{local_account_address(6)} may report and launch" in done.output
    assert f"{local_account_address(1)} may no longer report and launch" in done.output
    await loop.indexer.catch_up()
    assert (await shell.run("sync", **configured)).code == 0
    assert "no authorised oracle" in (await shell.run("run")).output
