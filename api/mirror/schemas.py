"""The wire form of how far the mirror has got."""

from datetime import datetime

from pydantic import Field

from api.wire import Hash, Wire


class IndexedBlock(Wire):
    """The last block that the answer takes into account; all its figures are as of this block."""

    number: int = Field(examples=[1024])
    hash: Hash = Field(examples=["0x5f2b1d6f4bd9c3a7e8f1d2c3b4a5968778695a4b3c2d1e0f5f2b1d6f4bd9c3a7"])
    timestamp: datetime = Field(description="the block's own time; 24-hour figures count back from it")
