"""HTTP of live events: Server-Sent Events that resume by id."""

import asyncio
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Query, Response, status
from starlette.types import Receive, Scope, Send

from api import problems
from api.accounts.access import AccessDep
from api.accounts.service import wallets_of
from api.accounts.tokens import UnauthenticatedError
from api.deps import Resources, ResourcesDep
from api.events import schemas
from api.events.connections import EXTENSION, Writer, http_chunk
from api.events.messages import EVENTS, PRICES, coin_channel, price_channel, wallet_channel
from api.events.service import Feed, Gap, Listeners, Stream, deliver, server_sent
from api.mirror.contracts import EventName
from api.wire import INT64_MAX, AddressInput

MAXIMUM_FILTERS = 50
PING_SECONDS: Final = 15.0
PING: Final = http_chunk(b": ping\n\n")
"""A comment that keeps proxies from ending a connection on which nothing happens."""
_HEADERS: Final = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


class EventStream(Response):
    """What the feed brings after an id, until the client leaves, is too slow or has had its time."""

    media_type = "text/event-stream"

    def __init__(self, feed: Feed, listeners: Listeners, after: int | None, lifetime_seconds: float | None) -> None:
        self.status_code = status.HTTP_200_OK
        self.background = None
        self._feed = feed
        self._listeners = listeners
        self._after = after
        self._lifetime_seconds = lifetime_seconds
        self.init_headers(_HEADERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Begin the answer, then write to the connection itself."""
        writer: Writer = scope["extensions"][EXTENSION]
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await self._run(writer, receive)
        if writer.is_full:
            writer.transport.abort()  # it would wait for who does not read
        await send({"type": "http.response.body"})

    async def _run(self, writer: Writer, receive: Receive) -> None:
        ended = asyncio.Event()
        stream = Stream(
            self._feed,
            self._listeners,
            self._after,
            write=writer.write_now,
            dropped=ended,
            lifetime_seconds=self._lifetime_seconds,
        )
        work = (deliver(stream, writer, _reset), _left(receive), ended.wait(), self._feed.hub.closed.wait())
        tasks = [asyncio.ensure_future(each) for each in work]
        try:
            while not (await asyncio.wait(tasks, timeout=PING_SECONDS, return_when=asyncio.FIRST_COMPLETED))[0]:
                writer.write_now(PING)
        finally:
            for task in tasks:
                task.cancel()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome


_EVENTS: Final[dict[int | str, dict[str, Any]]] = {
    200: {"model": schemas.FeedEvent | schemas.FeedReset, "description": "Events"}
}
_PRICES: Final[dict[int | str, dict[str, Any]]] = {
    200: {"model": schemas.PriceTick | schemas.FeedReset, "description": "Prices"}
}

router = APIRouter(tags=["events"], responses=problems.responses(problems.InvalidRequestError))

After = Annotated[int | None, Query(ge=0, le=INT64_MAX, description="resume after this event id")]
LastEventId = Annotated[
    int | None,
    Header(ge=0, le=INT64_MAX, description="what EventSource sends to resume; wins over `after`"),
]
Coins = Annotated[list[AddressInput], Query(max_length=MAXIMUM_FILTERS, description="only about these coins")]
Names = Annotated[
    list[EventName],
    Query(max_length=MAXIMUM_FILTERS, description="only these events, by the names that `/network` lists"),
]


@router.get(
    "/events",
    operation_id="streamEvents",
    summary="Stream live events",
    response_class=EventStream,
    status_code=status.HTTP_200_OK,
    responses=_EVENTS,
)
async def stream_events(
    held: ResourcesDep,
    *,
    after: After = None,
    coin: Coins = [],  # noqa: B006 - FastAPI copies it
    name: Names = [],  # noqa: B006 - FastAPI copies it
    last_event_id: LastEventId = None,
) -> EventStream:
    """Stream events as `applied`, and as `undone` when a reorg takes them back; comments keep the connection alive.

    Without an id it begins with the next event. A client that reads too slowly is disconnected: it resumes by id, as
    EventSource does by itself. `reset` tells that events after the given id can no longer be replayed.
    """
    channels = frozenset(map(coin_channel, coin)) or frozenset({EVENTS})
    return _response(held, Listeners("event", channels, frozenset(name)), after, last_event_id)


@router.get(
    "/prices",
    operation_id="streamPrices",
    summary="Stream live prices",
    response_class=EventStream,
    status_code=status.HTTP_200_OK,
    responses=_PRICES,
)
async def stream_prices(
    held: ResourcesDep,
    *,
    after: After = None,
    coin: Coins = [],  # noqa: B006 - FastAPI copies it
    last_event_id: LastEventId = None,
) -> EventStream:
    """Stream each change of a coin's price: `applied` with the new one, `undone` with the one that holds again.

    Resuming, slow clients and `reset` are as with live events, whose ids these are.
    """
    channels = frozenset(map(price_channel, coin)) or frozenset({PRICES})
    return _response(held, Listeners("price", channels), after, last_event_id)


@router.get(
    "/me/events",
    operation_id="streamAccountEvents",
    summary="Stream live events of one's own wallets",
    response_class=EventStream,
    status_code=status.HTTP_200_OK,
    responses=_EVENTS | problems.responses(UnauthenticatedError),
)
async def stream_account_events(
    held: ResourcesDep,
    access: AccessDep,
    *,
    after: After = None,
    last_event_id: LastEventId = None,
) -> EventStream:
    """Stream events that name one of the wallets which the account has when the stream is opened.

    It ends with the access token: open it again with the next one, and `Last-Event-ID`.
    """
    channels = frozenset(map(wallet_channel, await wallets_of(held, access.account_id)))
    lifetime = access.expires_at - held.clock()
    return _response(held, Listeners("event", channels), after, last_event_id, lifetime)


def _response(
    held: Resources,
    listeners: Listeners,
    after: int | None,
    last_event_id: int | None,
    lifetime_seconds: float | None = None,
) -> EventStream:
    position = after if last_event_id is None else last_event_id
    return EventStream(Feed(held.database, held.hub), listeners, position, lifetime_seconds)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _reset(gap: Gap) -> bytes:
    reset = gap.wire()
    return http_chunk(server_sent(reset.type, reset.model_dump_json(), reset.id))
