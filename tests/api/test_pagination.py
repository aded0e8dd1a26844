import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.pagination import AddressKey, IntegerKey, InvalidCursorError, Keyset, TextKey, Uint256Key
from encore.db.types import UINT256_MAX
from tests.factories import address

KEYSET = Keyset("list:sort", Uint256Key, AddressKey)


def cursor_of(document: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")


@given(st.integers(min_value=0, max_value=UINT256_MAX), st.integers(min_value=0, max_value=2**160 - 1))
def test_a_cursor_leads_back_to_its_key(amount: int, number: int) -> None:
    assert KEYSET.decode(KEYSET.encode([amount, address(number)])) == (amount, address(number))


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_nonsense_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidCursorError):
        KEYSET.decode(cursor)


@pytest.mark.parametrize(
    "document",
    [
        ["another:list", 1, address(1)],
        ["list:sort"],
        ["list:sort", 1],
        ["list:sort", 1, address(1), 2],
        ["list:sort", "1", address(1)],
        ["list:sort", True, address(1)],
        ["list:sort", 1.0, address(1)],
        ["list:sort", -1, address(1)],
        ["list:sort", 2**256, address(1)],
        ["list:sort", 1, "0x"],
        ["list:sort", 1, address(1) + "\n"],
        [["list:sort"], 1, address(1)],
        {"list:sort": 1},
        None,
        7,
    ],
)
def test_a_cursor_that_this_list_did_not_give_out_is_refused(document: object) -> None:
    with pytest.raises(InvalidCursorError, match="first page"):
        KEYSET.decode(cursor_of(document))


def test_keys_stay_within_what_the_columns_hold() -> None:
    with pytest.raises(InvalidCursorError):
        Keyset("x", IntegerKey).decode(cursor_of(["x", 2**63]))
    with pytest.raises(InvalidCursorError):
        Keyset("x", TextKey).decode(cursor_of(["x", "nul\0"]))


def test_no_cursor_is_the_first_page() -> None:
    assert KEYSET.decode(None) is None
