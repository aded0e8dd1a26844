"""The appended tables' secondary indexes: left out while history is loaded, built from sorted rows after it."""

from collections.abc import Iterator

from sqlalchemy import Connection, Index
from sqlalchemy.schema import CreateIndex, DropIndex

from indexer.reorg import appended_tables


def drop_indexes(connection: Connection) -> None:
    """Leave the indexes out: kept up row by row they cost more than the rows, and more with each row."""
    for index in _indexes():
        connection.execute(DropIndex(index, if_exists=True))


def build_indexes(connection: Connection) -> None:
    """Build the indexes that are left out."""
    for index in _indexes():
        connection.execute(CreateIndex(index, if_not_exists=True))


def _indexes() -> Iterator[Index]:
    for table in appended_tables():
        yield from table.indexes
