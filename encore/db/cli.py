"""`encore db`: the schema of the database."""

import click

from encore.db import migrate
from encore.settings import load_settings


@click.group()
def db() -> None:
    """Create, upgrade, roll back and check the database schema (ENCORE_DATABASE_URL)."""


@db.command()
def upgrade() -> None:
    """Create the schema, or bring it to this version; doing it again changes nothing."""
    url = load_settings().database
    migrate.upgrade(url)
    click.echo("the database schema is up to date")


@db.command()
@click.argument("revision")
@click.confirmation_option(prompt="Rolling back drops the columns and tables that were added since. Go on?")
def downgrade(revision: str) -> None:
    """Roll the schema back to REVISION (`base` drops every table)."""
    migrate.downgrade(load_settings().database, revision)
    click.echo(f"the database schema is at {revision}")


@db.command()
def check() -> None:
    """Say whether the schema is the one this version needs; exit code 1 when it is not."""
    migrate.check_schema(load_settings().database)
    click.echo("the database schema is the one this version needs")
