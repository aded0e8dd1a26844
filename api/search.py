"""Looking for what a person typed: a part of a text, letter case aside."""

from typing import Final

from sqlalchemy import ColumnElement, bindparam
from sqlalchemy.orm import InstrumentedAttribute

_ESCAPE: Final = "/"


def contains(column: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """Rows whose `column` contains the text of `search_parameters`."""
    return column.ilike(bindparam("pattern"), escape=_ESCAPE)


def equals(column: InstrumentedAttribute[str] | InstrumentedAttribute[str | None]) -> ColumnElement[bool]:
    """Rows whose `column`, in lower case, is the text of `search_parameters`."""
    return column == bindparam("search")


def search_parameters(text: str) -> dict[str, str]:
    """Return the values of `contains` and `equals`; what SQL takes for a wildcard is only a character here."""
    escaped = "".join(_ESCAPE + character if character in f"%_{_ESCAPE}" else character for character in text)
    return {"pattern": f"%{escaped}%", "search": text.lower()}
