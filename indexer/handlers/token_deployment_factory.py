"""TokenDeploymentFactory: the registry of creator tokens, which announces every token's address."""

from collections.abc import Iterator
from typing import Final

from encore.db.models.chain import Token
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


CONTRACT: Final = Contract(
    name="TokenDeploymentFactory",
    handlers={
        "CreatorTokenDeployed": Handler(_deployed, _token),
        "FactoryAuthorisationChanged": authorisation("factory"),
        "OwnershipTransferred": ownership(),
    },
    deploys={"CreatorTokenDeployed": Deploys(contract="CreatorToken", parameter="token")},
)
