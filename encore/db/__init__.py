"""The database: one engine for SQLite and PostgreSQL, exact 256-bit columns, models and migrations."""

from encore.db.engine import Database, WriteSession
from encore.db.reading import ReadSession, Row

__all__ = ["Database", "ReadSession", "Row", "WriteSession"]
