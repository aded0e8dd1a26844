"""Sign-In with Ethereum messages (EIP-4361): written, and read strictly by the grammar of the standard."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from eth_utils.address import is_checksum_address

MAXIMUM_LENGTH: Final = 4_000

_UNRESERVED: Final = r"A-Za-z0-9\-._~"
_RESERVED: Final = r":/?#\[\]@!$&'()*+,;="
_TIME: Final = r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})"
_URI: Final = rf"[A-Za-z][A-Za-z0-9+.\-]*:[{_UNRESERVED}{_RESERVED}%]*"
_MESSAGE: Final = re.compile(
    rf"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]*)://)?(?P<domain>[{_UNRESERVED}:%@!$&'()*+,;=\[\]]+)"
    r" wants you to sign in with your Ethereum account:\n"
    r"(?P<address>0x[0-9A-Fa-f]{40})\n\n"
    rf"(?:(?P<statement>[{_UNRESERVED}{_RESERVED} ]+)\n)?\n"
    rf"URI: (?P<uri>{_URI})\n"
    r"Version: (?P<version>\d+)\n"
    r"Chain ID: (?P<chain_id>\d{1,18})\n"
    r"Nonce: (?P<nonce>[A-Za-z0-9]{8,64})\n"
    rf"Issued At: (?P<issued_at>{_TIME})"
    rf"(?:\nExpiration Time: (?P<expiration_time>{_TIME}))?"
    rf"(?:\nNot Before: (?P<not_before>{_TIME}))?"
    rf"(?:\nRequest ID: (?P<request_id>[{_UNRESERVED}%!$&'()*+,;=:@]*))?"
    rf"(?:\nResources:(?P<resources>(?:\n- {_URI})*))?",
    re.ASCII,
)


class MalformedMessageError(Exception):
    """The text is no EIP-4361 message."""


@dataclass(frozen=True, slots=True)
class SignInMessage:
    """What a wallet signs: who signs in where, on which chain, with which nonce, and when that holds."""

    domain: str
    address: str
    uri: str
    chain_id: int
    nonce: str
    issued_at: datetime
    statement: str | None = None
    version: str = "1"
    expiration_time: datetime | None = None
    not_before: datetime | None = None

    def text(self) -> str:
        """Return the text to sign."""
        statement = f"{self.statement}\n" if self.statement else ""
        lines = [
            f"{self.domain} wants you to sign in with your Ethereum account:\n{self.address}\n\n{statement}",
            f"URI: {self.uri}",
            f"Version: {self.version}",
            f"Chain ID: {self.chain_id}",
            f"Nonce: {self.nonce}",
            f"Issued At: {_written(self.issued_at)}",
        ]
        if self.expiration_time:
            lines.append(f"Expiration Time: {_written(self.expiration_time)}")
        if self.not_before:
            lines.append(f"Not Before: {_written(self.not_before)}")
        return "\n".join(lines)


def parse(text: str) -> SignInMessage:
    """Read a message; raises `MalformedMessageError` for anything that is not one, to the letter."""
    found = _MESSAGE.fullmatch(text) if len(text) <= MAXIMUM_LENGTH else None
    if found is None:
        raise MalformedMessageError("the message does not have the form of EIP-4361")
    if not is_checksum_address(found["address"]):
        raise MalformedMessageError("the message's address does not have its EIP-55 checksum")
    return SignInMessage(
        domain=found["domain"],
        address=found["address"],
        uri=found["uri"],
        chain_id=int(found["chain_id"]),
        nonce=found["nonce"],
        issued_at=_time(found["issued_at"]),
        statement=found["statement"],
        version=found["version"],
        expiration_time=_time(found["expiration_time"]) if found["expiration_time"] else None,
        not_before=_time(found["not_before"]) if found["not_before"] else None,
    )


def _written(time: datetime) -> str:
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError:
        raise MalformedMessageError(f"{text} is not a time") from None
