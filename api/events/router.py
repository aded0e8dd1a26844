"""HTTP of live events: Server-Sent Events that resume by id."""

from collections.abc import AsyncIterable
from typing import Annotated

from fastapi import APIRouter, Header, Query
from fastapi.sse import EventSourceResponse

from api import problems
from api.deps import ResourcesDep
from api.events import schemas, service
from api.wire import INT64_MAX, AddressInput

MAXIMUM_FILTERS = 50

router = APIRouter(tags=["events"], responses=problems.responses(problems.InvalidRequestError))


@router.get(
    "/events",
    operation_id="streamEvents",
    summary="Stream live events",
    response_class=EventSourceResponse,
)
async def stream_events(
    held: ResourcesDep,
    *,
    after: Annotated[int | None, Query(ge=0, le=INT64_MAX, description="resume after this event id")] = None,
    coin: Annotated[
        list[AddressInput], Query(max_length=MAXIMUM_FILTERS, description="only events about these coins")
    ] = [],  # noqa: B006 - FastAPI copies it
    name: Annotated[
        list[str], Query(max_length=MAXIMUM_FILTERS, description="only these events, as TokensPurchased")
    ] = [],  # noqa: B006 - FastAPI copies it
    last_event_id: Annotated[
        int | None, Header(ge=0, le=INT64_MAX, description="what EventSource sends to resume; wins over `after`")
    ] = None,
) -> AsyncIterable[schemas.FeedEvent | schemas.FeedReset]:
    """Stream events as `applied`, and as `undone` when a reorg takes them back; comments keep the connection alive.

    Without an id it begins with the next event. A client that reads too slowly is disconnected: it resumes by id, as
    EventSource does by itself. `reset` tells that events after the given id can no longer be replayed.
    """
    wanted = service.Filter(frozenset(coin), frozenset(name))
    position = after if last_event_id is None else last_event_id
    async for event in service.stream(held.database, held.hub, wanted, position):
        yield event  # type: ignore[misc] # the annotation is for OpenAPI: what `data` holds
