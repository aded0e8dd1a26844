"""Handlers of events that change a contract's settings: each keeps the newest value under the name of its view."""

from collections.abc import Iterator
from typing import Any

from encore.chain.deployments import load_abi
from encore.db.models.chain import ContractSetting, IndexedContract
from indexer.check import Check, Reader
from indexer.contract import Event, Handler, Key
from indexer.state import State


def settings(**parameters: str) -> Handler:
    """Handle an event that says what settings are from now on: its parameters by the settings' names."""
    return settings_of("", **parameters)


def settings_of(view: str, **parameters: str) -> Handler:
    """Handle the same for settings that are fields of the struct which `view` returns."""
    prefix = f"{view}." if view else ""
    names = {prefix + name: parameter for name, parameter in parameters.items()}

    def rows(event: Event) -> Iterator[Key]:
        for name in names:
            yield ContractSetting, (event.address, name)

    def apply(event: Event, state: State) -> None:
        for name, parameter in names.items():
            state.upsert(ContractSetting, event.address, name)["value"] = str(event.args[parameter])

    return Handler(apply, rows)


async def checks(reader: Reader) -> list[Check]:
    """Compare every setting for which its contract has a view."""
    contracts = {row.address: row.contract for row in await reader.rows(IndexedContract)}
    found = []
    for row in await reader.rows(ContractSetting):
        view, _, field = row.name.partition(".")
        outputs = _outputs(contracts.get(row.address), view)
        names = [output["name"] for output in outputs]
        if outputs:
            position = names.index(field) if field else 0
            kind = outputs[position]["type"]
            value: Any = int(row.value) if kind.startswith("uint") and row.value.isdecimal() else row.value
            found.append(Check(row.address, f"{view}()", (), (kind,), (value,), position))
    return found


def _outputs(contract: str | None, view: str) -> list[dict[str, Any]]:
    """Return what a view without arguments returns, a struct's fields one by one; nothing where there is none."""
    for entry in load_abi(contract) if contract else []:
        if entry["type"] == "function" and entry["name"] == view and not entry["inputs"]:
            outputs: list[dict[str, Any]] = entry["outputs"]
            return outputs[0]["components"] if outputs[0]["type"] == "tuple" else outputs
    return []
