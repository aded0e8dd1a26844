"""CreatorTokenFactory: tokens made for creators, coins launched with their pool, and revenue distributed."""

from collections.abc import Iterator
from typing import Final

from encore.db.models.chain import Launch, Token
from encore.db.models.chain_tokens import CreatorRevenue, RevenueDistribution
from indexer.check import Check, Reader, address, number
from indexer.contract import Contract, Event, Handler, Key
from indexer.handlers.creator_token import token_row
from indexer.roles import authorisation, ownership
from indexer.settings import settings
from indexer.state import State


def _token(event: Event) -> Iterator[Key]:
    yield Token, (event.args["token"],)


def _launch_rows(event: Event) -> Iterator[Key]:
    yield Token, (event.args["token"],)
    yield Launch, (event.args["creator"],)


def _set_creator(event: Event, state: State) -> None:
    """The registry may have seen the factory itself as the creator: this event names the person."""
    token_row(event, event.args["token"], state)["creator"] = event.args["creator"]


def _launched(event: Event, state: State) -> None:
    args = event.args
    _set_creator(event, state)
    state.upsert(Launch, args["creator"]).update(
        token=args["token"],
        launcher=args["launcher"],
        native_seed=args["nativeSeed"],
        token_seed=args["tokenSeed"],
        block_number=event.block_number,
        transaction_hash=event.transaction_hash,
        timestamp=event.timestamp,
    )


def _revenue_row(event: Event) -> Iterator[Key]:
    yield CreatorRevenue, (event.args["creator"],)


def _revenue_distributed(event: Event, state: State) -> None:
    args = event.args
    state.upsert(CreatorRevenue, args["creator"], amount=0)["amount"] += args["creatorShare"]
    state.append(
        RevenueDistribution,
        event.row(
            creator=args["creator"],
            token=args["token"],
            distributor=args["distributor"],
            amount=args["amount"],
            holders_share=args["holdersShare"],
            creator_share=args["creatorShare"],
        ),
    )


def _revenue_withdrawn(event: Event, state: State) -> None:
    state.edit(CreatorRevenue, event.args["creator"])["amount"] -= event.args["amount"]


async def _checks(reader: Reader) -> list[Check]:
    factory = await reader.address(CONTRACT.name)
    found = [
        number(factory, "creatorRevenueDue(address)", (row.creator,), row.amount)
        for row in await reader.rows(CreatorRevenue)
    ]
    found += [address(factory, "coinOf(address)", (row.creator,), row.token) for row in await reader.rows(Launch)]
    return found


CONTRACT: Final = Contract(
    name="CreatorTokenFactory",
    handlers={
        "CreatorTokenCreated": Handler(_set_creator, _token),
        "CreatorCoinLaunched": Handler(_launched, _launch_rows),
        "RevenueDistributed": Handler(_revenue_distributed, _revenue_row),
        "CreatorRevenueWithdrawn": Handler(_revenue_withdrawn, _revenue_row),
        "HoldersShareUpdated": settings(holdersShare="newShare"),
        "MinimumSeedUpdated": settings(minimumSeed="newSeed"),
        "LauncherAuthorisationChanged": authorisation("launcher"),
        "OwnershipTransferred": ownership(),
    },
    checks=_checks,
)
