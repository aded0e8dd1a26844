import httpx2

from encore.chain.deployments import load_abi
from encore.db import Database
from indexer.registry import Registry, all_contracts
from tests.api.accounts.signing import Signer, bearer
from tests.api.conftest import DEPLOYED
from tests.factories import CHAIN_ID, checkpoint, save


async def test_the_chain_its_contracts_and_their_events_are_told(
    client: httpx2.AsyncClient, database: Database
) -> None:
    await save(database, checkpoint())
    told = (await client.get("/api/v1/network")).raise_for_status().json()
    assert (told["name"], told["chain_id"], told["currency"]) == ("local", CHAIN_ID, "ETH")
    assert {each["name"]: each["address"].lower() for each in told["contracts"]} == DEPLOYED
    events = {each["contract"]: set(each["names"]) for each in told["events"]}
    followed = Registry(all_contracts(), load_abi).events
    assert {contract: {event.decoder.name for event in of_one.values()} for contract, of_one in followed.items()} == {
        contract: events[contract] for contract in followed
    }


async def test_an_event_that_no_contract_emits_cannot_be_listened_for(
    client: httpx2.AsyncClient, database: Database
) -> None:
    await save(database, checkpoint())
    hook = {"url": "https://receiver.example/hook", "events": ["TokenPurchased"]}
    headers = bearer(await Signer(5).sign_in(client))
    for answer in (
        await client.post("/api/v1/webhooks", json=hook, headers=headers),
        await client.get("/api/v1/events", params={"name": "TokenPurchased"}),
    ):
        assert answer.status_code == 422
        assert "TokenPurchased is no event of the contracts" in answer.json()["detail"]
