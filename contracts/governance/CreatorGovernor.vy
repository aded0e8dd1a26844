# pragma version 0.4.3
# pragma evm-version cancun
"""
@title CreatorGovernor
@license Apache-2.0
@notice Lets the holders of a token with votes (ERC-5805) decide what its CreatorTimelock does. ABI and events are the
        ones of OpenZeppelin's Governor 5 with simple counting, a quorum in percent, and a late quorum's extension.
@dev Votes and quorum are counted as they were in the second before the proposal, so that nothing bought, borrowed or
     minted once the proposal is known has a vote; `votingDelay` is time to read, not to buy. It holds no coin and no
     tokens. Without the re-entrancy lock: what it executes may change its own settings.
@custom:kill CANCELLER on the timelock stops a proposal that is queued.
"""

from ethereum.ercs import IERC20
from snekmate.utils import ecdsa
from snekmate.utils import eip712_domain_separator
from snekmate.utils.interfaces import IERC5267

from ..interfaces import ICreatorTimelock
from ..interfaces import IERC5805
from ..modules import checkpoints

initializes: checkpoints
initializes: eip712_domain_separator

implements: IERC5267

exports: eip712_domain_separator.eip712Domain


struct Proposal:
    proposer: address
    snapshot: uint256
    voteStart: uint256
    deadline: uint256
    isExecuted: bool
    isCanceled: bool


struct ProposalVotes:
    againstVotes: uint256
    forVotes: uint256
    abstainVotes: uint256


event ProposalCreated:
    proposalId: uint256
    proposer: address
    targets: DynArray[address, MAXIMUM_CALLS]
    values: DynArray[uint256, MAXIMUM_CALLS]
    signatures: DynArray[String[1], MAXIMUM_CALLS]
    calldatas: DynArray[Bytes[MAXIMUM_PAYLOAD], MAXIMUM_CALLS]
    voteStart: uint256
    voteEnd: uint256
    description: String[MAXIMUM_DESCRIPTION]


event ProposalQueued:
    proposalId: uint256
    etaSeconds: uint256


event ProposalExecuted:
    proposalId: uint256


event ProposalCanceled:
    proposalId: uint256


event ProposalExtended:
    proposalId: indexed(uint256)
    extendedDeadline: uint64


event VoteCast:
    voter: indexed(address)
    proposalId: uint256
    support: uint8
    weight: uint256
    reason: String[MAXIMUM_REASON]


event VotingDelaySet:
    oldVotingDelay: uint256
    newVotingDelay: uint256


event VotingPeriodSet:
    oldVotingPeriod: uint256
    newVotingPeriod: uint256


event ProposalThresholdSet:
    oldProposalThreshold: uint256
    newProposalThreshold: uint256


event QuorumNumeratorUpdated:
    oldQuorumNumerator: uint256
    newQuorumNumerator: uint256


event LateQuorumVoteExtensionSet:
    oldVoteExtension: uint64
    newVoteExtension: uint64


# A proposal's bounds: its calls, the bytes of a call, of its description, and of a voter's reason and signature.
MAXIMUM_CALLS: constant(uint256) = 10
MAXIMUM_PAYLOAD: constant(uint256) = 1_024
MAXIMUM_DESCRIPTION: constant(uint256) = 4_096
MAXIMUM_REASON: constant(uint256) = 1_024
MAXIMUM_SIGNATURE: constant(uint256) = 1_024

# States, as OpenZeppelin counts them; EXPIRED (6) never occurs, for a queued proposal does not expire.
PENDING: constant(uint8) = 0
ACTIVE: constant(uint8) = 1
CANCELED: constant(uint8) = 2
DEFEATED: constant(uint8) = 3
SUCCEEDED: constant(uint8) = 4
QUEUED: constant(uint8) = 5
EXECUTED: constant(uint8) = 7

# Kinds of vote.
VOTES_AGAINST: constant(uint256) = 0
VOTES_FOR: constant(uint256) = 1
VOTES_ABSTAIN: constant(uint256) = 2

CLOCK_MODE: public(constant(String[14])) = "mode=timestamp"
COUNTING_MODE: public(constant(String[32])) = "support=bravo&quorum=for,abstain"
BALLOT_TYPEHASH: public(constant(bytes32)) = keccak256(
    "Ballot(uint256 proposalId,uint8 support,address voter,uint256 nonce)"
)
version: public(constant(String[1])) = "1"
quorumDenominator: public(constant(uint256)) = 100

