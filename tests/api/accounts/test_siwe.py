"""The message format, against the examples of EIP-4361 itself."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.accounts.siwe import MalformedMessageError, SignInMessage, parse

ADDRESS = "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2"
EXAMPLE = f"""example.com wants you to sign in with your Ethereum account:
{ADDRESS}

I accept the ExampleOrg Terms of Service: https://example.com/tos

URI: https://example.com/login
Version: 1
Chain ID: 1
Nonce: 32891756
Issued At: 2021-09-30T16:25:24Z
Resources:
- ipfs://bafybeiemxf5abjwjbikoz4mc3a3dla6ual3jsgpdr4cjr3oz3evfyavhwq/
- https://example.com/my-web2-claim.json"""
MESSAGE = SignInMessage(
    domain="localhost:3000",
    address=ADDRESS,
    uri="http://localhost:3000",
    chain_id=31337,
    nonce="0123456789abcdef",
    issued_at=datetime(2026, 11, 21, tzinfo=UTC),
)


def test_the_standards_example_is_read() -> None:
    message = parse(EXAMPLE)
    assert (message.domain, message.address, message.uri) == ("example.com", ADDRESS, "https://example.com/login")
    assert (message.version, message.chain_id, message.nonce) == ("1", 1, "32891756")
    assert message.statement == "I accept the ExampleOrg Terms of Service: https://example.com/tos"
    assert message.issued_at == datetime(2021, 9, 30, 16, 25, 24, tzinfo=UTC)


def test_scheme_port_and_a_missing_statement_are_read() -> None:
    text = EXAMPLE.replace("example.com wants", "https://example.com:3388 wants", 1)
    text = text.replace("I accept the ExampleOrg Terms of Service: https://example.com/tos\n", "")
    message = parse(text)
    assert (message.domain, message.statement) == ("example.com:3388", None)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (ADDRESS, ADDRESS.lower()),
        (ADDRESS, ADDRESS[:-1]),
        ("Ethereum account:\n", "Ethereum account: \n"),
        ("\nVersion: 1", ""),
        ("\nNonce: 32891756", ""),
        ("32891756", "3289175"),
        ("32891756", "3289_756"),
        ("Chain ID: 1", "Chain ID: one"),
        ("Chain ID: 1", "Chain ID: \u0661"),
        ("2021-09-30T16:25:24Z", "2021-09-31T16:25:24Z"),
        ("2021-09-30T16:25:24Z", "2021-09-30T16:25:24"),
        ("2021-09-30T16:25:24Z", "2021-09-30 16:25:24Z"),
        ("Version: 1\nChain ID: 1", "Chain ID: 1\nVersion: 1"),
        ("I accept", "I accept\nmore"),
        ("https://example.com/login", "example.com/login"),
        ("\n", "\r\n"),
        ("- https://example.com/my-web2-claim.json", "- https://example.com/my-web2-claim.json\n"),
        ("example.com wants", " example.com wants"),
    ],
)
def test_what_differs_from_the_standard_by_a_character_is_refused(right: str, wrong: str) -> None:
    assert right in EXAMPLE
    with pytest.raises(MalformedMessageError):
        parse(EXAMPLE.replace(right, wrong))


moments = st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(
    statement=st.none() | st.text("abcXYZ 019.,:/?#[]@!$&'()*+;=-_~", min_size=1).filter(lambda text: text != ""),
    chain_id=st.integers(1, 10**18 - 1),
    nonce=st.text("0123456789abcdefABCDEF", min_size=8, max_size=64),
    times=st.tuples(moments, st.none() | moments, st.none() | moments),
)
def test_what_is_written_is_read_back(
    statement: str | None, chain_id: int, nonce: str, times: tuple[datetime, datetime | None, datetime | None]
) -> None:
    issued_at, expiration_time, not_before = times
    message = SignInMessage(
        domain=MESSAGE.domain,
        address=MESSAGE.address,
        uri=MESSAGE.uri,
        chain_id=chain_id,
        nonce=nonce,
        issued_at=issued_at,
        statement=statement,
        expiration_time=expiration_time,
        not_before=not_before,
    )
    assert parse(message.text()) == message
