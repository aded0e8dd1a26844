"""Wallets of the tests, and how they sign in."""

from dataclasses import dataclass
from typing import Any

import httpx2
from eth_account import Account
from eth_account.messages import encode_defunct

from encore.settings import local_account_address, local_account_key


@dataclass(frozen=True)
class Signer:
    """A wallet with the key of a local account; `contract` is the address of a contract wallet it signs for."""

    index: int
    contract: str = ""

    @property
    def address(self) -> str:
        return self.contract or local_account_address(self.index)

    def sign(self, message: str) -> dict[str, str]:
        """Sign as personal_sign does; returns a request's body."""
        signed = Account.sign_message(encode_defunct(text=message), local_account_key(self.index))
        return {"message": message, "signature": "0x" + bytes(signed.signature).hex()}

    async def challenge(self, client: httpx2.AsyncClient, path: str = "auth/challenges", **kwargs: Any) -> str:
        """Ask for a message to sign."""
        response = await client.post(f"/api/v1/{path}", json={"wallet": self.address}, **kwargs)
        assert response.status_code == 200, response.text
        message: str = response.json()["message"]
        return message

    async def sign_in(self, client: httpx2.AsyncClient) -> dict[str, Any]:
        """Open a session; returns its tokens."""
        response = await client.post("/api/v1/auth/sessions", json=self.sign(await self.challenge(client)))
        assert response.status_code == 201, response.text
        pair: dict[str, Any] = response.json()
        return pair

    async def link(self, client: httpx2.AsyncClient, pair: dict[str, Any]) -> httpx2.Response:
        """Link this wallet to the account that `pair` is of."""
        message = await self.challenge(client, "me/wallets/challenges", headers=bearer(pair))
        return await client.post("/api/v1/me/wallets", json=self.sign(message), headers=bearer(pair))


def bearer(pair: dict[str, Any]) -> dict[str, str]:
    """The header that carries an access token."""
    return {"Authorization": f"Bearer {pair['access_token']}"}
