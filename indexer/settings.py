"""Handlers of events that change a contract's settings: each keeps the newest value under the name of its view."""

from collections.abc import Iterator

from encore.db.models.chain import ContractSetting
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
