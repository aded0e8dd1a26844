"""The events that the contracts can emit, by name, as their exported ABIs have them: what one may listen for."""

from collections.abc import Mapping
from functools import cache
from typing import Annotated

from pydantic import AfterValidator, Field

from encore.chain.deployments import ABI_DIR, load_abi


@cache
def events_by_contract() -> Mapping[str, tuple[str, ...]]:
    """Return the names of each contract's events, both in order."""
    contracts = sorted(path.stem for path in ABI_DIR.glob("*.json"))
    return {
        contract: tuple(sorted({entry["name"] for entry in load_abi(contract) if entry["type"] == "event"}))
        for contract in contracts
    }


def _known(name: str) -> str:
    if not any(name in events for events in events_by_contract().values()):
        raise ValueError(f"{name} is no event of the contracts: /api/v1/network lists them")
    return name


EventName = Annotated[str, AfterValidator(_known), Field(max_length=50, examples=["TokensPurchased"])]
"""The name of an event on its way in: one that never comes is a typing mistake."""
