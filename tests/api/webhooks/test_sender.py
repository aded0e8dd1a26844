"""Where webhooks may lead: real sockets, real names."""

import pytest
from aiohttp import web

from api.webhooks.sender import Sender, is_public
from tests.api.webhooks.receiver import Receiver


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),  # noqa: S104
        *("224.0.0.1", "255.255.255.255", "198.18.0.1"),
        *("::1", "::", "fe80::1", "fe80::1%eth0", "fd00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1"),
        *("64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:0:0:0:0:80ff:fffe"),
    ],
)
def test_addresses_of_private_networks_are_told_from_public_ones(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1"])
async def test_neither_an_address_nor_a_name_leads_into_our_own_network(host: str) -> None:
    async with Receiver() as receiver:
        sender = Sender(allows_private=False)
        outcome = await sender.post(f"http://{host}:{receiver.port}/", b"{}", {})
        await sender.close()
    assert outcome.status is None
    assert outcome.error
    assert receiver.requests == []


async def test_a_redirect_is_not_followed() -> None:
    async with Receiver() as receiver:
        receiver.answers = [web.Response(status=307, headers={"Location": receiver.url})]
        sender = Sender(allows_private=True)
        outcome = await sender.post(receiver.url, b"{}", {})
        await sender.close()
    assert (outcome.status, outcome.is_delivered, len(receiver.requests)) == (307, False, 1)
