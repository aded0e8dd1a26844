"""How far a creator is from a launch: the decision of CreatorMetricsManager.meetsLaunchRequirements, told in steps."""

from dataclasses import dataclass

from api.creators.schemas import LaunchReadiness, LaunchStatus, Requirement, RequirementName

FRACTION_STEPS = 10_000


@dataclass(frozen=True, slots=True)
class Metrics:
    """What the chain knows of a creator: counts, and when they were observed (unix seconds)."""

    monthly_streams: int
    followers: int
    observed_at: int


@dataclass(frozen=True, slots=True)
class Demands:
    """What the chain asks for: least counts, and the greatest age of the observation in seconds."""

    monthly_streams: int
    followers: int
    metrics_age_seconds: int


def assess(
    *, coin: str | None, wallet: str | None, metrics: Metrics | None, demands: Demands | None, now: int
) -> LaunchReadiness:
    """Tell each requirement and what is missing at the block time `now` (unix seconds)."""
    requirements = [] if demands is None else _requirements(metrics, demands, now)
    missing = _missing(wallet, metrics, demands, requirements)
    undecided = LaunchStatus.NOT_READY if missing else LaunchStatus.READY
    return LaunchReadiness(
        status=undecided if coin is None else LaunchStatus.LAUNCHED,
        coin=coin,
        fraction=_floor(sum(step.fraction for step in requirements) / len(requirements)) if requirements else 0,
        requirements=requirements,
        missing=[] if coin is not None else missing,
    )


def _requirements(metrics: Metrics | None, demands: Demands, now: int) -> list[Requirement]:
    age = None if metrics is None else max(now - metrics.observed_at, 0)
    fresh = age is not None and age <= demands.metrics_age_seconds
    return [
        _count(
            RequirementName.MONTHLY_STREAMS,
            None if metrics is None else metrics.monthly_streams,
            demands.monthly_streams,
        ),
        _count(RequirementName.FOLLOWERS, None if metrics is None else metrics.followers, demands.followers),
        Requirement(
            name=RequirementName.METRICS_AGE,
            have=age,
            need=demands.metrics_age_seconds,
            fraction=1 if fresh else 0,
            met=fresh,
        ),
    ]


def _count(name: RequirementName, have: int | None, need: int) -> Requirement:
    met = have is not None and have >= need
    fraction = 1 if met else (have or 0) * FRACTION_STEPS // need / FRACTION_STEPS if need else 0
    return Requirement(name=name, have=have, need=need, fraction=fraction, met=met)


def _missing(
    wallet: str | None, metrics: Metrics | None, demands: Demands | None, requirements: list[Requirement]
) -> list[str]:
    if wallet is None:
        return ["a wallet: the chain does not know this creator yet"]
    if demands is None:
        return ["the launch requirements: the metrics contract is not indexed yet"]
    if metrics is None:
        return ["a first report of the oracle: the chain knows no metrics of this creator yet"]
    return [_words(requirement) for requirement in requirements if not requirement.met]


def _words(requirement: Requirement) -> str:
    if requirement.name is RequirementName.METRICS_AGE:
        return f"a fresh report of the oracle: the last is {requirement.have} s old, {requirement.need} s at most"
    short = requirement.need - (requirement.have or 0)
    return f"{short} more {requirement.name.value.replace('_', ' ')} on chain"


def _floor(fraction: float) -> float:
    return int(fraction * FRACTION_STEPS) / FRACTION_STEPS
