"""`python -m encore.chain.evm_door`: serve the development chain on a port."""

import sys
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Final

import click

from encore.chain.evm_door.chain import DevelopmentChain
from encore.chain.evm_door.journal import Journal
from encore.chain.evm_door.methods import Methods
from encore.chain.evm_door.server import HOST, claim_port, serve
from encore.errors import EncoreError

PROGRESS_SECONDS: Final = 2.0


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), required=True, help="TCP port on 127.0.0.1.")
@click.option(
    "--journal",
    "journal_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to keep the chain in; without it the chain is forgotten on exit.",
)
def main(port: int, journal_path: Path | None) -> None:
    """Serve a local Ethereum chain (py-evm, chain id 31337) with anvil's ten funded accounts."""
    with ExitStack() as held:
        try:
            claimed = held.enter_context(claim_port(port))
            if journal_path is None:
                chain = DevelopmentChain()
            else:
                chain = restored_chain(held.enter_context(closing(Journal(journal_path))))
        except EncoreError as error:
            click.echo(f"encore: {error}", err=True)
            sys.exit(1)
        click.echo(f"development chain at block {chain.head.header.block_number} on http://{HOST}:{port}")
        serve(Methods(chain), claimed)


def restored_chain(journal: Journal) -> DevelopmentChain:
    """Return the chain that the journal tells of, which goes on writing to it."""
    chain = DevelopmentChain(record=journal.append)
    entries = journal.entries()
    told = time.monotonic()
    for done, entry in enumerate(entries):
        if time.monotonic() - told > PROGRESS_SECONDS:
            told = time.monotonic()
            click.echo(f"development chain: {done} of {len(entries)} transactions put back")
        chain.restore(entry)
    return chain


if __name__ == "__main__":
    main()
