"""The `encore` command; every package brings its commands through the `encore.commands` entry points."""

import sys
from importlib.metadata import EntryPoints, entry_points

import click

from encore.errors import EncoreError


class _Commands(click.Group):
    """Loads a command only when it is asked for, so that each starts quickly."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return sorted(_commands().names)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        for entry in _commands().select(name=cmd_name):
            command: click.Command = entry.load()
            return command
        return None


def _commands() -> EntryPoints:
    return entry_points(group="encore.commands")


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


def main() -> None:
    """Run the command line; an error that a person can act on is one message and exit code 1."""
    try:
        root()
    except EncoreError as error:
        click.echo(f"{click.style('encore:', fg='red', bold=True)} {error}", err=True)
        sys.exit(1)
