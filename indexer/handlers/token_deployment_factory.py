"""TokenDeploymentFactory: the registry of creator tokens, plain and balanced, which announces their addresses."""

from collections.abc import Iterator
from typing import Final

from encore.db.models.chain import Token
from encore.db.models.chain_tokens import BalancedToken
from indexer.check import Check, Reader, flag
from indexer.contract import Contract, Deploys, Event, Handler, Key
from indexer.handlers.creator_token import token_row
from indexer.roles import authorisation, ownership
from indexer.state import State


def _token(event: Event) -> Iterator[Key]:
    yield Token, (event.args["token"],)


def _deployed(event: Event, state: State) -> None:
    args = event.args
    token_row(event, args["token"], state).update(
        creator=args["creator"],
        name=args["name"],
        symbol=args["symbol"],
        description=args["description"],
        image_url=args["imageUrl"],
        initial_supply=args["initialSupply"],
        maximum_supply=args["maximumSupply"],
        platform_fee_bps=args["platformFeeRate"],
        platform_fee_recipient=args["platformFeeRecipient"],
    )


def _balanced_token(event: Event) -> Iterator[Key]:
    yield BalancedToken, (event.args["token"],)


def _balanced_deployed(event: Event, state: State) -> None:
    state.upsert(BalancedToken, event.args["token"]).update(
        metrics_manager=event.args["metricsManager"],
        exchange=event.args["exchange"],
        cumulative_revenue=0,
        undivided_revenue=0,
        undivided_since=0,
        revenue_remainder=0,
        revenue_received=0,
        revenue_claimed=0,
        released_supply=0,
        last_release_at=event.timestamp,
        vested_tokens_claimed=0,
    )


async def _checks(reader: Reader) -> list[Check]:
    factory = await reader.address(CONTRACT.name)
    return [
        flag(factory, "isCreatorToken(address)", (token.address,), mirrored=True) for token in await reader.rows(Token)
    ]


CONTRACT: Final = Contract(
    name="TokenDeploymentFactory",
    handlers={
        "CreatorTokenDeployed": Handler(_deployed, _token),
        "BalancedCreatorTokenDeployed": Handler(_balanced_deployed, _balanced_token),
        "FactoryAuthorisationChanged": authorisation("factory"),
        "OwnershipTransferred": ownership(),
    },
    # A balanced token is announced twice: what comes second says what it is.
    deploys={
        "CreatorTokenDeployed": Deploys(contract="CreatorToken", parameter="token"),
        "BalancedCreatorTokenDeployed": Deploys(contract="BalancedCreatorToken", parameter="token"),
    },
    checks=_checks,
)