# Bounds of the settings. Seconds; their sum fits in what a packed proposal has for them.
maximumVotingDelay: public(constant(uint256)) = 30 * 86_400
minimumVotingPeriod: public(constant(uint256)) = 3_600
maximumVotingPeriod: public(constant(uint256)) = 90 * 86_400
maximumLateQuorumVoteExtension: public(constant(uint256)) = 30 * 86_400
# Percent of the supply: none would let a few decide, more than half would let nobody.
minimumQuorumNumerator: public(constant(uint256)) = 1
maximumQuorumNumerator: public(constant(uint256)) = 50
# A tenth of the supply, at the time of setting it: above, hardly anybody could propose to lower it again.
THRESHOLD_DIVISOR: constant(uint256) = 10

# A packed proposal, from the low end: proposer (160 bits), snapshot (40), seconds from there to the start of the vote
# (24) and on to its end (24), whether executed, whether canceled.
TIME_MASK: constant(uint256) = 2**40 - 1
DURATION_MASK: constant(uint256) = 2**24 - 1
SNAPSHOT_SHIFT: constant(uint256) = 160
DELAY_SHIFT: constant(uint256) = 200
PERIOD_SHIFT: constant(uint256) = 224
EXECUTED_FLAG: constant(uint256) = 2**248
CANCELED_FLAG: constant(uint256) = 2**249

VOTING_DELAY_SHIFT: constant(uint256) = 0
VOTING_PERIOD_SHIFT: constant(uint256) = 24
EXTENSION_SHIFT: constant(uint256) = 48
THRESHOLD_SHIFT: constant(uint256) = 72
MAXIMUM_THRESHOLD: constant(uint256) = 2**184 - 1

QUORUM_HISTORY: constant(uint256) = 0

# The end of a description that names its only proposer: "#proposer=0x" and forty hexadecimal digits.
PROPOSER_MARK: constant(String[10]) = "#proposer="
PROPOSER_SUFFIX_LENGTH: constant(uint256) = 52
ADDRESS_DIGITS: constant(uint256) = 40

token: public(immutable(IERC5805))
timelock: public(immutable(ICreatorTimelock))
name: public(immutable(String[50]))

# The settings in one slot, from the low end: voting delay, voting period and a late quorum's extension in seconds (24
# bits each), proposal threshold in token wei (the rest).
_settings: uint256

# The nonces of signed ballots; the token's are others.
nonces: public(HashMap[address, uint256])

# proposal -> voter
hasVoted: public(HashMap[uint256, HashMap[address, bool]])
# When a queued proposal can be executed, in unix seconds; zero before.
proposalEta: public(HashMap[uint256, uint256])

_packed_proposals: HashMap[uint256, uint256]
# proposal -> kind of vote -> token wei
_tallies: HashMap[uint256, uint256[3]]
# proposal -> the timelock's operation
_operations: HashMap[uint256, bytes32]
_quorum_history_length: uint256


@deploy
def __init__(
    token_: IERC5805,
    timelock_: ICreatorTimelock,
    name_: String[50],
    votingDelay_: uint256,
    votingPeriod_: uint256,
    proposalThreshold_: uint256,
    quorumNumerator_: uint256,
    lateQuorumVoteExtension_: uint256,
):
    """
    @notice Sets everything once; the timelock must then give this governor PROPOSER and CANCELLER. Emits an event for
            each setting. Reverts as the setters do, or with "governor: token has another clock".
    @param token_ The token whose votes count.
    @param timelock_ What executes.
    @param name_ Also the EIP-712 domain's, with version "1".
    @param votingDelay_ Seconds from a proposal to the start of its vote.
    @param votingPeriod_ Seconds that a vote lasts.
    @param proposalThreshold_ Token wei of votes that a proposer needs.
    @param quorumNumerator_ Percent of the supply that must vote for or abstain.
    @param lateQuorumVoteExtension_ Seconds that a vote goes on, at least, once its quorum is reached.
    """
    assert staticcall token_.CLOCK_MODE() == CLOCK_MODE, "governor: token has another clock"
    eip712_domain_separator.__init__(name_, version)
    token = token_
    timelock = timelock_
    name = name_
    self._set_voting_delay(votingDelay_)
    self._set_voting_period(votingPeriod_)
    self._set_proposal_threshold(proposalThreshold_)
    self._set_late_quorum_vote_extension(lateQuorumVoteExtension_)
    # Since ever: a proposal in this very second looks it up in the one before.
    self._set_quorum_numerator(quorumNumerator_, 0)


