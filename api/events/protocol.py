"""What goes over the WebSocket besides events: a client's requests, and the answers to them."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, TypeAdapter

from api.events.messages import EVENTS, PRICES
from api.wire import INT64_MAX, Wire, is_address

MAXIMUM_CHANNELS = 100
ACCOUNT = "account"


def _channel(value: str) -> str:
    kind, _, address = value.partition(":")
    if value not in {EVENTS, PRICES, ACCOUNT} and not (kind in {"coin", "price"} and is_address(address)):
        raise ValueError("should be events, prices, account, coin:<address> or price:<address>")
    return value.lower()


Channel = Annotated[str, AfterValidator(_channel)]


class Subscribe(Wire):
    """From now on these channels and no others; after the id, or on from what was sent last."""

    op: Literal["subscribe"]
    channels: list[Channel] = Field(max_length=MAXIMUM_CHANNELS)
    after: int | None = Field(None, strict=True, ge=0, le=INT64_MAX)


class Authenticate(Wire):
    """Be the account that an access token is of; again with the next one, before it expires."""

    op: Literal["authenticate"]
    token: str = Field(max_length=1_000)


class Ping(Wire):
    """Ask for a sign of life."""

    op: Literal["ping"]


Request = TypeAdapter[Subscribe | Authenticate | Ping](
    Annotated[Subscribe | Authenticate | Ping, Field(discriminator="op")]
)


class Subscribed(Wire):
    """The channels that the connection is subscribed to, and the id after which it is sent what they bring."""

    type: Literal["subscribed"] = "subscribed"
    channels: list[str]
    after: int


class Authenticated(Wire):
    """Who the connection is; `expires_in` seconds."""

    type: Literal["authenticated"] = "authenticated"
    account_id: int
    expires_in: int


class Pong(Wire):
    """A sign of life."""

    type: Literal["pong"] = "pong"


class Refused(Wire):
    """A request that was not done; `slug` is what an HTTP problem's `type` ends with."""

    type: Literal["error"] = "error"
    slug: str
    detail: str
