import csv
import random
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from encore.demo.listening import HEADER, QUALIFYING_CREATORS, Requirements, listening_rows, write_log

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("requirements", [Requirements(50_000, 5_000), Requirements(50_000, 400)])
def test_just_so_many_creators_meet_the_requirements(requirements: Requirements, seed: int) -> None:
    streams: Counter[str] = Counter()
    followers: defaultdict[str, set[str]] = defaultdict(set)
    for row in listening_rows(requirements, random.Random(seed), NOW):
        listener, creator, _, _, _, _, play_count, follow = map(str, row)
        streams[creator] += int(play_count or 1)
        if follow == "yes":
            followers[creator].add(listener)

    qualified = [
        creator
        for creator in streams
        if streams[creator] >= requirements.streams and len(followers[creator]) >= requirements.followers
    ]
    assert len(streams) == 40
    assert len(qualified) == QUALIFYING_CREATORS
    assert streams.most_common(1)[0][1] > 10 * min(streams.values())


def test_even_without_requirements_there_are_listeners() -> None:
    rows = list(listening_rows(Requirements(0, 0), random.Random(1), NOW))

    assert len({row[0] for row in rows}) > 100


def test_every_play_lies_in_the_last_28_days() -> None:
    times = [
        datetime.fromisoformat(str(row[2])) for row in listening_rows(Requirements(1_000, 10), random.Random(1), NOW)
    ]

    assert NOW - timedelta(days=28) <= min(times)
    assert max(times) < NOW


def test_the_same_seed_writes_the_same_file_and_leaves_no_other(tmp_path: Path) -> None:
    first, second = tmp_path / "demo" / "1.csv", tmp_path / "demo" / "2.csv"
    for path in (first, second):
        write_log(path, Requirements(1_000, 10), seed=7, now=NOW)

    assert first.read_bytes() == second.read_bytes()
    assert tuple(next(csv.reader(first.read_text().splitlines()))) == HEADER
    assert sorted(tmp_path.rglob("*.*")) == [first, second]
