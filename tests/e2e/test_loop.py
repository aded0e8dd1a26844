"""The loop, from a listening log to a trade on a phone, through real processes that are killed on the way."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from eth_utils.crypto import keccak

from encore.chain.deployments import load_deployment
from encore.chain.rpc import RpcClient
from tests.e2e.conftest import FOLLOWERS_REQUIRED, STREAMS_REQUIRED, Stack, Wallet
from tests.support import eventually

ETHER = 10**18
FIRST_MILESTONE = 1_000
METRICS_UPDATED = keccak(text="CreatorMetricsUpdated(address,uint256,uint256,uint256,uint256,uint256,address)")
COIN_LAUNCHED = keccak(text="CreatorCoinLaunched(address,address,address,uint256,uint256)")

# artist -> (listeners, plays in all)
ARTISTS = {
    "Ama Sereno": (FOLLOWERS_REQUIRED, STREAMS_REQUIRED),
    "Ben Okoro": (FOLLOWERS_REQUIRED + 5, 3 * STREAMS_REQUIRED),
    "Chitra & the Kites": (FOLLOWERS_REQUIRED + 10, 20 * STREAMS_REQUIRED),
    "Too Few Listeners": (FOLLOWERS_REQUIRED - 1, 2 * STREAMS_REQUIRED),
    "Too Few Plays": (FOLLOWERS_REQUIRED + 3, STREAMS_REQUIRED - 1),
    "Past the First Milestone": (2, FIRST_MILESTONE),
    "Not Yet There": (2, FIRST_MILESTONE - 1),
}
LAUNCHED = {name for name, (fans, plays) in ARTISTS.items() if fans >= FOLLOWERS_REQUIRED and plays >= STREAMS_REQUIRED}
ON_CHAIN = {name for name, (_, plays) in ARTISTS.items() if plays >= FIRST_MILESTONE}


@pytest.fixture
def listening_log(tmp_path: Path) -> Path:
    folder = tmp_path / "log"
    folder.mkdir()
    artists = ["id\tname\turl\tpictureURL"]
    plays = ["userID\tartistID\tweight"]
    for artist, (name, (listeners, total)) in enumerate(ARTISTS.items(), start=1):
        artists.append(f"{artist}\t{name}\thttp://example.org/{artist}\thttp://example.org/{artist}.jpg")
        each, rest = divmod(total, listeners)
        plays += [f"{user}\t{artist}\t{each + (rest if user == 1 else 0)}" for user in range(1, listeners + 1)]
    (folder / "artists.dat").write_text("\n".join(artists) + "\n")
    (folder / "user_artists.dat").write_text("\n".join(plays) + "\n")
    (folder / "user_friends.dat").write_text("userID\tfriendID\n1\t2\n2\t1\n")
    return folder


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_a_listening_log_becomes_traded_coins_though_every_process_is_killed_once(
    kind: str, request: pytest.FixtureRequest, make_stack: Callable[[str], Stack], tmp_path: Path, listening_log: Path
) -> None:
    url = f"sqlite:///{tmp_path}/loop.db" if kind == "sqlite" else request.getfixturevalue("empty_postgres_url")
    stack = make_stack(url)
    stack.start()
    await eventually(stack.is_up, deadline_seconds=180)

    imported = stack.encore("import", "listens", str(listening_log), "--format", "lastfm")
    assert imported.returncode == 0, imported.stderr
    stack.kill("oracle")
    stack.kill("indexer")
    coins = await eventually(lambda: launched_coins(stack), deadline_seconds=120)
    assert {coin["name"] for coin in coins} == LAUNCHED

    await metrics_on_chain_equal_those_off_chain(stack)
    coin = next(coin["address"] for coin in coins if coin["name"] == "Ama Sereno")
    async with RpcClient(stack.settings.endpoints) as rpc:
        await trade(stack, rpc, Wallet(3), coin, side="buy", amount=ETHER)
        stack.kill("api")
        block = await trade(stack, rpc, Wallet(4), coin, side="buy", amount=2 * ETHER)
        await eventually(lambda: noted(stack, block))
        stack.kill("chain")
        await eventually(lambda: chain_answers(stack))
        bought = await eventually(lambda: held(stack, Wallet(4)))
        await trade(stack, rpc, Wallet(4), coin, side="sell", amount=bought // 2)

        trades = await stack.all_items(f"/coins/{coin}/trades")
        assert Counter((each["side"], each["trader"]) for each in trades) == {
            ("buy", Wallet(3).address): 1,
            ("buy", Wallet(4).address): 1,
            ("sell", Wallet(4).address): 1,
        }
        await each_intent_reached_the_chain_once(stack, rpc)

    verified = stack.encore("indexer", "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr

    before = await stack.all_items("/coins")
    assert stack.stop() == 0
    stack.log.unlink()
    stack.start()
    await eventually(stack.is_up, deadline_seconds=180)
    after = await stack.all_items("/coins")
    assert {(each["address"], each["price"]) for each in after} == {(each["address"], each["price"]) for each in before}


async def launched_coins(stack: Stack) -> list[dict[str, Any]]:
    """Return the coins once there are as many as have earned one."""
    coins = await stack.all_items("/coins")
    return coins if len(coins) >= len(LAUNCHED) else []


async def metrics_on_chain_equal_those_off_chain(stack: Stack) -> None:
    async def equal() -> bool:
        creators = await stack.all_items("/creators")
        metrics = [await stack.get(f"/creators/{creator['id']}/metrics") for creator in creators]
        on_chain = {
            creator["name"]: int(each["on_chain"]["monthly_streams"])
            for creator, each in zip(creators, metrics, strict=True)
            if each["on_chain"]
        }
        return on_chain == {name: ARTISTS[name][1] for name in ON_CHAIN}

    await eventually(equal)
    difference = stack.encore("oracle", "diff")
    assert difference.returncode == 0, difference.stdout + difference.stderr


async def trade(stack: Stack, rpc: RpcClient, wallet: Wallet, coin: str, *, side: str, amount: int) -> int:
    """Trade as a frontend does: have it prepared, sign, send, and see it in the API within two blocks.

    Returns the number of its block.
    """
    await eventually(lambda: stack.get("/coins"))
    body = {"kind": "trade", "side": side, "wallet": wallet.address, "amount": str(amount)}
    prepared = await stack.post(f"/coins/{coin}/transactions", body)
    for step in prepared["steps"]:
        receipt = await wallet.sign_and_send(rpc, step["transaction"])

    async def shown() -> Any:
        trades = await stack.all_items(f"/coins/{coin}/trades", trader=wallet.address)
        return next((each for each in trades if each["transaction_hash"] == receipt["transactionHash"]), None)

    seen = await eventually(shown)
    assert seen[{"buy": "native_amount", "sell": "token_amount"}[side]] == str(amount)
    head = int(await rpc.call("eth_blockNumber"), 16)
    block = int(receipt["blockNumber"], 16)
    assert head - block <= 2
    return block


async def noted(stack: Stack, block: int) -> bool:
    """Whether a chain killed now would come back with the block: it is noted some milliseconds later."""
    return stack.has_noted(block)


async def held(stack: Stack, wallet: Wallet) -> int:
    """Return what a wallet holds of its one coin, 0 while the mirror takes a reorg in."""
    holdings = (await stack.get(f"/wallets/{wallet.address}/holdings"))["items"]
    return int(holdings[0]["amount"]) if holdings else 0


async def each_intent_reached_the_chain_once(stack: Stack, rpc: RpcClient) -> None:
    deployment = load_deployment(stack.settings.deployment_path)

    async def logs(contract: str, topic: bytes) -> Counter[str]:
        query = {"fromBlock": "0x0", "address": deployment.address(contract), "topics": ["0x" + topic.hex()]}
        return Counter(log["topics"][1] for log in await rpc.call("eth_getLogs", query))

    updates = await logs("CreatorMetricsManager", METRICS_UPDATED)
    launches = await logs("CreatorTokenFactory", COIN_LAUNCHED)
    assert len(updates) == len(ON_CHAIN)
    assert set(updates.values()) == {1}
    assert len(launches) == len(LAUNCHED)
    assert set(launches.values()) == {1}


async def chain_answers(stack: Stack) -> bool:
    """Whether the chain is back, with everything that was on it."""
    try:
        stack.pid("chain")
    except AssertionError:
        return False
    async with RpcClient(stack.settings.endpoints) as rpc:
        code = await rpc.call("eth_blockNumber")
    return int(code, 16) > 0
