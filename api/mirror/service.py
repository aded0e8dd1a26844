"""The rule of freshness: an answer from the mirror names the block it is of, and there is none before the first."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Self, TypeVar

from api.mirror import repository
from api.mirror.figures import BlockFigures
from api.mirror.schemas import IndexedBlock
from api.problems import ProblemError, UnavailableError
from api.wire import utc
from encore.db import ReadSession

T = TypeVar("T")


class MirrorEmptyError(UnavailableError):
    """The indexer has not committed its first block yet."""

    slug = "mirror-empty"
    title = "Nothing indexed yet"


class BlockNotIndexedError(ProblemError):
    """The block that `min_block` names was not indexed within the time that a request waits: ask again.

    It is the request that is ahead of the chain, or of the mirror; the service is well.
    """

    status = 409
    slug = "block-not-indexed"
    title = "Block not indexed yet"
    headers: ClassVar[Mapping[str, str]] = {"Retry-After": "1"}


@dataclass(frozen=True, slots=True)
class Tip:
    """The last block that is wholly in the mirror; `timestamp` in unix seconds."""

    number: int
    hash: str
    timestamp: int

    def wire(self) -> IndexedBlock:
        """Return its wire form."""
        return IndexedBlock(number=self.number, hash=self.hash, timestamp=utc(self.timestamp))

    def headers(self) -> dict[str, str]:
        """Return it as response headers."""
        return {"X-Indexed-Block": str(self.number), "X-Indexed-Block-Hash": self.hash}

    @classmethod
    async def load(cls, session: ReadSession, chain_id: int) -> Self:
        """Read it; raises `MirrorEmptyError` where there is none."""
        row = await repository.checkpoint(session, chain_id)
        if row is None:
            raise MirrorEmptyError("the indexer has not finished its first block yet; try again in a moment")
        return cls(row.block_number, row.block_hash, row.timestamp)


@dataclass(frozen=True, slots=True)
class MirrorView:
    """One committed state of the mirror, and the block it is of."""

    session: ReadSession
    tip: Tip
    figures: BlockFigures

    async def once(self, name: str, compute: Callable[[], Awaitable[T]]) -> T:
        """Return a figure of this block that is from the mirror alone: computed for the first who asks."""
        return await self.figures.get(self.tip.hash, name, compute)