@external
def propose(
    targets: DynArray[address, MAXIMUM_CALLS],
    values: DynArray[uint256, MAXIMUM_CALLS],
    calldatas: DynArray[Bytes[MAXIMUM_PAYLOAD], MAXIMUM_CALLS],
    description: String[MAXIMUM_DESCRIPTION],
) -> uint256:
    """
    @notice Puts calls of the timelock to the vote. Anybody who had `proposalThreshold` votes a second ago; where the
            description ends in "#proposer=0x…", that account only, so that nobody can propose it first in order to
            cancel it. Emits ProposalCreated. Reverts with "governor: restricted proposer", "governor: insufficient
            proposer votes", "governor: invalid proposal length" or "governor: proposal exists".
    @param targets The contracts to call: 1 to 10.
    @param values Native wei for each, out of what the timelock holds.
    @param calldatas Calldata for each, at most 1 024 bytes.
    @param description At most 4 096 bytes.
    @return The proposal's identifier.
    """
    assert self._may_propose(msg.sender, description), "governor: restricted proposer"
    snapshot: uint256 = block.timestamp - 1
    settings: uint256 = self._settings
    threshold: uint256 = settings >> THRESHOLD_SHIFT
    if threshold > 0:
        votes: uint256 = staticcall token.getPastVotes(msg.sender, snapshot)
        assert votes >= threshold, "governor: insufficient proposer votes"
    count: uint256 = len(targets)
    assert count > 0 and count == len(values) and count == len(calldatas), "governor: invalid proposal length"
    proposal_id: uint256 = self._hash_proposal(targets, values, calldatas, keccak256(description))
    assert self._packed_proposals[proposal_id] == 0, "governor: proposal exists"

    vote_start: uint256 = block.timestamp + (settings >> VOTING_DELAY_SHIFT & DURATION_MASK)
    proposal: Proposal = Proposal(
        proposer=msg.sender,
        snapshot=snapshot,
        voteStart=vote_start,
        deadline=vote_start + (settings >> VOTING_PERIOD_SHIFT & DURATION_MASK),
        isExecuted=False,
        isCanceled=False,
    )
    self._store(proposal_id, proposal)
    signatures: DynArray[String[1], MAXIMUM_CALLS] = []
    for _: uint256 in range(count, bound=MAXIMUM_CALLS):
        signatures.append("")
    log ProposalCreated(
        proposalId=proposal_id,
        proposer=msg.sender,
        targets=targets,
        values=values,
        signatures=signatures,
        calldatas=calldatas,
        voteStart=proposal.voteStart,
        voteEnd=proposal.deadline,
        description=description,
    )
    return proposal_id


@external
def castVote(proposalId: uint256, support: uint8) -> uint256:
    """
    @notice Casts the caller's votes, those of a second before the proposal, none included. Emits VoteCast, and
            ProposalExtended where they bring the quorum late. Reverts with "governor: unknown proposal", "governor:
            vote is not active", "governor: invalid vote type" or "governor: vote already cast".
    @param proposalId The proposal.
    @param support 0 against, 1 for, 2 abstain.
    @return The votes counted, in token wei.
    """
    return self._cast_vote(proposalId, msg.sender, support, "")


@external
def castVoteWithReason(proposalId: uint256, support: uint8, reason: String[MAXIMUM_REASON]) -> uint256:
    """
    @notice `castVote` with a reason for others to read.
    @param proposalId The proposal.
    @param support 0 against, 1 for, 2 abstain.
    @param reason At most 1 024 bytes.
    @return The votes counted, in token wei.
    """
    return self._cast_vote(proposalId, msg.sender, support, reason)


