"""The `encore` command; the packages above the floor bring theirs through the `encore.commands` entry points."""

import sys
from importlib.metadata import entry_points

import click

from encore.db.cli import db
from encore.demo.cli import demo
from encore.errors import EncoreError
from encore.stack.cli import reset, up


class _Commands(click.Group):
    """Loads a package's commands only when they are asked for, so that `encore --help` stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        own = super().list_commands(ctx)
        return sorted({*own, *(entry.name for entry in entry_points(group="encore.commands"))})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        own = super().get_command(ctx, cmd_name)
        if own is not None:
            return own
        for entry in entry_points(group="encore.commands", name=cmd_name):
            command: click.Command = entry.load()
            return command
        return None


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="encore")
def root() -> None:
    r"""The backend of an on-chain creator economy.

    \b
    See it live:        encore up          then, in another terminal:  encore demo
    Use your own data:  encore import listens PATH --format lastfm|listenbrainz|csv
    Run the parts:      encore indexer run · encore oracle run · encore api run

    Every setting is an ENCORE_… variable (or a line in .env); README.md lists them.
    """


root.add_command(up)
root.add_command(reset)
root.add_command(db)
root.add_command(demo)


def main() -> None:
    """Run the command line; an error that a person can act on is one line and exit code 1."""
    try:
        root()
    except EncoreError as error:
        click.echo(f"{click.style('encore:', fg='red', bold=True)} {error}", err=True)
        sys.exit(1)
