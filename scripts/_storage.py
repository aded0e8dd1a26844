"""Storage layouts of upgradeable contracts: what the compiler says, what is recorded, and where the two would clash."""

from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel
from vyper.cli.vyper_compile import compile_files

from encore import PROJECT_ROOT

UPGRADEABLE_CONTRACTS: Final = {"SparkToken": PROJECT_ROOT / "contracts" / "tokens" / "SparkToken.vy"}
"""The sources of the contracts that stand behind a proxy."""

STORAGE_DIR: Final = PROJECT_ROOT / "deployments" / "storage"


class Variable(BaseModel):
    """A variable by its path through the modules; `slot` in hexadecimal, `slots` the number it takes."""

    name: str
    type: str
    slot: str
    slots: int


class StorageLayout(BaseModel):
    """All variables of a contract in the order of their slots, gaps left out."""

    evm_version: str
    variables: list[Variable]


def compiled_layout(source: Path) -> StorageLayout:
    """Return the layout that the compiler gives the contract in `source`."""
    (output,) = compile_files([source], ["layout", "settings_dict"], paths=[str(PROJECT_ROOT)]).values()
    return StorageLayout(
        evm_version=output["settings_dict"]["evm_version"], variables=_variables(output["layout"]["storage_layout"])
    )


def storage_clashes(deployed: StorageLayout, upgrade: StorageLayout) -> list[str]:
    """Say, in one sentence each, what of `deployed` would be read or written as something else after `upgrade`.

    A variable keeps its slot, type and name, though the path to it may grow in front; new ones follow the last.
    """
    clashes = []
    if upgrade.evm_version != deployed.evm_version:
        clashes.append(f"the EVM version changes from {deployed.evm_version} to {upgrade.evm_version}")
    upgraded = {variable.slot: variable for variable in upgrade.variables}
    for before in deployed.variables:
        after = upgraded.pop(before.slot, None)
        if (
            after is None
            or (after.type, after.slots) != (before.type, before.slots)
            or not f".{after.name}".endswith(f".{before.name}")
        ):
            successor = f"{after.name}: {after.type}" if after else "nothing"
            clashes.append(f"{before.name}: {before.type} at {before.slot} becomes {successor}")
    end = max(int(variable.slot, 16) + variable.slots for variable in deployed.variables)
    clashes.extend(
        f"{added.name}: {added.type} at {added.slot} stands before the end"
        for added in upgraded.values()
        if int(added.slot, 16) < end
    )
    return clashes


def _variables(layout: dict[str, Any], path: str = "") -> list[Variable]:
    variables = []
    for name, entry in layout.items():
        if "n_slots" not in entry:
            variables += _variables(entry, f"{path}{name}.")
        elif not name.startswith("_gap"):
            variables.append(
                Variable(name=path + name, type=entry["type"], slot=hex(entry["slot"]), slots=entry["n_slots"])
            )
    return variables