@external
def castVoteBySig(
    proposalId: uint256, support: uint8, voter: address, signature: Bytes[MAXIMUM_SIGNATURE]
) -> uint256:
    """
    @notice `castVote` for `voter`, who signed (EIP-712) or, being a contract, says so (EIP-1271); anybody may send it.
            Emits and reverts as `castVote` does, or with "governor: invalid signature", "ecdsa: invalid signature" or
            "ecdsa: invalid signature `s` value".
    @param proposalId The proposal.
    @param support 0 against, 1 for, 2 abstain.
    @param voter Whose votes.
    @param signature 65 bytes of an account's, at most 1 024 of a contract's, over a Ballot with the voter's nonce.
    @return The votes counted, in token wei.
    """
    nonce: uint256 = self.nonces[voter]
    self.nonces[voter] = nonce + 1
    struct_hash: bytes32 = keccak256(abi_encode(BALLOT_TYPEHASH, proposalId, support, voter, nonce))
    digest: bytes32 = eip712_domain_separator._hash_typed_data_v4(struct_hash)
    assert self._is_signature_of(voter, digest, signature), "governor: invalid signature"
    return self._cast_vote(proposalId, voter, support, "")


@external
def queue(
    targets: DynArray[address, MAXIMUM_CALLS],
    values: DynArray[uint256, MAXIMUM_CALLS],
    calldatas: DynArray[Bytes[MAXIMUM_PAYLOAD], MAXIMUM_CALLS],
    descriptionHash: bytes32,
) -> uint256:
    """
    @notice Schedules a proposal that succeeded on the timelock, after its minimum delay. Anybody may.
            Emits ProposalQueued. Reverts with "governor: unknown proposal" or "governor: proposal has not succeeded".
    @param targets As proposed.
    @param values As proposed.
    @param calldatas As proposed.
    @param descriptionHash The description's keccak256.
    @return The proposal's identifier.
    """
    proposal_id: uint256 = self._hash_proposal(targets, values, calldatas, descriptionHash)
    assert self._state(proposal_id, self._load(proposal_id)) == SUCCEEDED, "governor: proposal has not succeeded"
    salt: bytes32 = self._salt(descriptionHash)
    delay: uint256 = staticcall timelock.getMinDelay()
    eta: uint256 = block.timestamp + delay
    # As the timelock does it, which saves a call with all of the calldata.
    self._operations[proposal_id] = keccak256(abi_encode(targets, values, calldatas, empty(bytes32), salt))
    self.proposalEta[proposal_id] = eta
    log ProposalQueued(proposalId=proposal_id, etaSeconds=eta)
    extcall timelock.scheduleBatch(targets, values, calldatas, empty(bytes32), salt, delay)
    return proposal_id


@external
@payable
def execute(
    targets: DynArray[address, MAXIMUM_CALLS],
    values: DynArray[uint256, MAXIMUM_CALLS],
    calldatas: DynArray[Bytes[MAXIMUM_PAYLOAD], MAXIMUM_CALLS],
    descriptionHash: bytes32,
) -> uint256:
    """
    @notice Has the timelock make the calls of a proposal that was queued and whose delay is over. Anybody may; the
            coin sent goes to the timelock first. Emits ProposalExecuted. Reverts with "governor: unknown proposal",
            "governor: proposal is not queued", "timelock_controller: operation is not ready" or the reason of a call.
    @param targets As proposed.
    @param values As proposed.
    @param calldatas As proposed.
    @param descriptionHash The description's keccak256.
    @return The proposal's identifier.
    """
    proposal_id: uint256 = self._hash_proposal(targets, values, calldatas, descriptionHash)
    assert self._state(proposal_id, self._load(proposal_id)) == QUEUED, "governor: proposal is not queued"
    self._packed_proposals[proposal_id] |= EXECUTED_FLAG
    log ProposalExecuted(proposalId=proposal_id)
    extcall timelock.executeBatch(
        targets, values, calldatas, empty(bytes32), self._salt(descriptionHash), value=msg.value
    )
    return proposal_id


