"""How often a coin that was hidden from a wallet is recommended to it, beside recommending what most wallets hold.

    python benchmarks/judge_recommendations.py PATH [--listeners 1800]

PATH is `user_artists.dat` of a listening log in the format `lastfm` (docs/listening-logs.md). Artists stand for coins
and plays for what is held of them. Of each listener one artist is hidden; a hit is one that comes back among the first
20 (leave one out, as Deshpande and Karypis measure theirs).
"""

import argparse
import csv
import json
import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from api.portfolio.neighbours import COINS, HOLDERS_PER_COIN
from api.portfolio.recommendations import FEWEST_ACCOUNTS, rank

FIRST: Final = 20
SEED: Final = 7

Holdings = dict[str, dict[str, int]]
"""Amounts by account and coin, or by coin and account."""


def read(path: Path) -> Holdings:
    """Return what each listener has of each artist."""
    holdings: Holdings = defaultdict(dict)
    with path.open(newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            holdings[row["userID"]][row["artistID"]] = int(row["weight"])
    return holdings


def largest(amounts: Mapping[str, int]) -> list[str]:
    """Return the keys by amount, the largest first."""
    return sorted(amounts, key=lambda key: (-amounts[key], key))


class Market:
    """Who holds what, before anything is hidden."""

    def __init__(self, by_account: Holdings) -> None:
        self.by_account = by_account
        self.by_coin: Holdings = defaultdict(dict)
        for account, coins in by_account.items():
            for coin, amount in coins.items():
                self.by_coin[coin][account] = amount
        self._order = {coin: largest(holders) for coin, holders in self.by_coin.items()}
        self._popular = largest({coin: len(holders) for coin, holders in self.by_coin.items()})

    def recommended(self, account: str, own: Mapping[str, int], hidden: str) -> Sequence[str]:
        """Return what the API would recommend to an account that has `own`."""
        samples = {
            coin: {holder for holder in self._order[coin][:HOLDERS_PER_COIN] if holder != account}
            for coin in largest(own)[:COINS]
        }
        holders: defaultdict[str, set[str]] = defaultdict(set)
        for holder in set().union(*samples.values()):
            for coin in self.by_account[holder]:
                holders[coin].add(holder)
        ranked = [
            rank(coin, len(self.by_coin[coin]) - (coin == hidden), found, samples)
            for coin, found in holders.items()
            if coin not in own and len(found) >= FEWEST_ACCOUNTS
        ]
        return [each.address for each in sorted(ranked, key=lambda each: (-each.score, each.address))]

    def popular(self, own: Mapping[str, int]) -> Sequence[str]:
        """Return what most accounts hold and this one does not."""
        return [coin for coin in self._popular[: FIRST + len(own)] if coin not in own]


def judge(market: Market, listeners: int) -> tuple[float, float]:
    """Return the share of hits, ours and popularity's."""
    chance = random.Random(SEED)
    asked = chance.sample([account for account, coins in market.by_account.items() if len(coins) > 1], listeners)
    hits: Counter[str] = Counter()
    for account in asked:
        hidden = chance.choice(sorted(market.by_account[account]))
        own = {coin: amount for coin, amount in market.by_account[account].items() if coin != hidden}
        hits["ours"] += hidden in market.recommended(account, own, hidden)[:FIRST]
        hits["popular"] += hidden in market.popular(own)[:FIRST]
    return hits["ours"] / listeners, hits["popular"] / listeners


def main() -> None:
    """Read the arguments, judge, and print the result as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    parser.add_argument("--listeners", type=int, default=1_800)
    arguments = parser.parse_args()
    ours, reference = judge(Market(read(arguments.path)), arguments.listeners)
    result = {
        "name": f"hidden artists among the first {FIRST}, beside popularity",
        "ours": round(ours, 3),
        "reference": round(reference, 3),
        "ratio": round(ours / reference, 2),
        "goal": 2,
        "met": ours >= 2 * reference,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
