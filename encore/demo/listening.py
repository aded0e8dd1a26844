"""Making up a listening log: a few famous creators and many small ones, as popularity is anywhere (Zipf's law)."""

import csv
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

QUALIFYING_CREATORS: Final = 4
"""How many creators will meet the launch requirements."""

NAMES: Final = (
    "Velvet Harbor", "Mira Solenne", "Ashen Choir", "Lúa Ferreira", "Kōyō Line", "The Paper Lanterns", "Dario Vance",
    "Northern Static", "Saffron Tide", "Ilse Marrow", "Glass Orchard", "Tomás Quill", "Neon Prairie", "Wren & Hollow",
    "Okto Seven", "Juniper Ray", "Salt Meridian", "Amara Bloom", "Concrete Fjord", "Petra Lune", "Static Bazaar",
    "Elio Marsh", "Copper Thread", "Night Ferry", "Soraya Finch", "Low Tide Club", "Bram Aster", "Violet Engine",
    "Halcyon Drift", "Noor Castellan", "Rust & Honey", "Tall Weather", "Inés Corvo", "Ember Parade", "Quiet Machines",
    "Sable Winters", "Golden Ratio Trio", "Mount Analog", "Leïla Orme", "Last Tram Home",
)  # fmt: skip
HEADER: Final = (
    "listener",
    "creator",
    "played_at",
    "track",
    "listened_seconds",
    "track_seconds",
    "play_count",
    "follow",
)
_LISTENERS_PER_FOLLOWER_REQUIRED: Final = 1.6
_FEWEST_LISTENERS: Final = 200
_SPARE: Final = 1.05
_PLAYS_SPARE: Final = 1.25
_SINGLE_PLAYS_SHARE: Final = 0.15
_COMPLETED_SHARE: Final = 0.7
_PASSING_SHARE: Final = 0.1
_SPAN: Final = timedelta(days=28)


@dataclass(frozen=True, slots=True)
class Requirements:
    """What the chain demands of a creator before a launch: streams of 30 days, and followers."""

    streams: int
    followers: int


def write_log(path: Path, requirements: Requirements, seed: int, now: datetime) -> None:
    """Write a log of the 28 days before `now` to `path`, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    with unfinished.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(listening_rows(requirements, random.Random(seed), now))  # noqa: S311 - reproducible on purpose
    unfinished.replace(path)


def listening_rows(requirements: Requirements, rng: random.Random, now: datetime) -> Iterator[tuple[object, ...]]:
    """Yield rows of the log: `QUALIFYING_CREATORS` of the creators meet `requirements`, with a little to spare.

    A creator of rank r comes up c/r times as often as the first (Zipf), and who comes across one at least once is an
    audience: 1 - e^(-c/r) of all listeners. c is such that the last qualifying rank has the followers it needs.
    """
    followers = math.ceil(requirements.followers * _SPARE)
    listeners = max(math.ceil(requirements.followers * _LISTENERS_PER_FOLLOWER_REQUIRED), _FEWEST_LISTENERS)
    share = max(followers / listeners, 0.5)
    exposure = -QUALIFYING_CREATORS * math.log(1 - share)
    plays_per_encounter = max(2.0, requirements.streams * _PLAYS_SPARE * QUALIFYING_CREATORS / (listeners * exposure))
    names = [f"listener-{number:05}" for number in range(1, listeners + 1)]
    rows = _Rows(rng, now)
    for rank, creator in enumerate(NAMES, start=1):
        encounters = exposure / rank
        audience = round(listeners * (1 - math.exp(-encounters)))
        mean_plays = plays_per_encounter * encounters * listeners / audience
        for listener in rng.sample(names, audience):
            yield rows.summed_up(listener, creator, mean_plays, follow="yes")
            if rng.random() < _SINGLE_PLAYS_SHARE:
                yield rows.single(listener, creator)
        for listener in rng.choices(names, k=round(audience * _PASSING_SHARE)):
            yield rows.summed_up(listener, creator, 1.0, follow="no")


@dataclass(frozen=True, slots=True)
class _Rows:
    """Makes rows in the order of `HEADER`, of the time before `now`."""

    rng: random.Random
    now: datetime

    def summed_up(self, listener: str, creator: str, mean_plays: float, follow: str) -> tuple[object, ...]:
        plays = 1 + int(self.rng.expovariate(1 / mean_plays))
        return (listener, creator, self._moment(), "", "", "", plays, follow)

    def single(self, listener: str, creator: str) -> tuple[object, ...]:
        number = self.rng.randint(1, 12)
        length = 150 + 11 * number
        heard = length if self.rng.random() < _COMPLETED_SHARE else self.rng.randint(5, length)
        return (listener, creator, self._moment(), f"{creator} No. {number}", heard, length, "", "yes")

    def _moment(self) -> str:
        ago = timedelta(seconds=self.rng.randint(1, int(_SPAN.total_seconds())))
        return (self.now - ago).isoformat(timespec="seconds")