@external
def cancel(
    targets: DynArray[address, MAXIMUM_CALLS],
    values: DynArray[uint256, MAXIMUM_CALLS],
    calldatas: DynArray[Bytes[MAXIMUM_PAYLOAD], MAXIMUM_CALLS],
    descriptionHash: bytes32,
) -> uint256:
    """
    @notice Takes a proposal back for good. Its proposer only, before the vote starts. Emits ProposalCanceled.
            Reverts with "governor: unknown proposal" or "governor: unable to cancel".
    @param targets As proposed.
    @param values As proposed.
    @param calldatas As proposed.
    @param descriptionHash The description's keccak256.
    @return The proposal's identifier.
    """
    proposal_id: uint256 = self._hash_proposal(targets, values, calldatas, descriptionHash)
    proposal: Proposal = self._load(proposal_id)
    is_pending: bool = self._state(proposal_id, proposal) == PENDING
    assert is_pending and msg.sender == proposal.proposer, "governor: unable to cancel"
    self._packed_proposals[proposal_id] |= CANCELED_FLAG
    log ProposalCanceled(proposalId=proposal_id)
    return proposal_id


@external
def setVotingDelay(newVotingDelay: uint48):
    """
    @notice Changes the time to read new proposals. The timelock only. Emits VotingDelaySet.
            Reverts with "governor: caller is not the timelock" or "governor: voting delay out of bounds".
    @param newVotingDelay Seconds.
    """
    self._check_timelock()
    self._set_voting_delay(convert(newVotingDelay, uint256))


@external
def setVotingPeriod(newVotingPeriod: uint32):
    """
    @notice Changes how long the votes on new proposals last. The timelock only. Emits VotingPeriodSet.
            Reverts with "governor: caller is not the timelock" or "governor: voting period out of bounds".
    @param newVotingPeriod Seconds.
    """
    self._check_timelock()
    self._set_voting_period(convert(newVotingPeriod, uint256))


@external
def setProposalThreshold(newProposalThreshold: uint256):
    """
    @notice Changes how many votes a proposer needs. The timelock only. Emits ProposalThresholdSet.
            Reverts with "governor: caller is not the timelock" or "governor: proposal threshold out of bounds".
    @param newProposalThreshold Token wei, at most a tenth of the present supply.
    """
    self._check_timelock()
    self._set_proposal_threshold(newProposalThreshold)


@external
def updateQuorumNumerator(newQuorumNumerator: uint256):
    """
    @notice Changes the quorum of proposals from the next second on: what was proposed before keeps its own, so that a
            lower one cannot revive what was defeated. The timelock only. Emits QuorumNumeratorUpdated.
            Reverts with "governor: caller is not the timelock" or "governor: quorum numerator out of bounds".
    @param newQuorumNumerator Percent of the supply.
    """
    self._check_timelock()
    self._set_quorum_numerator(newQuorumNumerator, block.timestamp)


@external
def setLateQuorumVoteExtension(newVoteExtension: uint48):
    """
    @notice Changes how long a vote goes on, at least, once its quorum is reached. The timelock only.
            Emits LateQuorumVoteExtensionSet.
            Reverts with "governor: caller is not the timelock" or "governor: vote extension out of bounds".
    @param newVoteExtension Seconds.
    """
    self._check_timelock()
    self._set_late_quorum_vote_extension(convert(newVoteExtension, uint256))


@external
@view
def votingDelay() -> uint256:
    """
    @notice The time from a proposal to the start of its vote.
    @return Seconds.
    """
    return self._duration(VOTING_DELAY_SHIFT)


@external
@view
def votingPeriod() -> uint256:
    """
    @notice How long a vote lasts.
    @return Seconds.
    """
    return self._duration(VOTING_PERIOD_SHIFT)


@external
@view
def lateQuorumVoteExtension() -> uint48:
    """
    @notice How long a vote goes on, at least, once its quorum is reached.
    @return Seconds.
    """
    return convert(self._duration(EXTENSION_SHIFT), uint48)


@external
@view
def proposalThreshold() -> uint256:
    """
    @notice The votes that a proposer needs, a second before the proposal.
    @return Token wei.
    """
    return self._settings >> THRESHOLD_SHIFT


@external
@view
def state(proposalId: uint256) -> uint8:
    """
    @notice Where a proposal stands. Reverts with "governor: unknown proposal".
    @param proposalId The proposal.
    @return 0 pending, 1 active, 2 canceled, 3 defeated, 4 succeeded, 5 queued, 7 executed.
    """
    return self._state(proposalId, self._load(proposalId))


