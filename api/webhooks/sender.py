"""One HTTP request to somebody else's server: bounded in time and size, never redirected, never to our own network."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

import aiohttp
from aiohttp.connector import AddrInfoType

TIMEOUT_SECONDS: Final = 10.0
LONGEST_ERROR: Final = 300
CONNECTIONS: Final = 100

_NAT64: Final = ip_network("64:ff9b::/96")


class PrivateAddressError(OSError):
    """The host's name leads into a private network."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an attempt: the answer's status, or why there was none."""

    status: int | None
    error: str | None

    @property
    def is_delivered(self) -> bool:
        """Whether the receiver took it."""
        return self.status is not None and HTTPStatus(200) <= self.status < HTTPStatus.MULTIPLE_CHOICES


class Sender:
    """Posts to public addresses, or to any where `allows_private`.

    The address is checked when its socket is opened, so that a name cannot lead elsewhere between check and use.
    """

    def __init__(self, *, allows_private: bool) -> None:
        self._allows_private = allows_private
        self._session: aiohttp.ClientSession | None = None

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
        """Post once; every way in which that can fail is an outcome."""
        if self._session is None:
            connector = aiohttp.TCPConnector(
                socket_factory=self._open, limit=CONNECTIONS, use_dns_cache=False, force_close=True
            )
            timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
            self._session = aiohttp.ClientSession(connector=connector, timeout=timeout, trust_env=False)
        sent = {**headers, "Content-Type": "application/json", "User-Agent": "Encore-Webhooks/1"}
        try:
            async with self._session.post(url, data=body, headers=sent, allow_redirects=False) as response:
                return Outcome(response.status, None if response.ok else f"HTTP {response.status}")
        except TimeoutError:
            return Outcome(None, f"no answer within {TIMEOUT_SECONDS:.0f} s")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Outcome(None, (str(error) or type(error).__name__)[:LONGEST_ERROR])

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self, address: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, target = address
        if not self._allows_private and not is_public(str(target[0])):
            raise PrivateAddressError(f"{target[0]} is not a public address")
        return socket.socket(family, kind, protocol)


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet; one that wraps another is judged by that."""
    parsed: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    if isinstance(parsed, IPv6Address):
        inner = parsed.ipv4_mapped or parsed.sixtofour or (parsed.teredo[1] if parsed.teredo else None)
        if parsed in _NAT64:
            inner = IPv4Address(int(parsed) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return parsed.is_global and not parsed.is_multicast
