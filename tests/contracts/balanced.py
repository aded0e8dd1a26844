"""What the tests of BalancedCreatorToken and its modules share: the token, with coins among several holders."""

from typing import Any

from tests.contracts.conftest import COIN, Actors

MAXIMUM_SUPPLY = 100_000_000 * COIN
POOL_SUPPLY = 10_000_000 * COIN
LAUNCH_STREAMS = 60_000
TEXTS = ("A Coin", "COIN", "About it", "https://img.example/2")


def deploy_coin(contracts: Any, actors: Actors, *, metrics: Any, exchange: Any, **changes: Any) -> Any:
    """Deploy a token past the registry, from the owner; the provider stands for who seeds the pool."""
    arguments = {
        "name": TEXTS[0],
        "symbol": TEXTS[1],
        "description": TEXTS[2],
        "image_url": TEXTS[3],
        "creator": actors.creator,
        "fee_recipient": actors.fee_recipient,
        "seeder": actors.provider,
        "metrics": metrics,
        "exchange": exchange,
    } | changes
    return actors.owner.deploy(contracts.BalancedCreatorToken, *arguments.values())


def report_streams(metrics: Any, actors: Actors, streams: int, **options: Any) -> None:
    """Have the oracle report the creator's monthly streams, as of now or of `observed_at`."""
    metrics.updateCreatorMetrics(
        *(actors.creator, streams, 6_000, 0, 0),
        *((options["observed_at"],) if "observed_at" in options else ()),
        sender=actors.oracle,
    )


def execute(hostile: Any, method: Any, *arguments: Any, **options: Any) -> Any:
    """Have the hostile contract call a token's or the exchange's method."""
    return hostile.execute(method.contract, method.encode_input(*arguments), **options)
