"""Governance of one token: a timelock that holds what is decided over, and the governor that alone decides."""

from dataclasses import dataclass
from typing import Final

from web3.constants import ADDRESS_ZERO

from encore.settings import Settings
from scripts._common import contract_at, instance
from scripts._registry import Registry
from scripts._wiring import Wiring

HOUR: Final = 3_600
DAY: Final = 24 * HOUR
QUORUM_PERCENT: Final = 4
THRESHOLD_PARTS: Final = 100_000
"""A proposer needs a hundred-thousandth of the supply in votes."""


@dataclass(frozen=True, slots=True)
class GovernanceTerms:
    """How long a decision takes, in seconds; the proposals of the governor itself may change all of it."""

    minimum_delay: int
    voting_delay: int
    voting_period: int
    late_quorum_extension: int


PUBLIC_TERMS: Final = GovernanceTerms(2 * DAY, DAY, 7 * DAY, 2 * DAY)
LOCAL_TERMS: Final = GovernanceTerms(HOUR, 60, HOUR, 0)
"""The shortest that the contracts take: nobody waits ten days on a laptop."""


def governance_terms(settings: Settings) -> GovernanceTerms:
    """Return the terms of the network."""
    return LOCAL_TERMS if settings.chain.is_local else PUBLIC_TERMS


def deploy_timelock(registry: Registry, terms: GovernanceTerms, proposers: list[str], suffix: str = "") -> str:
    """Deploy a timelock that anybody executes on and the signer administers until `hand_over`; return its address."""
    return registry.ensure_contract(
        f"CreatorTimelock{suffix}",
        *(terms.minimum_delay, proposers, [ADDRESS_ZERO], registry.account.address),
        source="CreatorTimelock",
    )


def deploy_governor(  # noqa: PLR0913 - what a governor is made of
    registry: Registry, terms: GovernanceTerms, *, name: str, token: str, timelock: str, suffix: str = ""
) -> str:
    """Deploy the governor of a token with votes; return its address. It decides nothing before `hand_over`."""
    threshold = instance("CreatorToken", token).totalSupply() // THRESHOLD_PARTS
    return registry.ensure_contract(
        f"CreatorGovernor{suffix}",
        *(token, timelock, name, terms.voting_delay, terms.voting_period),
        *(threshold, QUORUM_PERCENT, terms.late_quorum_extension),
        source="CreatorGovernor",
    )


def hand_over(wiring: Wiring, suffix: str = "") -> None:
    """Give the governor its roles on the timelock, then renounce the signer's administration of it, last of all."""
    deployment = wiring.registry.deployment
    timelock = contract_at(deployment, f"CreatorTimelock{suffix}")
    governor = deployment.address(f"CreatorGovernor{suffix}")
    if wiring.signer_has(timelock, "DEFAULT_ADMIN_ROLE"):
        wiring.grant(timelock, "PROPOSER_ROLE", governor)
        wiring.grant(timelock, "CANCELLER_ROLE", governor)
        wiring.renounce(timelock, "DEFAULT_ADMIN_ROLE")
