"""All SQL of the oracle. Set-based: every creator in one statement, the same on SQLite and PostgreSQL."""
