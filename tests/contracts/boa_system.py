"""The contracts in titanoboa's EVM, compiled and deployed once for the stateful tests of a module."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boa

from tests.contracts.conftest import COIN

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"
SUPPLY = 10**9 * COIN


@dataclass(frozen=True)
class System:
    """An exchange and two registered tokens; each token has a fee recipient of its own."""

    dex: Any
    tokens: list[Any]
    actors: list[Any]
    recipients: list[Any]


def deploy_system() -> System:
    """Deploy with three actors, the first of whom holds both tokens' whole supply."""
    owner = boa.env.generate_address("owner")
    actors = [boa.env.generate_address(f"actor {index}") for index in range(3)]
    recipients = [boa.env.generate_address(f"recipient {index}") for index in range(2)]
    token, balanced = (
        boa.load_partial(str(CONTRACTS / "tokens" / f"{name}.vy")) for name in ("CreatorToken", "BalancedCreatorToken")
    )
    with boa.env.prank(owner):
        deployer = boa.load(
            str(CONTRACTS / "launch" / "TokenDeploymentFactory.vy"),
            *(blueprint.deploy_as_blueprint().address for blueprint in (token, balanced)),
        )
        deployer.setFactory(owner, True)
        dex = boa.load(str(CONTRACTS / "exchange" / "IntegratedCreatorDEX.vy"), deployer.address)
        tokens = [
            token.at(deployer.deployCreatorToken(f"Token {index}", "TOK", "", "", SUPPLY, actors[0], recipient))
            for index, recipient in enumerate(recipients)
        ]
    return System(dex, tokens, actors, recipients)
