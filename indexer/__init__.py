"""Chain to SQL: mirrors the events of every Encore contract into the database, exactly once."""
