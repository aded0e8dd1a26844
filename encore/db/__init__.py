"""The database: one engine for SQLite and PostgreSQL, exact 256-bit columns, models and migrations."""

from encore.db.engine import Database, ReadSession, WriteSession

__all__ = ["Database", "ReadSession", "WriteSession"]
