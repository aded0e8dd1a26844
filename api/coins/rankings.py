"""Every coin in the orders of the list, as of one block: a page is cut from them, however far down it is."""

from bisect import bisect_left
from collections.abc import Collection, Sequence
from typing import NamedTuple

from api.coins import repository
from api.coins.schemas import CoinSort
from api.mirror.service import MirrorView, Tip
from api.pagination import Window

DAY_SECONDS = 86_400


class Ranked(NamedTuple):
    """A coin and what it is sorted by: native wei, or its block's time where they are sorted by age."""

    sort_key: int
    address: str


class Rankings:
    """All coins by each sort, and their native wei traded in the 24 hours before the block."""

    def __init__(self, orders: dict[CoinSort, list[Ranked]]) -> None:
        self._orders = {sort: sorted(order) for sort, order in orders.items()}
        self.volumes = {coin.address: coin.sort_key for coin in orders[CoinSort.VOLUME]}

    def cut(self, sort: CoinSort, window: Window, among: Collection[str] | None) -> Sequence[Ranked]:
        """Return the coins of a window, the greatest first; `among` restricts them to what a search found."""
        order = self._orders[sort]
        if among is not None:
            order = [coin for coin in order if coin.address in among]
        end = len(order) if window.key is None else bisect_left(order, window.key)
        return order[max(end - window.limit, 0) : end][::-1]


def day_before(tip: Tip) -> int:
    """Return since when a trade counts for the figures of 24 hours, in unix seconds."""
    return tip.timestamp - DAY_SECONDS


async def rankings(view: MirrorView) -> Rankings:
    """Return the block's."""

    async def load() -> Rankings:
        rows = await repository.rankings(view.session, since=day_before(view.tip))
        return Rankings(
            {
                CoinSort.CREATED: [Ranked(row.created_at, row.address) for row in rows],
                CoinSort.MARKET_CAP: [Ranked(row.market_cap, row.address) for row in rows],
                CoinSort.VOLUME: [Ranked(row.volume, row.address) for row in rows],
            }
        )

    return await view.once("coins", load)
