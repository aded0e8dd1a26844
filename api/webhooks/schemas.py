"""The wire form of webhooks and their deliveries."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, AnyHttpUrl, Field, TypeAdapter

from api.mirror.contracts import EventName
from api.pagination import Cursor
from api.wire import INT64_MAX, Address, AddressInput, SearchText, Wire

MAXIMUM_FILTERS = 50
_URL = TypeAdapter(AnyHttpUrl)


def _url(value: str) -> str:
    parsed = _URL.validate_python(value)
    if parsed.username or parsed.password or parsed.fragment:
        raise ValueError("should hold neither a user, a password nor a fragment")
    return value


Url = Annotated[SearchText, Field(max_length=500, pattern="^https?://"), AfterValidator(_url)]


class DeliveryStatus(StrEnum):
    """pending: to be sent, or sent again; delivered: answered with 2xx; failed: given up."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class WebhookRequest(Wire):
    """Where to send what."""

    url: Url = Field(description="https, where this API does not allow private targets", examples=["https://a.example"])
    description: SearchText = Field("", max_length=200, description="for oneself", examples=["The shop's inbox"])
    events: list[EventName] = Field(
        default=[],
        max_length=MAXIMUM_FILTERS,
        description="names of events, as `/network` lists them; all without",
        examples=[["TokensSold"]],
    )
    coins: list[AddressInput] = Field(default=[], max_length=MAXIMUM_FILTERS, description="about these; all without")


class WebhookChange(Wire):
    """What is to change; what is left out, or null, stays."""

    url: Url | None = Field(None, description="where to send from now on", examples=["https://a.example"])
    description: SearchText | None = Field(None, max_length=200, description="for oneself", examples=["The new inbox"])
    events: list[EventName] | None = Field(
        None,
        max_length=MAXIMUM_FILTERS,
        description="names of events; all where it is empty",
        examples=[["TokensSold"]],
    )
    coins: list[AddressInput] | None = Field(
        None, max_length=MAXIMUM_FILTERS, description="about these; all where it is empty"
    )
    is_active: bool | None = Field(None, strict=True, description="false: nothing new is queued until it is true again")


class Webhook(Wire):
    """A subscription."""

    id: int = Field(examples=[3])
    url: str = Field(examples=["https://a.example"])
    description: str = Field(examples=["The shop's inbox"])
    events: list[str] = Field(description="names of events; all where it is empty", examples=[["TokensSold"]])
    coins: list[Address] = Field(description="about these; all where it is empty")
    is_active: bool = Field(description="false: nothing new is queued", examples=[True])
    created_at: datetime


class NewWebhook(Webhook):
    """A subscription, and what its deliveries are signed with from now on."""

    secret: str = Field(description="shown this once; keep it", examples=["whsec_…"])


class WebhookList(Wire):
    """One page of webhooks."""

    items: list[Webhook]
    next_cursor: Cursor


class Delivery(Wire):
    """One event for one webhook."""

    id: int = Field(examples=[12])
    event_id: int = Field(description="the event's id in the feed", examples=[4711])
    status: DeliveryStatus
    attempts: int = Field(description="how often it was sent", examples=[1])
    next_attempt_at: datetime | None = Field(description="when it is due; null unless it is pending")
    response_status: int | None = Field(description="what the last attempt was answered with", examples=[200])
    error: str | None = Field(description="why the last attempt failed", examples=["answered with 503"])
    created_at: datetime
    finished_at: datetime | None = Field(description="when it was delivered or given up")


class DeliveryList(Wire):
    """One page of deliveries."""

    items: list[Delivery]
    next_cursor: Cursor


class ReplayRequest(Wire):
    """From where to send again."""

    after: int = Field(ge=0, le=INT64_MAX, strict=True, description="an event's id", examples=[4711])


class Replay(Wire):
    """What is sent again."""

    queued: int = Field(description="how many deliveries", examples=[25])
