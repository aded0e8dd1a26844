# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Oracles and their quorum
@license Apache-2.0
@notice Who may report a creator's figures, and what several oracles say together: once k of the n authorised oracles
        reported for the same epoch, the median of each figure counts.
@dev A median of k reports lies between two honest ones as long as at most (k - 1) / 2 oracles lie, out of all n: the
     first k reports decide, and liars can be first. Choose k for the liars to stand, n for the failures to survive.
     A report belongs to the epoch of its `observedAt`. Reports are gathered for the running epoch and the one before,
     by the chain's clock alone: no oracle can hurry another one's epoch to its end.
"""

from snekmate.auth import ownable

from ..interfaces import ICreatorMetrics

uses: ownable


event OracleAuthorisationChanged:
    oracle: indexed(address)
    authorised: bool


event QuorumUpdated:
    previousQuorum: uint256
    newQuorum: uint256


event EpochLengthUpdated:
    previousLength: uint256
    newLength: uint256


event MetricsReported:
    creator: indexed(address)
    oracle: indexed(address)
    epoch: indexed(uint256)
    monthlyStreams: uint256
    followers: uint256
    monthlyRevenue: uint256
    engagementScore: uint256
    observedAt: uint256


# The work for a median grows with the square of the reports.
MAXIMUM_ORACLES: constant(uint256) = 21
# More than there are oracles: one that is withdrawn in the course of an epoch leaves its report behind, uncounted.
MAXIMUM_REPORTS: constant(uint256) = 32

# Seconds. An hour: metrics count plays of 30 days, and a launch accepts them for a week.
DEFAULT_EPOCH_LENGTH: constant(uint256) = 3_600
SHORTEST_EPOCH: constant(uint256) = 60
LONGEST_EPOCH: constant(uint256) = 86_400

FIGURES: constant(uint256) = 5
# A report is two words: streams, followers (64 bits each), score (16), time (40); revenue (96), oracle (160).
COUNT_MASK: constant(uint256) = 2**64 - 1
FOLLOWERS_SHIFT: constant(uint256) = 64
SCORE_SHIFT: constant(uint256) = 128
SCORE_MASK: constant(uint256) = 2**16 - 1
TIME_SHIFT: constant(uint256) = 144
ORACLE_BITS: constant(uint256) = 160
ORACLE_MASK: constant(uint256) = 2**160 - 1
MAXIMUM_REVENUE: constant(uint256) = 2**96 - 1

# A lane's heading: how many reports (8 bits), the length of its epoch in seconds (32), the epoch.
REPORT_COUNT_MASK: constant(uint256) = 2**8 - 1
EPOCH_LENGTH_SHIFT: constant(uint256) = 8
EPOCH_SHIFT: constant(uint256) = 40

isOracle: public(HashMap[address, bool])
oracleCount: public(uint256)
quorum: public(uint256)
# Seconds.
epochLength: public(uint256)

# creator -> lane -> heading; an epoch's lane is its number's parity, so that epochs take turns in two sets of slots.
_headings: HashMap[address, uint256[2]]
# creator -> lane -> reports.
_reports: HashMap[address, HashMap[uint256, uint256[2][MAXIMUM_REPORTS]]]


@deploy
def __init__():
    """
    @notice One oracle suffices until the owner says otherwise. Emits QuorumUpdated and EpochLengthUpdated.
    """
    self.quorum = 1
    log QuorumUpdated(previousQuorum=0, newQuorum=1)
    self._set_epoch_length(DEFAULT_EPOCH_LENGTH)


@external
def setOracle(oracle: address, authorised: bool):
    """
    @notice Authorises an oracle or withdraws it. The owner only. Emits OracleAuthorisationChanged.
            Reverts with "ownable: caller is not the owner", "metrics: oracle is the zero address" or "metrics: too many
            oracles" (21). With fewer oracles than the quorum nothing is published any more.
    @param oracle The reporting account.
    @param authorised Whether its reports count from now on. What was published stays; its reports that still wait for
           a quorum count only while it is authorised.
    """
    ownable._check_owner()
    assert oracle != empty(address), "metrics: oracle is the zero address"
    if authorised and not self.isOracle[oracle]:
        assert self.oracleCount < MAXIMUM_ORACLES, "metrics: too many oracles"
        self.oracleCount += 1
    elif not authorised and self.isOracle[oracle]:
        self.oracleCount -= 1
    self.isOracle[oracle] = authorised
    log OracleAuthorisationChanged(oracle=oracle, authorised=authorised)


@external
def setQuorum(newQuorum: uint256):
    """
    @notice Changes how many oracles must report for the same epoch: k reports stand up to (k - 1) / 2 liars among all
            oracles, so 1 trusts every oracle, 3 stand one liar, 5 two. One publishes each report at once, without
            epochs. The owner only. Emits QuorumUpdated. Reverts with "ownable: caller is not the owner",
            "metrics: quorum is even" or "metrics: quorum above the number of oracles".
    @param newQuorum Odd, at most `oracleCount`. Reports that wait count towards it when the next one arrives.
    """
    ownable._check_owner()
    assert newQuorum % 2 == 1, "metrics: quorum is even"
    assert newQuorum <= self.oracleCount, "metrics: quorum above the number of oracles"
    log QuorumUpdated(previousQuorum=self.quorum, newQuorum=newQuorum)
    self.quorum = newQuorum


@external
def setEpochLength(newLength: uint256):
    """
    @notice Changes how long an epoch is, from which at most one value is published for each creator with a quorum above
            one; what waits for a quorum is dropped. The owner only. Emits EpochLengthUpdated.
            Reverts with "ownable: caller is not the owner" or "metrics: epoch length out of range".
    @param newLength Seconds, a minute to a day.
    """
    ownable._check_owner()
    self._set_epoch_length(newLength)


@external
@view
def reporters(creator: address, epoch: uint256) -> DynArray[address, MAXIMUM_REPORTS]:
    """
    @notice The oracles whose reports for an epoch are on record: they cannot report for it again.
    @param creator The creator.
    @param epoch `observedAt` divided by `epochLength`.
    @return In the order of their reports; empty for epochs of before the previous one.
    """
    oracles: DynArray[address, MAXIMUM_REPORTS] = []
    for i: uint256 in range(self._report_count(creator, epoch), bound=MAXIMUM_REPORTS):
        oracles.append(self._reporter(creator, epoch % 2, i))
    return oracles


@internal
def _gather(
    creator: address, report: ICreatorMetrics.CreatorMetrics, published_at: uint256
) -> ICreatorMetrics.CreatorMetrics:
    """
    @dev Takes the report of msg.sender, an oracle, whose time is not in the future. `published_at` is that of the
         creator's last published figures, zero without any. Emits MetricsReported. Reverts with "metrics: stale
         update", "metrics: figure too large", "metrics: already reported" or "metrics: too many reports".
    @return The medians if the report completes a quorum, else zeros.
    """
    length: uint256 = self.epochLength
    epoch: uint256 = report.observedAt // length
    published_epoch: uint256 = published_at // length
    assert epoch + 1 >= block.timestamp // length and epoch >= published_epoch, "metrics: stale update"
    assert max(report.monthlyStreams, report.followers) <= COUNT_MASK, "metrics: figure too large"
    assert report.monthlyRevenue <= MAXIMUM_REVENUE, "metrics: figure too large"

    lane: uint256 = epoch % 2
    count: uint256 = self._report_count(creator, epoch)
    assert count < MAXIMUM_REPORTS, "metrics: too many reports"
    for i: uint256 in range(count, bound=MAXIMUM_REPORTS):
        assert self._reporter(creator, lane, i) != msg.sender, "metrics: already reported"
    self._reports[creator][lane][count] = [
        report.monthlyStreams
        | report.followers << FOLLOWERS_SHIFT
        | report.engagementScore << SCORE_SHIFT
        | report.observedAt << TIME_SHIFT,
        convert(msg.sender, uint256) | report.monthlyRevenue << ORACLE_BITS,
    ]
    self._headings[creator][lane] = epoch << EPOCH_SHIFT | length << EPOCH_LENGTH_SHIFT | (count + 1)
    log MetricsReported(
        creator=creator,
        oracle=msg.sender,
        epoch=epoch,
        monthlyStreams=report.monthlyStreams,
        followers=report.followers,
        monthlyRevenue=report.monthlyRevenue,
        engagementScore=report.engagementScore,
        observedAt=report.observedAt,
    )
    # Later than the quorum: on record, without effect. It is no error, or the slower oracles' batches would all fail.
    if epoch == published_epoch or count + 1 < self.quorum:
        return empty(ICreatorMetrics.CreatorMetrics)
    return self._medians(creator, lane, count + 1)


@internal
@view
def _medians(creator: address, lane: uint256, count: uint256) -> ICreatorMetrics.CreatorMetrics:
    reports: DynArray[uint256[FIGURES], MAXIMUM_REPORTS] = []
    for i: uint256 in range(count, bound=MAXIMUM_REPORTS):
        if self.isOracle[self._reporter(creator, lane, i)]:
            words: uint256[2] = self._reports[creator][lane][i]
            reports.append(
                [
                    words[0] & COUNT_MASK,
                    (words[0] >> FOLLOWERS_SHIFT) & COUNT_MASK,
                    words[1] >> ORACLE_BITS,
                    (words[0] >> SCORE_SHIFT) & SCORE_MASK,
                    words[0] >> TIME_SHIFT,
                ]
            )
    if len(reports) < self.quorum:
        return empty(ICreatorMetrics.CreatorMetrics)
    medians: uint256[FIGURES] = empty(uint256[FIGURES])
    for figure: uint256 in range(FIGURES):
        medians[figure] = self._median(reports, figure)
    return ICreatorMetrics.CreatorMetrics(
        monthlyStreams=medians[0],
        followers=medians[1],
        monthlyRevenue=medians[2],
        engagementScore=medians[3],
        observedAt=medians[4],
    )


@internal
@pure
def _median(reports: DynArray[uint256[FIGURES], MAXIMUM_REPORTS], figure: uint256) -> uint256:
    """
    @return The middle one; of an even number (the quorum was lowered while they waited) the lower of the two.
    """
    middle: uint256 = (len(reports) - 1) // 2
    for candidate: uint256[FIGURES] in reports:
        below: uint256 = 0
        equal: uint256 = 0
        for report: uint256[FIGURES] in reports:
            if report[figure] < candidate[figure]:
                below += 1
            elif report[figure] == candidate[figure]:
                equal += 1
        if below <= middle and middle < below + equal:
            return candidate[figure]
    raise # unreachable: one of them is the middle one


@internal
@view
def _report_count(creator: address, epoch: uint256) -> uint256:
    heading: uint256 = self._headings[creator][epoch % 2]
    # With the length: an epoch's number means another time once the length is changed.
    if heading >> EPOCH_LENGTH_SHIFT != (epoch << (EPOCH_SHIFT - EPOCH_LENGTH_SHIFT) | self.epochLength):
        return 0
    return heading & REPORT_COUNT_MASK


@internal
@view
def _reporter(creator: address, lane: uint256, index: uint256) -> address:
    return convert(self._reports[creator][lane][index][1] & ORACLE_MASK, address)


@internal
def _set_epoch_length(new_length: uint256):
    assert new_length >= SHORTEST_EPOCH and new_length <= LONGEST_EPOCH, "metrics: epoch length out of range"
    log EpochLengthUpdated(previousLength=self.epochLength, newLength=new_length)
    self.epochLength = new_length


@internal
@view
def _check_oracle():
    assert self.isOracle[msg.sender], "metrics: caller is not an oracle"
