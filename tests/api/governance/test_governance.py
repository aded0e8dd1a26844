"""Against the real governor on a real chain: what the API tells of proposals is what the contract's views tell."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx2
from eth_utils.crypto import keccak

from api.main import create_app
from encore.settings import Settings, local_account_address
from tests.api.conftest import checked_client
from tests.api.mirrored import TRADER, Market
from tests.contracts_on_anvil import HOUR, ZERO_ADDRESS, Contract, Economy
from tests.factories import ETHER

WALLET = local_account_address(TRADER)
PATH = "/api/v1/governance"
STATES = ["pending", "active", "canceled", "defeated", "succeeded", "queued", "expired", "executed"]
"""By the governor's numbers."""


@dataclass
class Assembly:
    """Who proposes and votes; account 0 holds all SPARK at first."""

    market: Market

    def __post_init__(self) -> None:
        contracts = self.market.economy.contracts
        self.spark, self.governor, self.timelock = (
            contracts[name] for name in ("SparkToken", "CreatorGovernor", "CreatorTimelock")
        )

    async def propose(self, description: str, delay: int = 2 * HOUR, sender: int = TRADER) -> int:
        await self.governor.send("propose", *self._calls(delay), description, sender=sender)
        return await self.number(description, delay)

    async def number(self, description: str, delay: int = 2 * HOUR) -> int:
        number: int = await self.governor.call("hashProposal", *self._calls(delay), keccak(text=description))
        return number

    async def do(self, step: str, description: str, sender: int = TRADER, delay: int = 2 * HOUR) -> None:
        await self.governor.send(step, *self._calls(delay), keccak(text=description), sender=sender)

    async def told(self, number: int) -> dict[str, Any]:
        """What the API tells of a proposal, once it has been compared with the governor's views."""
        block = await self.market.mirror()
        proposal = await self.market.get(f"{PATH}/proposals/{number}")

        async def view(name: str, *arguments: Any) -> Any:
            return await self.governor.call(name, *arguments, block=block)

        assert proposal["state"] == STATES[await view("state", number)]
        told = (proposal["votes_against"], proposal["votes_for"], proposal["votes_abstain"])
        assert tuple(map(int, told)) == await view("proposalVotes", number)
        snapshot = await view("proposalSnapshot", number)
        assert int(proposal["quorum"]) == await view("quorum", snapshot)
        eta = await view("proposalEta", number)
        assert proposal["eta"] == (iso(eta) if eta else None)
        assert proposal["snapshot"] == iso(snapshot)
        assert proposal["vote_end"] == iso(await view("proposalDeadline", number))
        return proposal

    def _calls(self, delay: int) -> tuple[list[str], list[int], list[bytes]]:
        return [self.timelock.address], [0], [self.timelock.encode("updateDelay", delay)]


@asynccontextmanager
async def mirrored_again(
    market: Market, settings: Settings, added: dict[str, Contract]
) -> AsyncIterator[tuple[httpx2.AsyncClient, int]]:
    """Start indexer and API again with more contracts deployed; yields a client and the indexed block."""
    deployment = await Economy(market.chain, market.economy.contracts | added).register(settings)
    await market.indexer.open(deployment)
    block = await market.mirror()
    app = create_app(settings)
    async with app.router.lifespan_context(app), checked_client(app) as client:
        yield client, block


def iso(timestamp: int) -> str:
    return datetime.fromtimestamp(timestamp, UTC).isoformat().replace("+00:00", "Z")


