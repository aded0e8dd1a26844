"""`encore demo` beside a running system, twice."""

from collections.abc import Callable
from pathlib import Path

from encore.demo.listening import QUALIFYING_CREATORS
from encore.demo.trading import WALLET_INDEXES
from tests.e2e.conftest import Stack
from tests.support import eventually


async def test_the_demo_launches_coins_that_its_wallets_trade_and_goes_on_when_run_again(
    make_stack: Callable[[str], Stack], tmp_path: Path
) -> None:
    stack = make_stack(f"sqlite:///{tmp_path}/demo.db")
    refused = stack.encore("demo")
    assert refused.returncode == 1
    assert "start everything with `encore up`" in refused.stderr

    stack.start()
    await eventually(stack.is_up, deadline_seconds=180)
    first = stack.encore("demo", "--rounds", "1")
    assert first.returncode == 0, first.stdout + first.stderr
    coins = await stack.all_items("/coins")
    assert len(coins) >= QUALIFYING_CREATORS
    assert sum(coin["trade_count"] for coin in coins) == len(WALLET_INDEXES)

    again = stack.encore("demo", "--rounds", "2")
    assert again.returncode == 0, again.stdout + again.stderr
    coins = await stack.all_items("/coins")
    assert sum(coin["trade_count"] for coin in coins) > len(WALLET_INDEXES)
    assert all(coin["symbol"] in again.stdout for coin in coins[:QUALIFYING_CREATORS])
