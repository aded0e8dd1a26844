"""`ape run export_storage`: record the storage layouts of upgradeable contracts; `--check` only compares."""

import click

from encore.errors import DeploymentError
from scripts._common import OperatorCommand
from scripts._storage import STORAGE_DIR, UPGRADEABLE_CONTRACTS, StorageLayout, compiled_layout, storage_clashes


@click.command(cls=OperatorCommand)
@click.option("--check", is_flag=True, help="Write nothing; fail unless the recorded layouts are the compiled ones.")
def cli(check: bool) -> None:  # noqa: FBT001 - a click flag
    """Record where upgradeable contracts keep their variables; refuses a layout that clashes with the recorded one."""
    for name, source in UPGRADEABLE_CONTRACTS.items():
        compiled = compiled_layout(source)
        path = STORAGE_DIR / f"{name}.json"
        if path.exists():
            recorded = StorageLayout.model_validate_json(path.read_bytes())
            if clashes := storage_clashes(recorded, compiled):
                raise DeploymentError(f"{name} would clash with what is deployed: {'; '.join(clashes)}")
            if compiled == recorded:
                click.echo(f"{name} is up to date")
                continue
        if check:
            raise DeploymentError(f"{path} is missing or stale; run `ape run export_storage` and commit the result")
        STORAGE_DIR.mkdir(parents=True, exist_ok=True)
        path.write_text(compiled.model_dump_json(indent=2) + "\n")
        click.echo(f"wrote {path}")