async def test_a_proposal_is_told_as_the_governor_has_it_from_its_first_second_to_its_execution(
    governed: Market,
) -> None:
    assembly = Assembly(governed)
    spark, chain = assembly.spark, governed.chain
    await spark.send("delegate", WALLET)
    await chain.wait(10)
    carried = await assembly.propose("Wait two hours")
    await spark.send("burn", ETHER)  # a proposal's quorum is of the supply before it
    assert (await assembly.told(carried))["state"] == "pending"
    refused = await assembly.propose("Wait three hours", 3 * HOUR)
    forgotten = await assembly.propose("Wait four hours", 4 * HOUR)
    taken_back = await assembly.propose("Wait five hours", 5 * HOUR, sender=6)
    await assembly.do("cancel", "Wait five hours", sender=6, delay=5 * HOUR)
    await chain.wait(120)
    vote = {"kind": "vote", "wallet": WALLET, "support": "for", "reason": "patience"}
    response = await governed.client.post(f"{PATH}/transactions", json={**vote, "proposal_id": str(carried)})
    await governed.execute(response.raise_for_status().json())
    await assembly.governor.send("castVote", refused, 0, sender=TRADER)
    proposal = await assembly.told(carried)
    assert (proposal["state"], proposal["quorum_reached"]) == ("active", True)
    assert proposal["calls"][0]["target"] == assembly.timelock.address
    (cast,) = (await governed.get(f"{PATH}/proposals/{carried}/votes"))["items"]
    assert (cast["voter"], cast["support"], cast["reason"]) == (WALLET, "for", "patience")
    assert cast["weight"] == proposal["votes_for"]
    assert (await governed.get(f"{PATH}/proposals/{carried}/votes", support="against"))["items"] == []

    await chain.wait(HOUR)
    assert (await assembly.told(carried))["state"] == "succeeded"
    listed = await governed.get(f"{PATH}/proposals", limit=2)
    rest = await governed.get(f"{PATH}/proposals", limit=2, cursor=listed["next_cursor"])
    numbers = [int(item["id"]) for item in listed["items"] + rest["items"]]
    assert numbers == [taken_back, forgotten, refused, carried]
    assert rest["next_cursor"] is None
    defeated = await governed.get(f"{PATH}/proposals", state=["defeated", "canceled"], limit=100)
    assert [(int(item["id"]), item["state"]) for item in defeated["items"]] == [
        (taken_back, "canceled"),
        (forgotten, "defeated"),
        (refused, "defeated"),
    ]
    of_one = await governed.get(f"{PATH}/proposals", proposer=local_account_address(6))
    assert [int(item["id"]) for item in of_one["items"]] == [taken_back]

    await assembly.do("queue", "Wait two hours")
    assert (await assembly.told(carried))["state"] == "queued"
    await chain.wait(2 * HOUR)
    await assembly.do("execute", "Wait two hours")
    assert (await assembly.told(carried))["state"] == "executed"
    for number in (refused, forgotten, taken_back):
        await assembly.told(number)


async def test_an_operation_that_the_timelock_cancels_takes_its_proposal_with_it(governed: Market) -> None:
    assembly = Assembly(governed)
    chain, timelock = governed.chain, assembly.timelock
    await assembly.spark.send("delegate", WALLET)
    await chain.wait(10)
    number = await assembly.propose("Wait two hours")
    await chain.wait(120)
    await assembly.governor.send("castVote", number, 1, sender=TRADER)
    await chain.wait(HOUR)
    await assembly.do("queue", "Wait two hours")
    salt = (int(assembly.governor.address, 16) << 96) ^ int.from_bytes(keccak(text="Wait two hours"))
    calls = ([timelock.address], [0], [timelock.encode("updateDelay", 2 * HOUR)])
    operation = await timelock.call("hashOperationBatch", *calls, bytes(32), salt.to_bytes(32))
    await timelock.send("grantRole", await timelock.call("CANCELLER_ROLE"), local_account_address(0))
    await timelock.send("cancel", operation)
    assert (await assembly.told(number))["state"] == "canceled"
    listed = await governed.get(f"{PATH}/proposals", state="canceled")
    assert [int(item["id"]) for item in listed["items"]] == [number]


