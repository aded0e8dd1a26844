"""A contract is added by its ABI and one module in indexer/handlers, and nothing else."""

import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from encore.chain.deployments import Abi, load_abi
from encore.chain.rpc import RpcClient
from encore.db import Database
from encore.db.models.chain import ChainEvent, Role
from indexer import handlers
from indexer.contract import Contract
from indexer.mirror import Mirror
from indexer.registry import Registry, all_contracts
from indexer.runner import Indexer
from indexer.source import Source
from tests.indexer.economy import Economy
from tests.indexer.node import FakeNode
from tests.indexer.replica import catch_up, network
from tests.indexer.world import ACCOUNTS, deployment, log_from_abi

MODULE = """
from indexer.contract import Contract, Handler
from encore.db.models.chain import Role

def _signed(event, state):
    state.upsert(Role, event.address, "guest", event.args["visitor"])["is_granted"] = True

CONTRACT = Contract(name="Guestbook", handlers={"Signed": Handler(_signed)})
"""
SIGNED: dict[str, Any] = {
    "type": "event",
    "name": "Signed",
    "anonymous": False,
    "inputs": [
        {"name": "visitor", "type": "address", "indexed": True},
        {"name": "note", "type": "string", "indexed": False},
    ],
}
GUESTBOOK = "0x" + "9e" * 20


@pytest.fixture
def contracts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Contract]:
    """Every contract, after a file was added."""
    (tmp_path / "guestbook.py").write_text(MODULE)
    monkeypatch.setattr(handlers, "__path__", [*handlers.__path__, str(tmp_path)])
    found = all_contracts()
    monkeypatch.delitem(sys.modules, "indexer.handlers.guestbook")
    return found


def abi_of(contract: str) -> Abi:
    return [SIGNED] if contract == "Guestbook" else load_abi(contract)


async def test_a_new_contract_is_one_abi_and_one_module(
    database: Database, node: FakeNode, contracts: list[Contract]
) -> None:
    node.start_chain(Economy())
    node.mine([log_from_abi(SIGNED, GUESTBOOK, {"visitor": ACCOUNTS[1], "note": "hello"}, 0)], Economy())
    extended = deployment()
    extended.contracts["Guestbook"] = extended.contracts["IntegratedCreatorDEX"].model_copy(
        update={"address": GUESTBOOK}
    )
    async with RpcClient([node.url]) as rpc:
        registry = Registry(contracts, abi_of)
        mirror = Mirror(database, registry, node.chain_id)
        indexer = Indexer(Source(rpc, network(node), registry.topics), mirror, registry)
        await indexer.open(extended)
        await catch_up(indexer)

    async with database.read() as session:
        (event,) = await session.all(select(ChainEvent.__table__))
        (role,) = await session.all(select(Role.__table__))
    assert (event.contract, event.name, event.args) == (
        "Guestbook",
        "Signed",
        {"visitor": ACCOUNTS[1], "note": "hello"},
    )
    assert (role.address, role.role, role.account) == (GUESTBOOK, "guest", ACCOUNTS[1])


def test_a_handler_for_an_event_that_the_abi_lacks_is_a_mistake(contracts: list[Contract]) -> None:
    with pytest.raises(ValueError, match="the ABI of Guestbook has no event Signed"):
        Registry(contracts, lambda name: [] if name == "Guestbook" else load_abi(name))
