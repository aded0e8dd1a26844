"""C8, oracles by quorum: whose reports count, when, and that liars below the majority of a quorum move nothing."""

from collections.abc import Callable
from statistics import median_low
from typing import Any

import ape
import boa
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.contracts.boa_system import CONTRACTS
from tests.contracts.conftest import COIN, MAX_METRICS_AGE, MIN_FOLLOWERS, MIN_STREAMS, ZERO_ADDRESS, Actors
from tests.contracts.profiles import STATEFUL

EPOCH = 3_600
MAXIMUM_ORACLES = 21
MAXIMUM_REPORTS = 32

Report = Callable[..., Any]


@pytest.fixture
def oracles(accounts: Any) -> list[Any]:
    """Five of them."""
    return list(accounts[1:6])


@pytest.fixture
def quorum(contracts: Any, actors: Actors, oracles: list[Any], chain: Any) -> Any:
    """Metrics of their own, with three of five oracles as quorum, early in an epoch."""
    manager = actors.owner.deploy(contracts.CreatorMetricsManager, MIN_STREAMS, MIN_FOLLOWERS, MAX_METRICS_AGE)
    for oracle in oracles:
        manager.setOracle(oracle, True, sender=actors.owner)
    manager.setQuorum(3, sender=actors.owner)
    chain.pending_timestamp = (chain.pending_timestamp // EPOCH + 1) * EPOCH
    chain.mine()
    return manager


@pytest.fixture
def report(quorum: Any, actors: Actors) -> Report:
    def send(oracle: Any, streams: int = 100, **options: Any) -> Any:
        """Every figure follows from `streams`, so that one oracle's figures are all on one side."""
        figures = (actors.creator, streams, 2 * streams, 3 * streams, streams % 10_000)
        if "at" in options:
            return quorum.updateCreatorMetrics(*figures, options["at"], sender=oracle)
        return quorum.updateCreatorMetrics(*figures, sender=oracle)

    return send


def published(manager: Any, creator: Any) -> tuple[int, ...]:
    return tuple(manager.creatorMetrics(creator))


def test_a_figure_counts_once_a_quorum_reported_it_and_is_the_median(
    quorum: Any, report: Report, oracles: list[Any], actors: Actors
) -> None:
    first = report(oracles[0], 300)
    second = report(oracles[1], 100)
    assert published(quorum, actors.creator) == (0, 0, 0, 0, 0)

    third = report(oracles[2], 200)

    epoch = third.timestamp // EPOCH
    times = sorted(receipt.timestamp for receipt in (first, second, third))
    assert first.events == [
        quorum.MetricsReported(
            creator=actors.creator,
            oracle=oracles[0],
            epoch=epoch,
            monthlyStreams=300,
            followers=600,
            monthlyRevenue=900,
            engagementScore=300,
            observedAt=first.timestamp,
        )
    ]
    assert published(quorum, actors.creator) == (200, 400, 600, 200, times[1])
    assert third.events[1:] == [
        quorum.CreatorMetricsUpdated(
            creator=actors.creator,
            monthlyStreams=200,
            followers=400,
            monthlyRevenue=600,
            engagementScore=200,
            observedAt=times[1],
            oracle=oracles[2],
        )
    ]
    assert list(quorum.reporters(actors.creator, epoch)) == oracles[:3]
    assert list(quorum.reporters(actors.creator, epoch + 1)) == []


def test_each_figure_has_a_median_of_its_own(quorum: Any, oracles: list[Any], actors: Actors) -> None:
    for oracle, figures in zip(oracles, [(1, 20, 300, 4_000), (10, 200, 3, 40), (100, 2, 30, 400)], strict=False):
        quorum.updateCreatorMetrics(actors.creator, *figures, sender=oracle)

    assert published(quorum, actors.creator)[:4] == (10, 20, 30, 400)


def test_the_median_reaches_the_milestones_and_no_single_report_does(
    quorum: Any, report: Report, oracles: list[Any], actors: Actors
) -> None:
    liar = report(oracles[0], 1_000_000)
    report(oracles[1], 1_000)
    completing = report(oracles[2], 1_200)

    assert quorum.MilestoneReached.from_receipt(liar) == []
    assert quorum.MilestoneReached.from_receipt(completing) == [
        quorum.MilestoneReached(creator=actors.creator, milestone=1_000, monthlyStreams=1_200)
    ]
    assert not quorum.milestoneReached(actors.creator, 5_000)


def test_a_report_after_the_quorum_is_on_record_and_changes_nothing(
    quorum: Any, report: Report, oracles: list[Any], actors: Actors
) -> None:
    for oracle in oracles[:3]:
        report(oracle, 100)
    before = published(quorum, actors.creator)

    late = report(oracles[3], 10_000)

    assert [event.event_name for event in late.events] == ["MetricsReported"]
    assert published(quorum, actors.creator) == before
    with ape.reverts("metrics: already reported"):
        report(oracles[3], 10_000)


def test_an_oracle_reports_once_an_epoch(quorum: Any, report: Report, oracles: list[Any], chain: Any) -> None:
    now = chain.pending_timestamp
    report(oracles[0], at=now)
    for replay in (now, now + 1):
        with ape.reverts("metrics: already reported"):
            report(oracles[0], at=replay)
    report(oracles[0], at=now - EPOCH)  # another epoch
    with ape.reverts("metrics: already reported"):
        report(oracles[0], at=now - EPOCH)


def test_reports_of_the_previous_epoch_count_and_older_ones_are_stale(
    quorum: Any, report: Report, oracles: list[Any], actors: Actors, chain: Any
) -> None:
    running = chain.pending_timestamp // EPOCH
    with ape.reverts("metrics: stale update"):
        report(oracles[0], at=(running - 1) * EPOCH - 1)
    for oracle in oracles[:3]:
        report(oracle, at=(running - 1) * EPOCH)

    assert published(quorum, actors.creator)[4] == (running - 1) * EPOCH
    for oracle in oracles[:3]:
        report(oracle, 500, at=running * EPOCH)
    assert published(quorum, actors.creator)[0] == 500
    with ape.reverts("metrics: stale update"):
        report(oracles[4], at=(running - 1) * EPOCH)


def test_reports_of_different_epochs_make_no_quorum(
    quorum: Any, report: Report, oracles: list[Any], actors: Actors, chain: Any
) -> None:
    running = chain.pending_timestamp // EPOCH
    report(oracles[0], at=(running - 1) * EPOCH)
    report(oracles[1], at=(running - 1) * EPOCH)
    report(oracles[2], at=running * EPOCH)

    assert published(quorum, actors.creator)[4] == 0
    report(oracles[3], at=(running - 1) * EPOCH)
    assert published(quorum, actors.creator)[4] == (running - 1) * EPOCH


def test_unfinished_reports_are_forgotten_two_epochs_later(
    quorum: Any, report: Report, oracles: list[Any], actors: Actors, chain: Any
) -> None:
    report(oracles[0])
    report(oracles[1])
    chain.mine(timestamp=chain.pending_timestamp + 2 * EPOCH)  # the same lane

    report(oracles[2])

    assert published(quorum, actors.creator)[4] == 0
    report(oracles[0])
    report(oracles[1])
    assert published(quorum, actors.creator)[0] == 100


def test_an_oracle_in_a_hurry_cannot_end_anothers_epoch(
    quorum: Any, report: Report, oracles: list[Any], actors: Actors, chain: Any
) -> None:
    before = chain.pending_timestamp // EPOCH * EPOCH
    report(oracles[0], at=before)
    chain.mine(timestamp=before + EPOCH)
    report(oracles[4])  # as soon as the next epoch begins

    report(oracles[1], at=before)
    report(oracles[2], at=before)

    assert published(quorum, actors.creator)[4] == before


def test_what_one_alone_refuses_a_quorum_refuses(quorum: Any, oracles: list[Any], actors: Actors, chain: Any) -> None:
    send = quorum.updateCreatorMetrics
    with ape.reverts("metrics: caller is not an oracle"):
        send(actors.creator, 1, 1, 1, 1, sender=actors.stranger)
    with ape.reverts("metrics: creator is the zero address"):
        send(ZERO_ADDRESS, 1, 1, 1, 1, sender=oracles[0])
    with ape.reverts("metrics: observed in the future"):
        send(actors.creator, 1, 1, 1, 1, chain.pending_timestamp + 60, sender=oracles[0])
    with ape.reverts("metrics: score above 10000 bps"):
        send(actors.creator, 1, 1, 1, 10_001, sender=oracles[0])


@pytest.mark.parametrize("figures", [(2**64, 1, 1), (1, 2**64, 1), (1, 1, 2**96)])
def test_figures_beyond_belief_are_refused(
    quorum: Any, oracles: list[Any], actors: Actors, figures: tuple[int, int, int]
) -> None:
    with ape.reverts("metrics: figure too large"):
        quorum.updateCreatorMetrics(actors.creator, *figures, 1, sender=oracles[0])


def test_the_largest_figures_keep_every_digit(quorum: Any, oracles: list[Any], actors: Actors) -> None:
    largest = (2**64 - 1, 2**64 - 1, 2**96 - 1, 10_000)
    for oracle in oracles[:3]:
        quorum.updateCreatorMetrics(actors.creator, *largest, sender=oracle)

    assert published(quorum, actors.creator)[:4] == largest


def test_batches_gather_for_each_creator_by_itself(quorum: Any, oracles: list[Any], actors: Actors, chain: Any) -> None:
    now = chain.pending_timestamp
    creators = [f"0x{index:040x}" for index in range(1, 11)]
    for place, oracle in enumerate(oracles[:3]):
        chosen = creators if place else creators[:5]
        batch = [(creator, 10 * place + int(creator, 16), 1, 1, 1, now) for creator in chosen]
        receipt = quorum.updateCreatorMetricsBatch(batch, sender=oracle)
        assert len(quorum.MetricsReported.from_receipt(receipt)) == len(chosen)

    assert [quorum.creatorMetrics(creator).monthlyStreams for creator in creators] == [11, 12, 13, 14, 15, *[0] * 5]


def test_one_bad_entry_refuses_a_whole_batch_of_reports(
    quorum: Any, oracles: list[Any], actors: Actors, chain: Any
) -> None:
    entry = (actors.creator, 1, 1, 1, 1, chain.pending_timestamp)
    with ape.reverts("metrics: already reported"):
        quorum.updateCreatorMetricsBatch([entry, entry], sender=oracles[0])

    assert list(quorum.reporters(actors.creator, chain.pending_timestamp // EPOCH)) == []


# the owner's part


def test_the_owner_sets_the_quorum(quorum: Any, actors: Actors, oracles: list[Any]) -> None:
    receipt = quorum.setQuorum(5, sender=actors.owner)

    assert receipt.events == [quorum.QuorumUpdated(previousQuorum=3, newQuorum=5)]
    assert (quorum.quorum(), quorum.oracleCount()) == (5, 5)
    for even in (0, 2, 4):
        with ape.reverts("metrics: quorum is even"):
            quorum.setQuorum(even, sender=actors.owner)
    with ape.reverts("metrics: quorum above the number of oracles"):
        quorum.setQuorum(7, sender=actors.owner)
    with ape.reverts("ownable: caller is not the owner"):
        quorum.setQuorum(1, sender=oracles[0])


def test_the_owner_sets_the_length_of_an_epoch(quorum: Any, actors: Actors, oracles: list[Any]) -> None:
    receipt = quorum.setEpochLength(60, sender=actors.owner)

    assert receipt.events == [quorum.EpochLengthUpdated(previousLength=EPOCH, newLength=60)]
    assert quorum.epochLength() == 60
    for length in (59, 86_401):
        with ape.reverts("metrics: epoch length out of range"):
            quorum.setEpochLength(length, sender=actors.owner)
    with ape.reverts("ownable: caller is not the owner"):
        quorum.setEpochLength(60, sender=oracles[0])


def test_a_new_epoch_length_drops_what_waits(
    quorum: Any, report: Report, oracles: list[Any], actors: Actors, chain: Any
) -> None:
    now = chain.pending_timestamp
    report(oracles[0], at=now)
    report(oracles[1], at=now)
    quorum.setEpochLength(EPOCH + 1, sender=actors.owner)
    same_number = now // EPOCH * (EPOCH + 1)  # weeks later the new length reaches the number that the epoch had
    chain.mine(timestamp=same_number)

    report(oracles[2], at=same_number)

    assert list(quorum.reporters(actors.creator, now // EPOCH)) == [oracles[2]]
    assert published(quorum, actors.creator)[4] == 0


def test_a_withdrawn_oracles_waiting_report_does_not_count(
    quorum: Any, report: Report, oracles: list[Any], actors: Actors
) -> None:
    report(oracles[0], 9_000)
    report(oracles[1], 100)
    quorum.setOracle(oracles[0], False, sender=actors.owner)
    report(oracles[2], 200)
    assert published(quorum, actors.creator)[4] == 0

    report(oracles[3], 300)

    assert published(quorum, actors.creator)[0] == 200


def test_an_oracle_authorised_again_does_not_count_twice(
    quorum: Any, report: Report, oracles: list[Any], actors: Actors
) -> None:
    report(oracles[0], 9_000)
    quorum.setOracle(oracles[0], False, sender=actors.owner)
    quorum.setOracle(oracles[0], True, sender=actors.owner)

    with ape.reverts("metrics: already reported"):
        report(oracles[0], 9_000)
    report(oracles[1], 100)
    assert published(quorum, actors.creator)[4] == 0
    report(oracles[2], 200)
    assert published(quorum, actors.creator)[0] == 200


def test_a_lower_quorum_takes_the_lower_middle_of_what_waits(
    quorum: Any, report: Report, oracles: list[Any], actors: Actors
) -> None:
    quorum.setQuorum(5, sender=actors.owner)
    for oracle, streams in zip(oracles, (400, 300, 200), strict=False):
        report(oracle, streams)
    quorum.setQuorum(3, sender=actors.owner)
    assert published(quorum, actors.creator)[4] == 0

    report(oracles[3], 100)

    assert published(quorum, actors.creator)[0] == 200


def test_one_oracle_alone_again_publishes_at_once(
    quorum: Any, report: Report, oracles: list[Any], actors: Actors
) -> None:
    quorum.setQuorum(1, sender=actors.owner)
    receipt = report(oracles[0], 700)

    assert [event.event_name for event in receipt.events] == ["CreatorMetricsUpdated"]
    quorum.setQuorum(3, sender=actors.owner)
    for oracle in oracles[:3]:
        report(oracle, 800)  # of the epoch that is published already
    assert published(quorum, actors.creator)[0] == 700


def test_with_fewer_oracles_than_the_quorum_nothing_is_published(
    quorum: Any, report: Report, oracles: list[Any], actors: Actors
) -> None:
    for oracle in oracles[:3]:
        quorum.setOracle(oracle, False, sender=actors.owner)
    assert (quorum.quorum(), quorum.oracleCount()) == (3, 2)
    for oracle in oracles[3:]:
        report(oracle)

    assert published(quorum, actors.creator)[4] == 0


def test_authorising_twice_counts_once(quorum: Any, oracles: list[Any], actors: Actors) -> None:
    for authorised, count in ((True, 5), (False, 4), (False, 4), (True, 5)):
        quorum.setOracle(oracles[0], authorised, sender=actors.owner)
        assert quorum.oracleCount() == count


def test_there_are_at_most_twenty_one_oracles(quorum: Any, actors: Actors) -> None:
    for index in range(1, MAXIMUM_ORACLES - 5 + 1):
        quorum.setOracle(f"0x{index:040x}", True, sender=actors.owner)
    with ape.reverts("metrics: too many oracles"):
        quorum.setOracle(f"0x{99:040x}", True, sender=actors.owner)
    quorum.setOracle(f"0x{1:040x}", True, sender=actors.owner)  # it is one already


# at random


def deploy(oracles: int, quorum: int) -> tuple[Any, list[Any]]:
    owner = boa.env.generate_address("owner")
    accounts = [boa.env.generate_address(f"oracle {index}") for index in range(oracles)]
    with boa.env.prank(owner):
        manager = boa.load(str(CONTRACTS / "launch" / "CreatorMetricsManager.vy"), 1, 1, MAX_METRICS_AGE)
        for account in accounts:
            manager.setOracle(account, True)
        manager.setQuorum(quorum)
    return manager, accounts


def test_the_owners_changes_of_mind_fill_an_epoch_at_most() -> None:
    with boa.env.anchor():
        manager, accounts = deploy(MAXIMUM_ORACLES, MAXIMUM_ORACLES)
        creator = boa.env.generate_address("creator")
        owner, now = manager.owner(), boa.env.evm.patch.timestamp
        for index in range(MAXIMUM_REPORTS + 1):
            oracle = boa.env.generate_address(f"another {index}")
            manager.setOracle(accounts.pop(), False, sender=owner)
            manager.setOracle(oracle, True, sender=owner)
            accounts.insert(0, oracle)
            call = (creator, 1, 1, 1, 1, now)
            if index < MAXIMUM_REPORTS:
                manager.updateCreatorMetrics(*call, sender=oracle)
            else:
                with boa.reverts("metrics: too many reports"):
                    manager.updateCreatorMetrics(*call, sender=oracle)


HONEST = st.tuples(
    st.integers(min_value=900, max_value=1_100),
    st.integers(min_value=50, max_value=60),
    st.integers(min_value=COIN, max_value=2 * COIN),
    st.integers(min_value=4_000, max_value=5_000),
)
LIES = st.tuples(
    st.sampled_from([0, 2**64 - 1]),
    st.sampled_from([0, 2**64 - 1]),
    st.sampled_from([0, 2**96 - 1]),
    st.sampled_from([0, 10_000]),
)


class Oracles(RuleBasedStateMachine):
    """Seven oracles, two of whom lie, and a quorum of five: a model keeps every report and takes the median itself."""

    ORACLES, QUORUM, LIARS, CREATORS = 7, 5, 2, 2

    system: tuple[Any, list[Any]]

    def __init__(self) -> None:
        super().__init__()
        self.manager, self.oracles = self.system
        self.creators = [boa.env.generate_address(f"creator {index}") for index in range(self.CREATORS)]
        self.reports: dict[tuple[int, int], dict[int, tuple[int, ...]]] = {}
        self.expected = [(0, 0, 0, 0, 0)] * self.CREATORS
        self.honest: dict[tuple[int, int], list[tuple[int, ...]]] = {}
        self.anchor = boa.env.anchor()
        self.anchor.__enter__()

    def teardown(self) -> None:
        self.anchor.__exit__(None, None, None)

    @rule(
        creator=st.integers(min_value=0, max_value=CREATORS - 1),
        oracle=st.integers(min_value=LIARS, max_value=ORACLES - 1),
        figures=HONEST,
        age=st.integers(min_value=0, max_value=3 * EPOCH),
    )
    def report_honestly(self, creator: int, oracle: int, figures: tuple[int, ...], age: int) -> None:
        self._report(creator, oracle, figures, age)

    @rule(
        creator=st.integers(min_value=0, max_value=CREATORS - 1),
        oracle=st.integers(min_value=0, max_value=LIARS - 1),
        figures=LIES,
        age=st.sampled_from([0, EPOCH, 2 * EPOCH]),
    )
    def lie(self, creator: int, oracle: int, figures: tuple[int, ...], age: int) -> None:
        self._report(creator, oracle, figures, age)

    @rule(creator=st.integers(min_value=0, max_value=CREATORS - 1), figures=st.lists(HONEST, min_size=5, max_size=5))
    def honest_oracles_report_together(self, creator: int, figures: list[tuple[int, ...]]) -> None:
        for oracle, its in enumerate(figures, start=self.LIARS):
            self._report(creator, oracle, its, 0)

    @rule(seconds=st.one_of(st.integers(min_value=1, max_value=600), st.just(EPOCH)))
    def wait(self, seconds: int) -> None:
        boa.env.time_travel(seconds=seconds)

    @invariant()
    def what_is_published_is_the_median(self) -> None:
        for creator, expected in zip(self.creators, self.expected, strict=True):
            assert tuple(self.manager.creatorMetrics(creator)) == expected

    @invariant()
    def what_is_published_lies_between_honest_reports(self) -> None:
        for index, creator in enumerate(self.creators):
            metrics = tuple(self.manager.creatorMetrics(creator))
            if metrics[4]:
                honest = self.honest[index, metrics[4] // EPOCH]
                for figure, values in zip(metrics, zip(*honest, strict=True), strict=True):
                    assert min(values) <= figure <= max(values)

    def _report(self, creator: int, oracle: int, figures: tuple[int, ...], age: int) -> None:
        now = boa.env.evm.patch.timestamp
        observed = now - age
        epoch = observed // EPOCH
        known = self.reports.setdefault((creator, epoch), {})
        call = (self.creators[creator], *figures, observed)
        done = self.expected[creator][4] // EPOCH
        refusal = None
        if epoch < now // EPOCH - 1 or epoch < done:
            refusal = "metrics: stale update"
        elif oracle in known:
            refusal = "metrics: already reported"
        if refusal:
            with boa.reverts(refusal):
                self.manager.updateCreatorMetrics(*call, sender=self.oracles[oracle])
            return
        self.manager.updateCreatorMetrics(*call, sender=self.oracles[oracle])
        known[oracle] = (*figures, observed)
        if oracle >= self.LIARS and epoch != done:
            self.honest.setdefault((creator, epoch), []).append(known[oracle])
        if epoch != done and len(known) == self.QUORUM:
            streams, followers, revenue, score, seen = (median_low(f) for f in zip(*known.values(), strict=True))
            self.expected[creator] = (streams, followers, revenue, score, seen)


def test_liars_below_the_majority_of_a_quorum_never_leave_the_honest_range() -> None:
    with boa.env.anchor():
        deployed = type("DeployedOracles", (Oracles,), {"system": deploy(Oracles.ORACLES, Oracles.QUORUM)})
        run_state_machine_as_test(deployed, settings=STATEFUL)
