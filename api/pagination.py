"""Cursor pagination by keyset: a page goes on after the key of the last row, so inserts move nothing."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Generic, TypeVar

from fastapi import Depends, Query
from pydantic import Field, TypeAdapter, ValidationError
from sqlalchemy import ColumnElement, Integer, bindparam, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from api.mirror.schemas import IndexedBlock
from api.problems import InvalidField, ProblemError
from api.wire import INT64_MAX, Wire
from encore.db.types import UINT256_MAX

DEFAULT_LIMIT = 20
MAXIMUM_LIMIT = 100
MAXIMUM_CURSOR_LENGTH = 400

Key = tuple[Any, ...]
Column = ColumnElement[Any] | InstrumentedAttribute[Any]

T = TypeVar("T")
Row = TypeVar("Row")

CursorParameter = Annotated[
    str | None,
    Query(max_length=MAXIMUM_CURSOR_LENGTH, description="`next_cursor` of the page before; opaque"),
]


@dataclass(frozen=True, slots=True)
class PageRequest:
    """What a client asks of a list."""

    cursor: str | None
    limit: int


@dataclass(frozen=True, slots=True)
class Window:
    """What a repository fetches: `limit` rows after `key`, from the start without one."""

    key: Key | None
    limit: int

    @property
    def continues(self) -> bool:
        """Whether there is a key to go on after."""
        return self.key is not None

    def parameters(self) -> dict[str, Any]:
        """Return the values of `before`, `after` and `LIMIT` in a statement."""
        return {"limit": self.limit, **{f"key_{index}": part for index, part in enumerate(self.key or ())}}


LIMIT = bindparam("limit", type_=Integer())
"""The window's limit in a statement that is built once and executed with `Window.parameters`."""


async def page_request(
    cursor: CursorParameter = None,
    limit: Annotated[int, Query(ge=1, le=MAXIMUM_LIMIT, description="how many items at most")] = DEFAULT_LIMIT,
) -> PageRequest:
    """Read the parameters that every list has."""
    return PageRequest(cursor, limit)


PageDep = Annotated[PageRequest, Depends(page_request)]

IntegerKey = Annotated[int, Field(strict=True, ge=0, le=INT64_MAX)]
Uint256Key = Annotated[int, Field(strict=True, ge=0, le=UINT256_MAX)]
AddressKey = Annotated[str, Field(pattern="^0x[0-9a-f]{40}$")]
TextKey = Annotated[str, Field(pattern=r"^[^\x00]*$", max_length=300)]


Cursor = Annotated[
    str | None,
    Field(description="give it as `cursor` for the next page; null on the last one", examples=["WyJjb2lucyIsNDJd"]),
]
"""Where the next page of a list goes on."""


class Page(Wire, Generic[T]):
    """One page of a list."""

    items: list[T]
    next_cursor: Cursor
    indexed_block: IndexedBlock


class InvalidCursorError(ProblemError):
    """The cursor is not one that this list gave out with this sort."""

    status: ClassVar[int] = 422
    slug: ClassVar[str] = "invalid-cursor"
    title: ClassVar[str] = "Invalid cursor"


class Keyset:
    """The cursors of one list in one order. `name` tells them from other lists' cursors; `parts` type the key."""

    def __init__(self, name: str, *parts: Any) -> None:
        self._name = name
        self._key: TypeAdapter[Key] = TypeAdapter(tuple[parts])  # type: ignore[valid-type]

    def decode(self, cursor: str | None) -> Key | None:
        """Return the key in `cursor`; raises `InvalidCursorError` for anything this keyset did not encode."""
        if cursor is None:
            return None
        try:
            name, *key = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
            if name == self._name:
                return self._key.validate_python(tuple(key))
        except (binascii.Error, ValueError, TypeError, RecursionError, ValidationError):
            pass
        message = "should be `next_cursor` of this list's previous page, asked for with the same sort"
        raise InvalidCursorError(
            f"the cursor {message}; leave it out for the first page",
            [InvalidField(location="query", field="cursor", message=message)],
        )

    def window(self, page: PageRequest) -> Window:
        """Return what to fetch for `page`: one row more, which tells whether there is another page."""
        return Window(self.decode(page.cursor), page.limit + 1)

    def encode(self, key: Sequence[Any]) -> str:
        """Return the cursor that goes on after `key`."""
        document = json.dumps([self._name, *key], separators=(",", ":"))
        return base64.urlsafe_b64encode(document.encode()).rstrip(b"=").decode()

    def cut(self, rows: Sequence[Row], limit: int, *columns: str) -> tuple[Sequence[Row], str | None]:
        """Split the rows of a `window` into a page of `limit` and the cursor of the next; `columns` are the key."""
        page = rows[:limit]
        if len(rows) <= limit:
            return page, None
        return page, self.encode([getattr(page[-1], column) for column in columns])


def before(*columns: Column) -> ColumnElement[bool]:
    """Rows that come after the window's key in descending order of `columns`."""
    return tuple_(*columns) < _key(columns)


def after(*columns: Column) -> ColumnElement[bool]:
    """Rows that come after the window's key in ascending order of `columns`."""
    return tuple_(*columns) > _key(columns)


def _key(columns: Sequence[Column]) -> ColumnElement[Any]:
    return tuple_(*(bindparam(f"key_{index}", type_=column.type) for index, column in enumerate(columns)))
