"""What Alembic runs: migrations on the connection that `encore.db.migrate` opened."""

from alembic import context

from encore.db.models import Base

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, render_as_batch=True
)
context.run_migrations()
