"""`ape run export_abis`: write the contracts' ABIs to deployments/abi/ as data; `--check` only tells what is stale."""

import json

import click
from ape import project

from encore.chain.deployments import ABI_DIR
from encore.errors import DeploymentError
from scripts._common import EXPORTED_CONTRACTS, OperatorCommand
from scripts._compile import compile_contracts


@click.command(cls=OperatorCommand)
@click.option("--check", is_flag=True, help="Write nothing; fail and name the ABIs that are missing or stale.")
def cli(*, check: bool) -> None:
    """Export the ABI of every deployable contract."""
    compile_contracts(*EXPORTED_CONTRACTS)
    stale = []
    for name in EXPORTED_CONTRACTS:
        abi = [
            entry.model_dump(mode="json", by_alias=True, exclude_none=True)
            for entry in project.get_contract(name).contract_type.abi
        ]
        text = json.dumps(abi, indent=2) + "\n"
        path = ABI_DIR / f"{name}.json"
        if path.is_file() and path.read_text() == text:
            continue
        stale.append(name)
        if not check:
            ABI_DIR.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    if check and stale:
        raise DeploymentError(f"stale ABIs: {', '.join(stale)}; run `ape run export_abis` and commit the result")
    click.echo(f"wrote {', '.join(stale)}" if stale else "all ABIs are up to date")
