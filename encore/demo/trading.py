"""Wallets that trade: each step is prepared by the API, signed here with eth-account, and sent to the chain."""

import random
from dataclasses import dataclass
from typing import Any, Final

from eth_account import Account
from eth_account.signers.local import LocalAccount

from encore.chain.rpc import RpcClient
from encore.demo.system import Api, DemoError, RefusedError, until
from encore.settings import local_account_key

WALLET_INDEXES: Final = range(3, 10)
SLIPPAGE_BPS: Final = 1_500
"""The wallets trade at the same time, so prices move between quote and execution."""
_SEEN_WITHIN_SECONDS: Final = 60.0
_BUY_SHARE_PERCENT: Final = (1, 20)
"""How much of a pool's native reserve a wallet pays, in tenths of a percent."""


@dataclass(frozen=True, slots=True)
class Done:
    """A step that the chain has mined and the API shows, or why it did not come to that."""

    wallet: str
    action: str
    coin: str
    note: str
    ok: bool


class Trader:
    """One wallet with a mind of its own (`rng`)."""

    def __init__(self, index: int, api: Api, rpc: RpcClient, rng: random.Random) -> None:
        self.index = index
        self._account: LocalAccount = Account.from_key(local_account_key(index))
        self._api = api
        self._rpc = rpc
        self._rng = rng

    @property
    def address(self) -> str:
        """The checksummed address."""
        return str(self._account.address)

    async def portfolio(self) -> Any:
        """Return what the API says the wallet has, with its coins and stakes."""
        path = f"/wallets/{self.address}"
        positions = {
            name: (await self._api.get(f"{path}/{name}", limit="100"))["items"] for name in ("holdings", "stakes")
        }
        return {**await self._api.get(f"{path}/portfolio"), **positions}

    async def act(self, coins: list[Any]) -> Done:
        """Buy, sell or stake something and wait until the API shows it."""
        holdings = {
            holding["coin"]["address"]: int(holding["amount"]) for holding in (await self.portfolio())["holdings"]
        }
        coin = self._rng.choice(coins)
        held = holdings.get(coin["address"], 0)
        action = self._rng.choice(["buy", "sell", "stake"]) if held else "buy"
        request = self._request(action, coin, held)
        try:
            prepared = await self._api.post(
                f"/coins/{coin['address']}/transactions", {**request, "wallet": self.address}
            )
            for step in prepared["steps"]:
                receipt = await self._send(step["transaction"])
            await self._seen(action, coin["address"], receipt)
        except RefusedError as error:
            return Done(self.address, action, coin["symbol"], str(error), ok=False)
        return Done(self.address, action, coin["symbol"], receipt["transactionHash"], ok=True)

    def _request(self, action: str, coin: Any, held: int) -> dict[str, Any]:
        if action == "stake":
            return {"kind": "stake", "amount": str(max(held // 4, 1))}
        if action == "sell":
            return {"side": "sell", "amount": str(max(held // 3, 1)), "slippage_bps": SLIPPAGE_BPS}
        amount = int(coin["native_reserve"]) * self._rng.randint(*_BUY_SHARE_PERCENT) // 1_000
        return {"side": "buy", "amount": str(max(amount, 1)), "slippage_bps": SLIPPAGE_BPS}

    async def _send(self, transaction: dict[str, Any]) -> Any:
        signed = self._account.sign_transaction(transaction)
        sent = await self._rpc.call("eth_sendRawTransaction", signed.raw_transaction.to_0x_hex())

        async def receipt() -> Any:
            return await self._rpc.call("eth_getTransactionReceipt", sent)

        mined = await until(receipt, _SEEN_WITHIN_SECONDS)
        if mined is None:
            raise DemoError(
                f"transaction {sent} was not mined within {_SEEN_WITHIN_SECONDS:.0f} s; is the chain running?"
            )
        if int(mined["status"], 16) != 1:
            raise RefusedError(f"reverted on chain: {sent}")
        return mined

    async def _seen(self, action: str, coin: str, receipt: Any) -> None:
        """Wait until the API has indexed the receipt's block, and for a trade until it lists it."""
        block = int(receipt["blockNumber"], 16)

        async def shown() -> bool | None:
            if action == "stake":
                return (await self.portfolio())["indexed_block"]["number"] >= block or None
            trades = await self._api.get(f"/coins/{coin}/trades", trader=self.address, limit="50")
            return any(trade["transaction_hash"] == receipt["transactionHash"] for trade in trades["items"]) or None

        if await until(shown, _SEEN_WITHIN_SECONDS) is None:
            raise DemoError(
                f"the API does not show {receipt['transactionHash']} of block {block} yet; is the indexer running?"
            )
