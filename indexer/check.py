"""What the mirror claims a contract's view returns: how handlers' modules say what `indexer verify` compares."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from eth_abi.abi import encode
from eth_abi.exceptions import EncodingError
from eth_utils.crypto import keccak
from sqlalchemy import Table, select

from encore.chain.rpc import Request
from encore.db import ReadSession, Row
from encore.db.models.base import Base
from encore.db.models.chain import IndexedContract
from indexer.decode import REPLACEMENT_CHARACTER

WORD_BYTES: Final = 32
WORD_DIGITS: Final = 2 * WORD_BYTES


@dataclass(frozen=True, slots=True)
class Check:
    """A call of `view` (its signature) and the `returns` types and values of it that the mirror knows.

    Values are compared by ABI words, the first of them with the word at `position` of the answer; a single string by
    its text. In a struct that has strings, position 0 is the struct's own offset and the fields begin at 1.
    """

    contract: str
    view: str
    arguments: tuple[Any, ...]
    returns: tuple[str, ...]
    mirrored: tuple[Any, ...]
    position: int = 0

    @property
    def what(self) -> str:
        """What is compared, for people."""
        return f"{self.contract} {self.view.partition('(')[0]}({', '.join(map(str, self.arguments))})"

    @property
    def expected(self) -> list[int | str]:
        """The mirrored values as ABI words, or as a text; as they are where no contract could return them."""
        if self._is_text:
            return [*self.mirrored]
        try:
            return [*abi_words(encode(self.returns, self.mirrored).hex())]
        except EncodingError:
            return [str(value) for value in self.mirrored]

    def found(self, answer: str) -> list[int | str]:
        """Return what an answer (0x and hexadecimal digits) has where the mirrored values should be, if it has it."""
        words = abi_words(answer.removeprefix("0x"))
        if self._is_text:
            return _text(words, self.position)
        return [*words[self.position : self.position + len(self.expected)]]

    @property
    def _is_text(self) -> bool:
        return self.returns == ("string",)

    def request(self, block_hash: str) -> Request:
        """Spell the eth_call, at the very block that is mirrored (EIP-1898).

        Raises `EncodingError` or `ValueError` where the arguments are not of their types.
        """
        types = [kind for kind in self.view.partition("(")[2].rstrip(")").split(",") if kind]
        values = [_argument(kind, value) for kind, value in zip(types, self.arguments, strict=True)]
        data = keccak(text=self.view)[:4] + encode(types, values)
        return "eth_call", [{"to": self.contract, "data": "0x" + data.hex()}, {"blockHash": block_hash}]


@dataclass(frozen=True, slots=True)
class Reader:
    """The mirror's tables at one checkpoint, whose block has `timestamp` (seconds)."""

    session: ReadSession
    timestamp: int

    async def rows(self, model: type[Base]) -> Sequence[Row]:
        """Return all rows of a table."""
        table = model.__table__
        if not isinstance(table, Table):
            raise TypeError(f"{model.__name__} is not mapped to a table")
        return await self.session.all(select(table))

    async def address(self, contract: str) -> str:
        """Return where a contract of the deployment stands; where none does, it has no rows to compare either."""
        return str(
            await self.session.scalar(select(IndexedContract.address).where(IndexedContract.contract == contract))
        )


def number(contract: str, view: str, arguments: tuple[Any, ...], mirrored: int) -> Check:
    """Claim what a view returns that returns one integer.

    A mirror that is wrong may make it negative: it then stands for one that no contract of ours returns.
    """
    return Check(contract, view, arguments, ("uint256",), (mirrored % 2**256,))


def address(contract: str, view: str, arguments: tuple[Any, ...], mirrored: str) -> Check:
    """Claim what a view returns that returns one address."""
    return Check(contract, view, arguments, ("address",), (mirrored,))


def flag(contract: str, view: str, arguments: tuple[Any, ...], *, mirrored: bool) -> Check:
    """Claim what a view returns that returns one boolean."""
    return Check(contract, view, arguments, ("bool",), (mirrored,))


def text(contract: str, view: str, arguments: tuple[Any, ...], mirrored: str, *, position: int = 0) -> Check:
    """Claim the text that a view returns, or the field at `position` of the struct that it returns."""
    return Check(contract, view, arguments, ("string",), (mirrored,), position)


def abi_words(digits: str) -> list[int]:
    """Split hexadecimal digits into the 32-byte words of the ABI."""
    return [int(digits[start : start + WORD_DIGITS], 16) for start in range(0, len(digits), WORD_DIGITS)]


def _text(words: list[int], position: int) -> list[int | str]:
    """Read the string whose offset is the word at `position`, spelt as the mirror spells what callers wrote."""
    base = 1 if position else 0
    if position >= len(words):
        return []
    start = base + words[position] // WORD_BYTES
    if start >= len(words):
        return []
    content = b"".join(word.to_bytes(WORD_BYTES) for word in words[start + 1 :])[: words[start]]
    return [content.decode(errors="replace").replace("\0", REPLACEMENT_CHARACTER)]


def _argument(kind: str, value: Any) -> Any:
    return bytes.fromhex(value[2:]) if kind == "bytes32" else value
