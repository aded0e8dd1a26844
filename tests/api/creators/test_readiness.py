from hypothesis import given
from hypothesis import strategies as st

from api.creators.readiness import Demands, Metrics, assess
from api.creators.schemas import LaunchStatus
from encore.db.types import UINT256_MAX

COUNT = st.integers(min_value=0, max_value=UINT256_MAX) | st.integers(min_value=0, max_value=10)
TIME = st.integers(min_value=1, max_value=2**40)


@given(st.builds(Metrics, COUNT, COUNT, TIME), st.builds(Demands, COUNT, COUNT, TIME), TIME)
def test_ready_is_exactly_what_the_contract_would_say(metrics: Metrics, demands: Demands, now: int) -> None:
    """CreatorMetricsManager.meetsLaunchRequirements, in its own words."""
    meets = (
        metrics.observed_at != 0
        and metrics.observed_at + demands.metrics_age_seconds >= now
        and metrics.monthly_streams >= demands.monthly_streams
        and metrics.followers >= demands.followers
    )
    readiness = assess(coin=None, wallet="0x", metrics=metrics, demands=demands, now=now)
    assert (readiness.status is LaunchStatus.READY) == meets
    assert (readiness.fraction == 1) == meets
    assert (readiness.missing == []) == meets
    for requirement in readiness.requirements:
        assert (requirement.fraction == 1) == requirement.met
