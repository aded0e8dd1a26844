"""Rules of recommendations: coins that those who hold the same coins bought and kept, or else what many bought lately.

Item-based collaborative filtering with the conditional probability of Deshpande and Karypis (Item-Based Top-N
Recommendation Algorithms, ACM TOIS 22(1), 2004): the share of a coin's holders who hold the other one too, over the
square root of how many hold that, so that what everybody has does not come first everywhere. A share of few holders is
damped, as significance weighting does (Herlocker, Konstan and Riedl, Information Retrieval 5, 2002).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import partial
from math import fsum, sqrt
from typing import Final, NamedTuple

from api.coins.service import figures_of
from api.mirror.service import MirrorView
from api.pagination import AddressKey, IntegerKey, Keyset, PageRequest
from api.portfolio import neighbours, schemas, service
from api.portfolio.schemas import RecommendationBasis

WEEK_SECONDS: Final = 7 * 86_400
FEWEST_ACCOUNTS: Final = 2
"""What a single account did recommends nothing."""
DAMPING: Final = 10
"""Holders that a sample is taken to have more than it has: shares of small samples count less."""
SCORE_STEPS: Final = 1_000_000

_RECOMMENDATIONS: Final = Keyset("recommendations", IntegerKey, AddressKey)


class Shared(NamedTuple):
    """How many of the sampled holders of one of the wallet's coins hold the recommended one."""

    coin: str
    holders: int
    sampled: int


@dataclass(frozen=True, slots=True)
class Ranked:
    """A recommended coin and why: by shared holders, or without any by the number of last week's buyers."""

    address: str
    score: int
    shared: list[Shared] = field(default_factory=list)


async def list_recommendations(
    view: MirrorView, page: PageRequest, wallet: str, *, exchange: str
) -> schemas.RecommendationPage:
    """Return a page of coins that the wallet does not have, the highest score first; `exchange` in lower case."""
    window = _RECOMMENDATIONS.window(page)
    positions: list[service.Valued] = [
        *await service.holdings_of(view, wallet),
        *await service.stakes_of(view, wallet),
        *await service.liquidity_of(view, wallet),
    ]
    labels = {position.coin.address.lower(): position.coin for position in positions}
    own = _most_valuable(positions)
    ranked = await _by_holders(view, wallet, exchange, own) or await _by_buyers(view, wallet, own)
    places = sorted(ranked, key=_order)
    if window.key is not None:
        score, coin = window.key
        places = [each for each in places if _order(each) > (-score, coin)]
    shown, next_cursor = _RECOMMENDATIONS.cut(places, page.limit, "score", "address")
    figures = await figures_of(view, [each.address for each in shown])
    # Validated in one go: a model for each part would take as long as the SQL.
    return schemas.RecommendationPage.model_validate(
        {
            "items": [
                {
                    "coin": coin,
                    "basis": RecommendationBasis.HOLDERS if each.shared else RecommendationBasis.BUYERS,
                    "score": each.score,
                    "shared_with": [
                        {"coin": labels[shared.coin], "holders": shared.holders, "sampled": shared.sampled}
                        for shared in each.shared
                    ],
                }
                for each, coin in zip(shown, figures, strict=True)
            ],
            "next_cursor": next_cursor,
            "indexed_block": view.tip.wire(),
        }
    )


async def _by_holders(view: MirrorView, wallet: str, exchange: str, own: Sequence[str]) -> list[Ranked]:
    samples: defaultdict[str, set[str]] = defaultdict(set)
    for row in await neighbours.holders(view.session, wallet, exchange, own[: neighbours.COINS]):
        samples[row.token].add(row.holder)
    accounts = sorted(set().union(*samples.values()))
    holders: defaultdict[str, set[str]] = defaultdict(set)
    holder_counts: dict[str, int] = {}
    for row in await neighbours.kept(view.session, wallet, accounts) if accounts else []:
        holders[row.address].add(row.holder)
        holder_counts[row.address] = row.holder_count
    has = frozenset(own)
    return [
        rank(coin, holder_counts[coin], found, samples)
        for coin, found in holders.items()
        if coin not in has and len(found) >= FEWEST_ACCOUNTS
    ]


async def _by_buyers(view: MirrorView, wallet: str, own: Sequence[str]) -> list[Ranked]:
    since = view.tip.timestamp - WEEK_SECONDS
    rows = await view.once("bought", partial(neighbours.bought, view.session, since))
    has = frozenset(own)
    return [
        Ranked(row.address, row.buyers)
        for row in rows
        if row.address not in has and row.creator != wallet and row.buyers >= FEWEST_ACCOUNTS
    ]


def rank(coin: str, holder_count: int, holders: AbstractSet[str], samples: Mapping[str, AbstractSet[str]]) -> Ranked:
    """Score a coin that `holders` hold, who are among the `samples` of holders of each of a wallet's coins."""
    shared = [Shared(own, len(holders & sample), len(sample)) for own, sample in samples.items() if holders & sample]
    shares = fsum(each.holders / (each.sampled + DAMPING) for each in shared)
    score = round(SCORE_STEPS * shares / sqrt(max(holder_count, 1)))
    return Ranked(coin, score, sorted(shared, key=lambda each: (-each.holders, each.coin)))


def _most_valuable(positions: Iterable[service.Valued]) -> list[str]:
    """Return the coins of the positions, the most valuable first."""
    values: Counter[str] = Counter()
    for position in positions:
        values[position.coin.address.lower()] += position.value
    return sorted(values, key=lambda coin: (-values[coin], coin))


def _order(ranked: Ranked) -> tuple[int, str]:
    return -ranked.score, ranked.address
