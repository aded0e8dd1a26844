"""SPARK under a governor and its timelock, for the tests of the governor and of attacks on it."""

from dataclasses import dataclass, field
from typing import Any

from eth_utils.crypto import keccak

from tests.contracts.conftest import COIN, ZERO_ADDRESS, Actors
from tests.contracts.voting import delegate, deploy_spark, pass_time

DAY = 86_400
PENDING, ACTIVE, CANCELED, DEFEATED, SUCCEEDED, QUEUED, _, EXECUTED = range(8)
AGAINST, FOR, ABSTAIN = range(3)

SUPPLY = 100_000_000 * COIN
QUORUM = 4_000_000 * COIN
TRADER_VOTES = 5_000_000 * COIN
STAKER_VOTES = 3_000_000 * COIN
PROVIDER_VOTES = 1_000_000 * COIN
THRESHOLD = 1_000 * COIN
STAKER_INDEX, TRADER_INDEX = 3, 4
NEW_RATE = COIN


@dataclass(frozen=True)
class Settings:
    """What a governor is deployed with: seconds, token wei and percent."""

    voting_delay: int = DAY
    voting_period: int = 7 * DAY
    threshold: int = THRESHOLD
    quorum_numerator: int = 4
    extension: int = 2 * DAY


@dataclass(frozen=True)
class Proposal:
    """Calls and their description, as the governor's functions take them."""

    targets: list[Any]
    calldatas: list[bytes]
    description: str = "Raise the rewards"
    values: list[int] = field(default_factory=lambda: [0])

    @property
    def proposed(self) -> tuple[Any, ...]:
        """The arguments of `propose`."""
        return self.targets, self.values, self.calldatas, self.description

    @property
    def hashed(self) -> tuple[Any, ...]:
        """The arguments of `queue`, `execute`, `cancel` and `hashProposal`."""
        return self.targets, self.values, self.calldatas, keccak(text=self.description)


@dataclass(frozen=True)
class Governance:
    """The contracts; the timelock administers and upgrades SPARK, and the governor alone proposes to it."""

    spark: Any
    timelock: Any
    governor: Any

    @property
    def raise_rewards(self) -> Proposal:
        """A proposal that the timelock may carry out."""
        return Proposal([self.spark], [self.spark.setRewardRate.encode_input(NEW_RATE)])

    def propose(self, proposal: Proposal, *, sender: Any) -> int:
        """Propose and return the identifier."""
        self.governor.propose(*proposal.proposed, sender=sender)
        return int(self.governor.hashProposal(*proposal.hashed))

    def open_vote(self, proposal: Proposal, chain: Any, *, sender: Any) -> int:
        """Propose, wait for the vote to start, and return the identifier."""
        identifier = self.propose(proposal, sender=sender)
        pass_time(chain, self.governor.votingDelay() + 1)
        return identifier

    def succeed(self, proposal: Proposal, chain: Any, actors: Actors) -> int:
        """Propose, vote for it with a quorum, wait for the end, and return the identifier."""
        identifier = self.open_vote(proposal, chain, sender=actors.trader)
        self.governor.castVote(identifier, FOR, sender=actors.trader)
        pass_time(chain, self.governor.votingPeriod() + 1)
        return identifier

    def execute(self, proposal: Proposal, *, sender: Any, value: int = 0) -> Any:
        """Execute; return the receipt."""
        return self.governor.invoke_transaction("execute", *proposal.hashed, sender=sender, value=value)


def deploy_governance(contracts: Any, actors: Actors, settings: Settings | None = None) -> Governance:
    """Deploy all, with trader, staker and provider voting for themselves and the creator's many tokens silent."""
    settings = settings or Settings()
    owner = actors.owner
    timelock = owner.deploy(contracts.CreatorTimelock, DAY, [], [ZERO_ADDRESS], owner)
    spark = deploy_spark(contracts, owner, admin=timelock, upgrader=timelock, holder=actors.creator)
    governor = deploy_governor(contracts, owner, spark, timelock, settings)
    for role in (timelock.PROPOSER_ROLE(), timelock.CANCELLER_ROLE()):
        timelock.grantRole(role, governor, sender=owner)
    timelock.renounceRole(timelock.DEFAULT_ADMIN_ROLE(), owner, sender=owner)
    for voter, votes in (
        (actors.trader, TRADER_VOTES),
        (actors.staker, STAKER_VOTES),
        (actors.provider, PROVIDER_VOTES),
    ):
        spark.transfer(voter, votes, sender=actors.creator)
        delegate(spark, voter, sender=voter)
    return Governance(spark, timelock, governor)


def deploy_governor(contracts: Any, deployer: Any, token: Any, timelock: Any, settings: Settings) -> Any:
    """Deploy a governor alone."""
    return deployer.deploy(
        contracts.CreatorGovernor,
        *(token, timelock, "Spark Governor", settings.voting_delay, settings.voting_period),
        *(settings.threshold, settings.quorum_numerator, settings.extension),
    )