@external
@view
def proposalVotes(proposalId: uint256) -> ProposalVotes:
    """
    @notice The votes cast so far.
    @param proposalId The proposal.
    @return Votes against, for, and abstaining, in token wei.
    """
    tally: uint256[3] = self._tallies[proposalId]
    return ProposalVotes(
        againstVotes=tally[VOTES_AGAINST], forVotes=tally[VOTES_FOR], abstainVotes=tally[VOTES_ABSTAIN]
    )


@external
@view
def proposalSnapshot(proposalId: uint256) -> uint256:
    """
    @notice The second whose votes and supply count: the one before the proposal.
    @param proposalId The proposal.
    @return Unix seconds; zero if unknown.
    """
    return self._load(proposalId).snapshot


@external
@view
def proposalDeadline(proposalId: uint256) -> uint256:
    """
    @notice The last second of the vote; a late quorum moves it.
    @param proposalId The proposal.
    @return Unix seconds; zero if unknown.
    """
    return self._load(proposalId).deadline


@external
@view
def proposalProposer(proposalId: uint256) -> address:
    """
    @notice Who proposed.
    @param proposalId The proposal.
    @return The account; the zero address if unknown.
    """
    return self._load(proposalId).proposer


@external
@view
def proposalNeedsQueuing(proposalId: uint256) -> bool:
    """
    @notice Whether a proposal passes through the timelock: every one does.
    @param proposalId The proposal.
    @return True.
    """
    return True


@external
@view
def quorum(timepoint: uint256) -> uint256:
    """
    @notice The votes for and abstaining that a proposal with that snapshot needs.
            Reverts with "votes: timepoint not in the past".
    @param timepoint Unix seconds, before now.
    @return Token wei.
    """
    return self._quorum(timepoint)


@external
@view
def quorumNumerator(timepoint: uint256 = max_value(uint256)) -> uint256:
    """
    @notice The quorum's percentage of the supply.
    @param timepoint Unix seconds; unless given, now.
    @return Percent.
    """
    return checkpoints._at(QUORUM_HISTORY, self._quorum_history_length, timepoint)


@external
@view
def getVotes(account: address, timepoint: uint256) -> uint256:
    """
    @notice The token's past votes. Reverts with "votes: timepoint not in the past".
    @param account The voter.
    @param timepoint Unix seconds, before now.
    @return Token wei.
    """
    return staticcall token.getPastVotes(account, timepoint)


@external
@view
def clock() -> uint48:
    """
    @notice The present timepoint (ERC-6372), the token's also.
    @return Unix seconds.
    """
    return convert(block.timestamp, uint48)


@external
@pure
def hashProposal(
    targets: DynArray[address, MAXIMUM_CALLS],
    values: DynArray[uint256, MAXIMUM_CALLS],
    calldatas: DynArray[Bytes[MAXIMUM_PAYLOAD], MAXIMUM_CALLS],
    descriptionHash: bytes32,
) -> uint256:
    """
    @notice The identifier of a proposal.
    @param targets The contracts to call.
    @param values Native wei for each.
    @param calldatas Calldata for each.
    @param descriptionHash The description's keccak256.
    @return The identifier.
    """
    return self._hash_proposal(targets, values, calldatas, descriptionHash)


@internal
def _cast_vote(proposal_id: uint256, voter: address, support: uint8, reason: String[MAXIMUM_REASON]) -> uint256:
    proposal: Proposal = self._load(proposal_id)
    assert self._state(proposal_id, proposal) == ACTIVE, "governor: vote is not active"
    kind: uint256 = convert(support, uint256)
    assert kind <= VOTES_ABSTAIN, "governor: invalid vote type"
    assert not self.hasVoted[proposal_id][voter], "governor: vote already cast"
    self.hasVoted[proposal_id][voter] = True

    weight: uint256 = staticcall token.getPastVotes(voter, proposal.snapshot)
    self._tallies[proposal_id][kind] += weight
    log VoteCast(voter=voter, proposalId=proposal_id, support=support, weight=weight, reason=reason)
    if kind != VOTES_AGAINST:
        self._extend_late_quorum(proposal_id, proposal, weight)
    return weight


