"""Naming coins within what the contract takes."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oracle.launches import coin_for
from oracle.repository.attempts import Attempts
from oracle.repository.launching import LaunchCandidate

CANDIDATE = LaunchCandidate(
    creator_id=12,
    wallet="0x" + "11" * 20,
    name="Sigur Rós",
    description="",
    image_url="",
    attempts=Attempts(),
)


@pytest.mark.parametrize(
    ("name", "expected_name", "symbol"),
    [
        ("Sigur Rós", "Sigur Rós", "SIGURROS"),
        ("AC/DC", "AC/DC", "ACDC"),
        ("Florence + the Machine", "Florence + the Machine", "FLORENCETH"),
        ("椎名林檎", "椎名林檎", "C12"),
        ("  \x00\n ", "Creator 12", "CREATOR12"),
        ("é" * 40, "é" * 25, "E" * 10),
        ("1349", "1349", "1349"),
    ],
)
def test_a_coin_is_named_after_its_creator(name: str, expected_name: str, symbol: str) -> None:
    coin = coin_for(replace(CANDIDATE, name=name))
    assert (coin.name, coin.symbol) == (expected_name, symbol)


@given(st.text(), st.text(), st.text(), st.integers(1, 2**62))
def test_any_creator_gets_a_coin_that_the_contract_takes(
    name: str, description: str, image_url: str, creator_id: int
) -> None:
    coin = coin_for(replace(CANDIDATE, name=name, description=description, image_url=image_url, creator_id=creator_id))
    assert 1 <= len(coin.name.encode()) <= 50
    assert 1 <= len(coin.symbol) <= 10
    assert coin.symbol.isascii()
    assert coin.symbol.isalnum()
    assert len(coin.description.encode()) <= 500
    assert len(coin.image_url.encode()) <= 200


def test_an_image_url_is_taken_whole_or_not_at_all() -> None:
    url = "https://example.org/" + "a" * 180
    assert coin_for(replace(CANDIDATE, image_url=url)).image_url == url
    assert coin_for(replace(CANDIDATE, image_url=url + "a")).image_url == ""
