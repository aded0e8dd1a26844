"""The wire form of signing in, sessions and accounts."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from api.accounts import siwe
from api.pagination import Cursor
from api.wire import Address, AddressInput, SearchText, Wire

MAXIMUM_SIGNATURE_BYTES = 4_096
MAXIMUM_TOKEN_LENGTH = 1_000
MESSAGE_EXAMPLE = """localhost:3000 wants you to sign in with your Ethereum account:
0x70997970C51812dc3A010C7d01b50e0d17dc79C8

Sign in to Encore.

URI: http://localhost:3000
Version: 1
Chain ID: 31337
Nonce: 5f1c9ad3b27e4c68a0d9e3b1f7c24a56
Issued At: 2026-11-21T01:40:00Z
Expiration Time: 2026-11-21T01:45:00Z"""
_HEX = "^0x(?:[0-9a-fA-F]{2})+$"


def _printable(value: str) -> str:
    if "\x00" in value:
        raise ValueError("should hold no NUL")
    return value


Text = Annotated[str, AfterValidator(_printable)]
Token = Annotated[Text, Field(min_length=1, max_length=MAXIMUM_TOKEN_LENGTH, examples=["eyJhbGciOiJIUzI1NiJ9.…"])]
HexBytes = Annotated[
    str,
    Field(pattern=_HEX, max_length=2 + 2 * MAXIMUM_SIGNATURE_BYTES),
    WithJsonSchema({"type": "string", "pattern": _HEX, "maxLength": 2 + 2 * MAXIMUM_SIGNATURE_BYTES}),
]


class ChallengeRequest(Wire):
    """Which wallet is going to sign, and where."""

    wallet: AddressInput
    domain: SearchText | None = Field(
        None,
        max_length=200,
        description="the frontend's host, with its port where it has one; must be one that this API knows",
        examples=["localhost:3000"],
    )


class Challenge(Wire):
    """What to sign; the nonce is good for one attempt."""

    message: str = Field(
        description="the EIP-4361 text to sign with personal_sign; a client may write its own with the same nonce",
        examples=[MESSAGE_EXAMPLE],
    )
    nonce: str = Field(examples=["5f1c9ad3b27e4c68a0d9e3b1f7c24a56"])
    expires_at: datetime = Field(description="the nonce is good until then")


class SignedMessage(Wire):
    """A message and a wallet's signature of it."""

    message: Text = Field(
        max_length=siwe.MAXIMUM_LENGTH,
        description="the EIP-4361 text exactly as it was signed",
        examples=[MESSAGE_EXAMPLE],
    )
    signature: HexBytes = Field(
        description="of personal_sign; what a contract wallet takes for its signature (EIP-1271) may be longer",
        examples=["0x" + "5f2b" * 32 + "1b"],
    )


class RefreshRequest(Wire):
    """The refresh token of the newest pair."""

    refresh_token: Token


class TokenPair(Wire):
    """What a client carries from now on."""

    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the scheme's name
    access_token: str = Field(description="send it as `Authorization: Bearer …`", examples=["eyJhbGciOiJIUzI1NiJ9.…"])
    expires_in: int = Field(description="seconds for which the access token is good", examples=[900])
    refresh_token: str = Field(
        description="fetches the next pair, once; keep it secret", examples=["eyJhbGciOiJIUzI1NiJ9.…"]
    )
    refresh_expires_in: int = Field(description="seconds for which the refresh token is good", examples=[604800])
    account_id: int = Field(description="who is signed in", examples=[7])


class LinkedWallet(Wire):
    """A wallet that signs in to the account."""

    address: Address
    linked_at: datetime


class Account(Wire):
    """The account that is signed in."""

    id: int = Field(examples=[7])
    display_name: str = Field(examples=["0x7099…79C8"])
    wallets: list[LinkedWallet]
    created_at: datetime


class Session(Wire):
    """A sign-in on one device."""

    id: str = Field(examples=["0f8fad5bd9cb469fa165708867284f91"])
    wallet: Address = Field(description="which wallet signed in")
    user_agent: str = Field(description="what the device said it is", examples=["Mozilla/5.0 (X11; Linux x86_64)"])
    created_at: datetime
    last_used_at: datetime = Field(description="when its tokens were last renewed")
    expires_at: datetime = Field(description="it ends then, unless it is renewed")
    is_current: bool = Field(description="whether it is the one that asks")


class SessionList(Wire):
    """One page of sessions."""

    items: list[Session]
    next_cursor: Cursor