@internal
def _extend_late_quorum(proposal_id: uint256, proposal: Proposal, weight: uint256):
    """
    @dev Leaves time to answer where the `weight` just counted brought the quorum: otherwise it could come with the
         last vote, against nobody.
    """
    deadline: uint256 = block.timestamp + self._duration(EXTENSION_SHIFT)
    if deadline <= proposal.deadline:
        return
    # Neither the tally nor the quorum goes back, so that it is reached once.
    tally: uint256 = self._quorum_tally(proposal_id)
    required: uint256 = self._quorum(proposal.snapshot)
    if tally >= required and tally - weight < required:
        proposal.deadline = deadline
        self._store(proposal_id, proposal)
        log ProposalExtended(proposalId=proposal_id, extendedDeadline=convert(deadline, uint64))


@internal
@view
def _state(proposal_id: uint256, proposal: Proposal) -> uint8:
    assert proposal.snapshot > 0, "governor: unknown proposal"
    if proposal.isExecuted:
        return EXECUTED
    if proposal.isCanceled:
        return CANCELED
    if block.timestamp <= proposal.voteStart:
        return PENDING
    if block.timestamp <= proposal.deadline:
        return ACTIVE
    operation: bytes32 = self._operations[proposal_id]
    if operation != empty(bytes32):
        # The timelock has the last word: it can be executed, or canceled, there.
        timestamp: uint256 = staticcall timelock.getTimestamp(operation)
        if timestamp == 0:
            return CANCELED
        if timestamp == 1:
            return EXECUTED
        return QUEUED
    tally: uint256[3] = self._tallies[proposal_id]
    if tally[VOTES_FOR] > tally[VOTES_AGAINST] and self._quorum_tally(proposal_id) >= self._quorum(proposal.snapshot):
        return SUCCEEDED
    return DEFEATED


@internal
@view
def _quorum(timepoint: uint256) -> uint256:
    numerator: uint256 = checkpoints._at(QUORUM_HISTORY, self._quorum_history_length, timepoint)
    return staticcall token.getPastTotalSupply(timepoint) * numerator // quorumDenominator


@internal
@view
def _quorum_tally(proposal_id: uint256) -> uint256:
    return self._tallies[proposal_id][VOTES_FOR] + self._tallies[proposal_id][VOTES_ABSTAIN]


@internal
@view
def _load(proposal_id: uint256) -> Proposal:
    packed: uint256 = self._packed_proposals[proposal_id]
    snapshot: uint256 = packed >> SNAPSHOT_SHIFT & TIME_MASK
    vote_start: uint256 = snapshot + (packed >> DELAY_SHIFT & DURATION_MASK)
    return Proposal(
        proposer=convert(packed & convert(max_value(uint160), uint256), address),
        snapshot=snapshot,
        voteStart=vote_start,
        deadline=vote_start + (packed >> PERIOD_SHIFT & DURATION_MASK),
        isExecuted=packed & EXECUTED_FLAG != 0,
        isCanceled=packed & CANCELED_FLAG != 0,
    )


@internal
def _store(proposal_id: uint256, proposal: Proposal):
    """
    @dev For a proposal that is neither executed nor canceled.
    """
    self._packed_proposals[proposal_id] = (
        convert(proposal.proposer, uint256)
        | proposal.snapshot << SNAPSHOT_SHIFT
        | (proposal.voteStart - proposal.snapshot) << DELAY_SHIFT
        | (proposal.deadline - proposal.voteStart) << PERIOD_SHIFT
    )


@internal
@view
def _salt(description_hash: bytes32) -> bytes32:
    # Several governors could share a timelock.
    return convert(convert(self, uint256) << 96 ^ convert(description_hash, uint256), bytes32)


@internal
@pure
def _hash_proposal(
    targets: DynArray[address, MAXIMUM_CALLS],
    values: DynArray[uint256, MAXIMUM_CALLS],
    calldatas: DynArray[Bytes[MAXIMUM_PAYLOAD], MAXIMUM_CALLS],
    description_hash: bytes32,
) -> uint256:
    return convert(keccak256(abi_encode(targets, values, calldatas, description_hash)), uint256)


