"""The mirror of governors and their timelocks: proposals, votes, operations."""

from sqlalchemy import JSON, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from encore.db.models.base import Address, Appended, Hash, Mirrored, TokenId, UnixTime, Wei


class Proposal(Mirrored):
    """Calls that were put to the vote; `native_amounts` are wei as decimal strings, `calldatas` 0x hexadecimal.

    Votes count as of `snapshot`; `quorum_votes` are those for and abstaining, of which a quorum is asked. `eta` is
    when a queued proposal can be executed, 0 before. Its state follows from these and the time: canceled or
    executed; pending up to `vote_start`, active up to `vote_end`; then, if a quorum voted and more for than
    against, succeeded, queued once it has an `eta`, and canceled if the timelock's `operation_id` was.
    """

    __tablename__ = "proposals"
    __table_args__ = (Index(None, "governor", "created_block"), Index(None, "proposer"))

    governor: Mapped[Address] = mapped_column(primary_key=True)
    proposal_id: Mapped[TokenId] = mapped_column(primary_key=True)
    proposer: Mapped[Address]
    targets: Mapped[list[str]] = mapped_column(JSON)
    native_amounts: Mapped[list[str]] = mapped_column(JSON)
    calldatas: Mapped[list[str]] = mapped_column(JSON)
    description: Mapped[str] = mapped_column(Text)
    snapshot: Mapped[UnixTime]
    vote_start: Mapped[UnixTime]
    vote_end: Mapped[UnixTime]
    votes_against: Mapped[Wei]
    votes_for: Mapped[Wei]
    votes_abstain: Mapped[Wei]
    quorum_votes: Mapped[Wei]
    eta: Mapped[Wei]
    operation_id: Mapped[Hash | None]
    is_executed: Mapped[bool]
    is_canceled: Mapped[bool]
    created_block: Mapped[int]


class QuorumCheckpoint(Appended):
    """The percentage of the supply that a governor's proposals need from the second `since` on; 0: since ever.

    Of several in one second the contract counts the last.
    """

    __tablename__ = "quorum_checkpoints"
    __table_args__ = (Index(None, "governor", "since", "block_number", "log_index"),)

    governor: Mapped[Address]
    numerator: Mapped[int]
    since: Mapped[UnixTime]


class ProposalVote(Appended):
    """A vote cast; `support` is against, for or abstain, `weight` token wei."""

    __tablename__ = "proposal_votes"
    __table_args__ = (Index(None, "governor", "proposal_id", "block_number", "log_index"), Index(None, "voter"))

    governor: Mapped[Address]
    proposal_id: Mapped[TokenId]
    voter: Mapped[Address]
    support: Mapped[str] = mapped_column(String(7))
    weight: Mapped[Wei]
    reason: Mapped[str] = mapped_column(Text)


class TimelockOperation(Mirrored):
    """Calls that a timelock makes together from `ready_at` on; `status` is scheduled, executed or cancelled.

    `predecessor` must be executed before; 32 zero bytes are none.
    """

    __tablename__ = "timelock_operations"
    __table_args__ = (Index(None, "timelock", "status", "ready_at"),)

    timelock: Mapped[Address] = mapped_column(primary_key=True)
    operation_id: Mapped[Hash] = mapped_column(primary_key=True)
    predecessor: Mapped[Hash]
    salt: Mapped[Hash]
    ready_at: Mapped[Wei]
    status: Mapped[str] = mapped_column(String(9))


class TimelockCall(Mirrored):
    """One call of an operation: `amount` native wei, `payload` 0x hexadecimal."""

    __tablename__ = "timelock_calls"

    timelock: Mapped[Address] = mapped_column(primary_key=True)
    operation_id: Mapped[Hash] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    target: Mapped[Address]
    amount: Mapped[Wei]
    payload: Mapped[str] = mapped_column(Text)
