import pytest

from encore.chain import pace as pace_module
from encore.chain.pace import LONGEST_INTERVAL_SECONDS, Pace


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(pace_module, "monotonic", lambda: self.now)
        monkeypatch.setattr("asyncio.sleep", self.sleep)

    async def sleep(self, seconds: float) -> None:
        self.now += seconds

    async def seconds_for(self, pace: Pace, calls: int) -> float:
        began = self.now
        for _ in range(calls):
            await pace.turn()
        return self.now - began


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


async def test_without_a_limit_nothing_is_waited_for(clock: Clock) -> None:
    assert await clock.seconds_for(Pace(), 1_000) == 0


async def test_the_limit_is_kept_and_never_exceeded_by_recovery(clock: Clock) -> None:
    pace = Pace(calls_per_second=20)
    pace.recover()
    assert await clock.seconds_for(pace, 101) == pytest.approx(5)


async def test_each_429_halves_the_speed_down_to_a_floor_and_answers_bring_it_back(clock: Clock) -> None:
    pace = Pace(calls_per_second=100)
    await pace.turn()
    pace.slow_down()
    pace.slow_down()
    await pace.turn()
    assert await clock.seconds_for(pace, 10) == pytest.approx(0.4)
    for _ in range(20):
        pace.slow_down()
    await pace.turn()
    assert await clock.seconds_for(pace, 10) == pytest.approx(10 * LONGEST_INTERVAL_SECONDS)
    for _ in range(100):
        pace.recover()
    await pace.turn()
    assert await clock.seconds_for(pace, 10) == pytest.approx(0.1)


async def test_an_endpoint_without_a_limit_is_as_fast_again_after_a_429(clock: Clock) -> None:
    pace = Pace()
    pace.slow_down()
    for _ in range(10):
        pace.recover()
    assert await clock.seconds_for(pace, 10) == 0


async def test_a_pause_that_an_endpoint_asks_for_is_bounded(clock: Clock) -> None:
    pace = Pace()
    pace.slow_down(retry_after_seconds=3)
    assert await clock.seconds_for(pace, 1) == 3
    pace.slow_down(retry_after_seconds=86_400)
    assert await clock.seconds_for(pace, 1) == pace_module.LONGEST_PAUSE_SECONDS
