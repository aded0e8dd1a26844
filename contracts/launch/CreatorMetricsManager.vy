# pragma version 0.4.3
# pragma evm-version cancun
"""
@title CreatorMetricsManager
@license Apache-2.0
@notice Creators' listening figures as authorised oracles report them, alone or by quorum, and whether they suffice to
        launch a coin.
@custom:kill The owner stops reports by withdrawing every oracle; launches then end once the figures are too old.
"""

from snekmate.auth import ownable

from ..interfaces import ICreatorMetrics
from ..interfaces import ICreatorMetricsManager
from ..modules import metrics_quorum
from ..modules import ownership

initializes: ownable
initializes: ownership[ownable := ownable]
initializes: metrics_quorum[ownable := ownable]

implements: ICreatorMetrics
implements: ICreatorMetricsManager

exports: (ownership.owner, ownership.transferOwnership)
exports: (
    metrics_quorum.isOracle,
    metrics_quorum.oracleCount,
    metrics_quorum.quorum,
    metrics_quorum.epochLength,
    metrics_quorum.reporters,
    metrics_quorum.setOracle,
    metrics_quorum.setQuorum,
    metrics_quorum.setEpochLength,
)


struct MetricsUpdate:
    creator: address
    monthlyStreams: uint256
    followers: uint256
    monthlyRevenue: uint256
    engagementScore: uint256
    observedAt: uint256


struct LaunchRequirements:
    minMonthlyStreams: uint256
    minFollowers: uint256
    maxMetricsAge: uint256


event CreatorMetricsUpdated:
    creator: indexed(address)
    monthlyStreams: uint256
    followers: uint256
    monthlyRevenue: uint256
    engagementScore: uint256
    observedAt: uint256
    oracle: indexed(address)


event MilestoneReached:
    creator: indexed(address)
    milestone: indexed(uint256)
    monthlyStreams: uint256


event LaunchRequirementsUpdated:
    minMonthlyStreams: uint256
    minFollowers: uint256
    maxMetricsAge: uint256


MAXIMUM_BATCH: constant(uint256) = 50
MAXIMUM_SCORE: constant(uint256) = 10_000
SHORTEST_METRICS_AGE: constant(uint256) = 3_600
LONGEST_METRICS_AGE: constant(uint256) = 90 * 86_400
MILESTONES: constant(uint256[9]) = [1_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000]

creatorMetrics: public(HashMap[address, ICreatorMetrics.CreatorMetrics])
launchRequirements: public(LaunchRequirements)

# How many of MILESTONES a creator has reached; they are reached in order and never lost.
_milestones_reached: HashMap[address, uint256]


@deploy
def __init__(minMonthlyStreams: uint256, minFollowers: uint256, maxMetricsAge: uint256):
    """
    @notice The deployer becomes the owner. Emits OwnershipTransferred, QuorumUpdated, EpochLengthUpdated and
            LaunchRequirementsUpdated. Reverts with "metrics: maximum age out of range".
    @param minMonthlyStreams Plays in 30 days that a launch requires.
    @param minFollowers Followers that a launch requires.
    @param maxMetricsAge How old the figures may be at a launch, in seconds: one hour to 90 days.
    """
    ownable.__init__()
    metrics_quorum.__init__()
    self._set_launch_requirements(minMonthlyStreams, minFollowers, maxMetricsAge)


@external
def updateCreatorMetrics(
    creator: address,
    monthlyStreams: uint256,
    followers: uint256,
    monthlyRevenue: uint256,
    engagementScore: uint256,
    observedAt: uint256 = block.timestamp,
):
    """
    @notice Reports a creator's figures. Authorised oracles only. With a quorum of one, or with the report that
            completes it, which then publishes the medians: emits CreatorMetricsUpdated, and MilestoneReached once for
            each milestone reached for the first time. With a quorum above one, before that: emits MetricsReported.
            Reverts with "metrics: caller is not an oracle", "metrics: creator is the zero address",
            "metrics: observed in the future", "metrics: stale update" or "metrics: score above 10000 bps"; with a
            quorum above one also with "metrics: already reported" (once an epoch), "metrics: figure too large" or
            "metrics: too many reports".
    @param creator Whose figures.
    @param monthlyStreams Plays in the 30 days before `observedAt`.
    @param followers Followers at `observedAt`.
    @param monthlyRevenue Revenue in the 30 days before `observedAt`, in wei of the native coin.
    @param engagementScore 0 to 10 000 basis points.
    @param observedAt When the figures held, in unix seconds; not before the stored ones, and with a quorum above one
           in the running epoch or the previous one. Now, unless given.
    """
    metrics_quorum._check_oracle()
    self._update(
        MetricsUpdate(
            creator=creator,
            monthlyStreams=monthlyStreams,
            followers=followers,
            monthlyRevenue=monthlyRevenue,
            engagementScore=engagementScore,
            observedAt=observedAt,
        )
    )


