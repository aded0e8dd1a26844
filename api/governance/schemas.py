"""The wire form of governance."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from api.mirror.schemas import IndexedBlock
from api.pagination import Page
from api.trading.schemas import DelegateRequest
from api.wire import Address, AddressInput, Hash, SearchText, Wei, WeiInput, Wire

MAXIMUM_REASON_LENGTH = 200


class ProposalState(StrEnum):
    """Where a proposal stands, as the governor's `state` has it."""

    PENDING = "pending"
    ACTIVE = "active"
    CANCELED = "canceled"
    DEFEATED = "defeated"
    SUCCEEDED = "succeeded"
    QUEUED = "queued"
    EXECUTED = "executed"


class Support(StrEnum):
    """How to vote, in the order of the governor's numbers."""

    AGAINST = "against"
    FOR = "for"
    ABSTAIN = "abstain"

    @property
    def number(self) -> int:
        """How governors count it."""
        return list(Support).index(self)


class Governance(Wire):
    """The governor, what it counts and what it decides over, with its settings at the indexed block."""

    governor: Address
    token: Address = Field(description="SPARK or a coin, whose votes count")
    timelock: Address = Field(description="what makes a proposal's calls")
    voting_delay_seconds: int = Field(description="from a proposal to the start of its vote", examples=[86_400])
    voting_period_seconds: int = Field(description="how long a vote lasts", examples=[604_800])
    late_quorum_extension_seconds: int = Field(
        description="how long a vote goes on, at least, once its quorum is reached", examples=[86_400]
    )
    proposal_threshold: Wei = Field(description="token wei of votes that a proposer needs")
    quorum_percent: int = Field(description="of the supply that must vote for or abstain", examples=[4])
    total_supply: Wei = Field(description="token wei")
    indexed_block: IndexedBlock


class Call(Wire):
    """A call that the timelock makes."""

    target: Address
    value: Wei = Field(description="native wei sent along")
    calldata: str = Field(pattern="^0x([0-9a-f]{2})*$", examples=["0x"])


class Proposal(Wire):
    """What is put to the vote. Votes and quorum in token wei, counted as of `snapshot`."""

    id: Wei = Field(description="the governor's number of it")
    proposer: Address
    description: str = Field(examples=["Let the timelock wait for two days"])
    calls: list[Call]
    state: ProposalState
    votes_against: Wei
    votes_for: Wei
    votes_abstain: Wei
    quorum: Wei = Field(description="the votes for and abstaining that it needs")
    quorum_reached: bool
    snapshot: datetime = Field(description="the second whose votes and supply count")
    vote_start: datetime = Field(description="votes are taken after this second")
    vote_end: datetime = Field(description="the last second of the vote; a late quorum moves it")
    eta: datetime | None = Field(description="when it can be executed; null until it is queued")
    created_block: int = Field(examples=[1024])


class ProposalDetail(Proposal):
    """One proposal."""

    indexed_block: IndexedBlock


class ProposalPage(Page[Proposal]):
    """What was put to the vote, the newest first."""


class Vote(Wire):
    """A vote that was cast."""

    voter: Address
    support: Support
    weight: Wei = Field(description="token wei")
    reason: str = Field(description="in the voter's words; may be empty", examples=["Two days are enough"])
    block_number: int = Field(examples=[1024])
    log_index: int = Field(examples=[3])
    transaction_hash: Hash
    timestamp: datetime


class VotePage(Page[Vote]):
    """Votes on a proposal, the newest first."""


class Voter(Wire):
    """What an account has of the token and of its votes; a balance and a stake vote only once they are delegated."""

    account: Address
    balance: Wei
    staked: Wei
    delegate: Address | None = Field(description="who votes with balance and stake; null where nobody does")
    votes: Wei = Field(description="token wei that the account votes with, its own and those delegated to it")
    indexed_block: IndexedBlock


class VoteRequest(Wire):
    """Vote on a proposal."""

    kind: Literal["vote"]
    wallet: AddressInput = Field(description="who will sign")
    proposal_id: WeiInput
    support: Support
    reason: SearchText = Field(
        "",
        max_length=MAXIMUM_REASON_LENGTH,
        description="for others to read, on chain",
        examples=["Two days are enough"],
    )


GovernanceRequest = Annotated[DelegateRequest | VoteRequest, Field(discriminator="kind")]
