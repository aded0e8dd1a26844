"""What the indexer follows: for every contract its ABI's decoders and, by event name, its handlers."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Final

from encore.chain.deployments import Abi, Deployment
from indexer import handlers
from indexer.contract import Contract, Deploys, Event, Handler
from indexer.decode import EventDecoder


@dataclass(frozen=True, slots=True)
class FollowedEvent:
    """An event of a followed contract, ready to use."""

    contract: str
    decoder: EventDecoder
    handler: Handler | None
    deploys: Deploys | None


class Registry:
    """Every followed event, by contract and topic."""

    def __init__(self, contracts: Iterable[Contract], abi_of: Callable[[str], Abi]) -> None:
        self.events: dict[str, dict[str, FollowedEvent]] = {}
        announced = set()
        for contract in contracts:
            decoders = [EventDecoder(entry) for entry in abi_of(contract.name) if entry["type"] == "event"]
            _check_names(contract, {decoder.name for decoder in decoders})
            self.events[contract.name] = {
                decoder.topic: FollowedEvent(
                    contract.name,
                    decoder,
                    contract.handlers.get(decoder.name),
                    contract.deploys.get(decoder.name),
                )
                for decoder in decoders
            }
            announced |= {deploys.contract for deploys in contract.deploys.values()}
        self.topics: Final = sorted({topic for events in self.events.values() for topic in events})
        self.deployed_contracts: Final = [name for name in self.events if name not in announced]
        """The contracts that the deployment registry gives addresses for; the others are announced by events."""
        self._announcing = {
            topic for events in self.events.values() for topic, event in events.items() if event.deploys is not None
        }

    def deployed_in(self, deployment: Deployment) -> dict[str, str]:
        """Return what to follow of `deployment`: contracts by the names they are registered under.

        A network need not have all of them, nor at once. A coin's own governor is CreatorGovernor:COIN there.
        """
        named = {registered: registered.partition(":")[0] for registered in deployment.contracts}
        return {registered: name for registered, name in named.items() if name in self.deployed_contracts}

    def announcements(self, logs: Iterable[dict[str, Any]], followed: Mapping[str, str]) -> dict[str, str]:
        """Return the contracts that `logs` announce and that are not in `followed` yet: names by address."""
        found = {}
        for log in logs:
            topics = log["topics"]
            if topics and topics[0] in self._announcing and log["address"] in followed:
                event = self.events[followed[log["address"]]].get(topics[0])
                if event is not None and event.deploys is not None:
                    address = event.decoder.decode(topics, log["data"])[event.deploys.parameter]
                    if address not in followed:
                        found[address] = event.deploys.contract
        return found

    def event_of(self, log: dict[str, Any], followed: Mapping[str, str]) -> FollowedEvent | None:
        """Return which event of a followed contract a log is; None where its ABI has no such topic."""
        return self.events[followed[log["address"]]].get(log["topics"][0])

    def decode(
        self, logs: Iterable[dict[str, Any]], followed: Mapping[str, str], timestamps: Mapping[int, int]
    ) -> Iterator[tuple[Event, FollowedEvent]]:
        """Decode the logs of followed contracts in their order; `timestamps` are by block number."""
        for log in logs:
            followed_event = self.event_of(log, followed)
            if followed_event is None:
                continue
            number = int(log["blockNumber"], 16)
            yield (
                Event(
                    contract=followed_event.contract,
                    name=followed_event.decoder.name,
                    address=log["address"],
                    args=followed_event.decoder.decode(log["topics"], log["data"]),
                    block_number=number,
                    block_hash=log["blockHash"],
                    log_index=int(log["logIndex"], 16),
                    transaction_hash=log["transactionHash"],
                    timestamp=timestamps[number],
                ),
                followed_event,
            )


def all_contracts() -> list[Contract]:
    """Return the contract of every module in `indexer.handlers`: a new module there is all that a contract needs."""
    modules = sorted(module.name for module in iter_modules(handlers.__path__))
    return [import_module(f"{handlers.__name__}.{name}").CONTRACT for name in modules]


def _check_names(contract: Contract, events: set[str]) -> None:
    unknown = sorted({*contract.handlers, *contract.deploys} - events)
    if unknown:
        raise ValueError(f"the ABI of {contract.name} has no event {', '.join(unknown)}")