@internal
@pure
def _may_propose(proposer: address, description: String[MAXIMUM_DESCRIPTION]) -> bool:
    """
    @return False only where the description names another proposer at its end.
    """
    length: uint256 = len(description)
    if length < PROPOSER_SUFFIX_LENGTH:
        return True
    suffix: String[PROPOSER_SUFFIX_LENGTH] = slice(
        description, length - PROPOSER_SUFFIX_LENGTH, PROPOSER_SUFFIX_LENGTH
    )
    if slice(suffix, 0, 12) != concat(PROPOSER_MARK, "0x"):
        return True
    named: uint256 = 0
    for i: uint256 in range(ADDRESS_DIGITS):
        character: uint256 = convert(convert(slice(suffix, 12 + i, 1), Bytes[1]), uint256)
        digit: uint256 = 0
        if character >= 48 and character <= 57:  # 0 to 9
            digit = character - 48
        elif character >= 65 and character <= 70:  # A to F
            digit = character - 55
        elif character >= 97 and character <= 102:  # a to f
            digit = character - 87
        else:
            return True  # no address
        named = named << 4 | digit
    return named == convert(proposer, uint256)


@internal
@view
def _is_signature_of(signer: address, digest: bytes32, signature: Bytes[MAXIMUM_SIGNATURE]) -> bool:
    if not signer.is_contract:
        if len(signature) != 65:
            return False
        return ecdsa._recover_sig(digest, slice(signature, 0, 65)) == signer
    success: bool = False
    answer: Bytes[32] = b""
    success, answer = raw_call(
        signer,
        abi_encode(digest, signature, method_id=method_id("isValidSignature(bytes32,bytes)")),
        max_outsize=32,
        is_static_call=True,
        revert_on_failure=False,
    )
    return success and len(answer) == 32 and slice(answer, 0, 4) == method_id("isValidSignature(bytes32,bytes)")


@internal
@view
def _check_timelock():
    assert msg.sender == timelock.address, "governor: caller is not the timelock"


@internal
def _set_voting_delay(delay: uint256):
    assert delay <= maximumVotingDelay, "governor: voting delay out of bounds"
    log VotingDelaySet(oldVotingDelay=self._duration(VOTING_DELAY_SHIFT), newVotingDelay=delay)
    self._set_duration(VOTING_DELAY_SHIFT, delay)


@internal
def _set_voting_period(period: uint256):
    is_in_bounds: bool = period >= minimumVotingPeriod and period <= maximumVotingPeriod
    assert is_in_bounds, "governor: voting period out of bounds"
    log VotingPeriodSet(oldVotingPeriod=self._duration(VOTING_PERIOD_SHIFT), newVotingPeriod=period)
    self._set_duration(VOTING_PERIOD_SHIFT, period)


@internal
def _set_proposal_threshold(threshold: uint256):
    supply: uint256 = staticcall IERC20(token.address).totalSupply()
    bound: uint256 = min(supply // THRESHOLD_DIVISOR, MAXIMUM_THRESHOLD)
    assert threshold <= bound, "governor: proposal threshold out of bounds"
    settings: uint256 = self._settings
    log ProposalThresholdSet(
        oldProposalThreshold=settings >> THRESHOLD_SHIFT, newProposalThreshold=threshold
    )
    self._settings = threshold << THRESHOLD_SHIFT | settings & (2**THRESHOLD_SHIFT - 1)


@internal
def _set_quorum_numerator(numerator: uint256, timepoint: uint256):
    is_in_bounds: bool = numerator >= minimumQuorumNumerator and numerator <= maximumQuorumNumerator
    assert is_in_bounds, "governor: quorum numerator out of bounds"
    length: uint256 = self._quorum_history_length
    log QuorumNumeratorUpdated(
        oldQuorumNumerator=checkpoints._latest(QUORUM_HISTORY, length), newQuorumNumerator=numerator
    )
    self._quorum_history_length = checkpoints._push(QUORUM_HISTORY, length, timepoint, numerator)


@internal
def _set_late_quorum_vote_extension(extension: uint256):
    assert extension <= maximumLateQuorumVoteExtension, "governor: vote extension out of bounds"
    log LateQuorumVoteExtensionSet(
        oldVoteExtension=convert(self._duration(EXTENSION_SHIFT), uint64),
        newVoteExtension=convert(extension, uint64),
    )
    self._set_duration(EXTENSION_SHIFT, extension)


@internal
@view
def _duration(position: uint256) -> uint256:
    return self._settings >> position & DURATION_MASK


@internal
def _set_duration(position: uint256, duration: uint256):
    self._settings = self._settings & ~(DURATION_MASK << position) | duration << position