async def test_a_coin_with_a_governor_is_governed_by_its_holders(governed: Market, chain_settings: Settings) -> None:
    coin, chain, owner = governed.coin, governed.chain, local_account_address(0)
    timelock = await chain.create("CreatorTimelock", HOUR, [owner], [ZERO_ADDRESS], owner)
    governor = await chain.create(
        "CreatorGovernor", coin.address, timelock.address, *("Coin Governor", 60, HOUR, 0, 4, 0)
    )
    of_coin = {f"CreatorGovernor:{coin.address}": governor, f"CreatorTimelock:{coin.address}": timelock}
    await governed.exchange.send("buyTokens", coin.address, 0, sender=TRADER, value=10**17)
    await coin.send("stake", 200 * ETHER, sender=TRADER)
    await coin.send("delegate", WALLET, sender=TRADER)
    await chain.wait(365 * 86_400)
    await coin.send("claimRewards", sender=TRADER)  # mints
    call = timelock.encode("updateDelay", 2 * HOUR)
    await governor.send("propose", [timelock.address], [0], [call], "Wait", sender=TRADER)
    number = await governor.call("hashProposal", [timelock.address], [0], [call], keccak(text="Wait"))
    async with mirrored_again(governed, chain_settings, of_coin) as (client, block):
        told = (await client.get(f"{PATH}/proposals/{number}", params={"coin": coin.address})).raise_for_status().json()
        voter = (await client.get(f"{PATH}/voters/{WALLET}", params={"coin": coin.address})).json()
        governance = (await client.get(PATH, params={"coin": coin.address})).json()
        unknown = await client.get(PATH, params={"coin": WALLET})
    snapshot = await governor.call("proposalSnapshot", number)
    assert int(told["quorum"]) == await governor.call("quorum", snapshot, block=block)
    assert int(voter["votes"]) == await coin.call("getVotes", WALLET, block=block)
    assert int(voter["staked"]) == 200 * ETHER
    assert (governance["governor"], governance["token"]) == (governor.address, coin.address)
    assert int(governance["total_supply"]) == await coin.call("totalSupply", block=block)
    assert (unknown.status_code, unknown.json()["type"]) == (404, "urn:encore:problem:governor-not-found")


async def test_the_governors_settings_and_a_voters_votes_are_those_of_the_contracts(governed: Market) -> None:
    assembly = Assembly(governed)
    spark, governor = assembly.spark, assembly.governor
    await spark.send("transfer", WALLET, 500 * ETHER)
    body = {"kind": "delegate", "wallet": WALLET, "delegatee": WALLET}
    response = await governed.client.post(f"{PATH}/transactions", json=body)
    await governed.execute(response.raise_for_status().json())
    await spark.send("approve", spark.address, ETHER, sender=TRADER)
    await spark.send("stake", 100 * ETHER, sender=TRADER)
    await governed.mirror()
    voter = await governed.get(f"{PATH}/voters/{WALLET}")
    assert (int(voter["balance"]), int(voter["staked"])) == (400 * ETHER, 100 * ETHER)
    assert int(voter["votes"]) == await spark.call("getVotes", WALLET)
    assert voter["delegate"] == WALLET

    told = await governed.get(PATH)
    assert (told["governor"], told["token"], told["timelock"]) == (
        governor.address,
        spark.address,
        assembly.timelock.address,
    )
    views = {
        "voting_delay_seconds": "votingDelay",
        "voting_period_seconds": "votingPeriod",
        "late_quorum_extension_seconds": "lateQuorumVoteExtension",
        "quorum_percent": "quorumNumerator",
        "proposal_threshold": "proposalThreshold",
    }
    assert {name: int(told[name]) for name in views} == {
        name: await governor.call(view) for name, view in views.items()
    }
    assert int(told["total_supply"]) == await spark.call("totalSupply")

    missing = await governed.client.get(f"{PATH}/proposals/77")
    assert (missing.status_code, missing.json()["type"]) == (404, "urn:encore:problem:proposal-not-found")
    vote = {"kind": "vote", "wallet": WALLET, "support": "for", "proposal_id": "77"}
    assert (await governed.client.post(f"{PATH}/transactions", json=vote)).status_code == 404