@external
def updateCreatorMetricsBatch(updates: DynArray[MetricsUpdate, MAXIMUM_BATCH]):
    """
    @notice Reports the figures of up to 50 creators, all or none. Authorised oracles only.
            Emits and reverts as `updateCreatorMetrics` does.
    @param updates One entry a creator, its fields as in `updateCreatorMetrics`.
    """
    metrics_quorum._check_oracle()
    for update: MetricsUpdate in updates:
        self._update(update)


@external
def setLaunchRequirements(minMonthlyStreams: uint256, minFollowers: uint256, maxMetricsAge: uint256):
    """
    @notice Changes what a launch requires. The owner only. Emits LaunchRequirementsUpdated.
            Reverts with "ownable: caller is not the owner" or "metrics: maximum age out of range".
    @param minMonthlyStreams Plays in 30 days.
    @param minFollowers Followers.
    @param maxMetricsAge Seconds, one hour to 90 days.
    """
    ownable._check_owner()
    self._set_launch_requirements(minMonthlyStreams, minFollowers, maxMetricsAge)


@external
@view
def meetsLaunchRequirements(creator: address) -> bool:
    """
    @notice Whether `creator` may launch a coin now: enough streams and followers, reported recently enough.
    @param creator Who wants to launch.
    @return False also for a creator that was never reported.
    """
    metrics: ICreatorMetrics.CreatorMetrics = self.creatorMetrics[creator]
    required: LaunchRequirements = self.launchRequirements
    return (
        metrics.observedAt != 0
        and metrics.observedAt + required.maxMetricsAge >= block.timestamp
        and metrics.monthlyStreams >= required.minMonthlyStreams
        and metrics.followers >= required.minFollowers
    )


@external
@view
def milestoneReached(creator: address, threshold: uint256) -> bool:
    """
    @notice Whether `creator` has ever reached a milestone. Reverts with "metrics: unknown milestone".
    @param creator The creator.
    @param threshold Monthly streams: 1, 5, 10, 20, 50, 100, 200 or 500 thousand, or a million.
    @return True from the first report at or above `threshold` on, whatever is reported later.
    """
    for i: uint256 in range(9):
        if MILESTONES[i] == threshold:
            return self._milestones_reached[creator] > i
    raise "metrics: unknown milestone"


@internal
def _update(update: MetricsUpdate):
    published_at: uint256 = self.creatorMetrics[update.creator].observedAt
    assert update.creator != empty(address), "metrics: creator is the zero address"
    assert update.observedAt <= block.timestamp, "metrics: observed in the future"
    assert update.engagementScore <= MAXIMUM_SCORE, "metrics: score above 10000 bps"
    report: ICreatorMetrics.CreatorMetrics = ICreatorMetrics.CreatorMetrics(
        monthlyStreams=update.monthlyStreams,
        followers=update.followers,
        monthlyRevenue=update.monthlyRevenue,
        engagementScore=update.engagementScore,
        observedAt=update.observedAt,
    )
    if metrics_quorum.quorum == 1:
        assert update.observedAt >= published_at, "metrics: stale update"
        self._publish(update.creator, report)
    else:
        medians: ICreatorMetrics.CreatorMetrics = metrics_quorum._gather(update.creator, report, published_at)
        if medians.observedAt != 0:
            self._publish(update.creator, medians)


@internal
def _publish(creator: address, metrics: ICreatorMetrics.CreatorMetrics):
    self.creatorMetrics[creator] = metrics
    log CreatorMetricsUpdated(
        creator=creator,
        monthlyStreams=metrics.monthlyStreams,
        followers=metrics.followers,
        monthlyRevenue=metrics.monthlyRevenue,
        engagementScore=metrics.engagementScore,
        observedAt=metrics.observedAt,
        oracle=msg.sender,
    )

    reached_before: uint256 = self._milestones_reached[creator]
    reached: uint256 = reached_before
    for i: uint256 in range(9):
        if i < reached_before:
            continue
        if metrics.monthlyStreams < MILESTONES[i]:
            break
        reached = i + 1
        log MilestoneReached(creator=creator, milestone=MILESTONES[i], monthlyStreams=metrics.monthlyStreams)
    if reached > reached_before:
        self._milestones_reached[creator] = reached


@internal
def _set_launch_requirements(min_monthly_streams: uint256, min_followers: uint256, max_metrics_age: uint256):
    assert (
        max_metrics_age >= SHORTEST_METRICS_AGE and max_metrics_age <= LONGEST_METRICS_AGE
    ), "metrics: maximum age out of range"
    self.launchRequirements = LaunchRequirements(
        minMonthlyStreams=min_monthly_streams, minFollowers=min_followers, maxMetricsAge=max_metrics_age
    )
    log LaunchRequirementsUpdated(
        minMonthlyStreams=min_monthly_streams, minFollowers=min_followers, maxMetricsAge=max_metrics_age
    )
