"""The wire form of health."""

from typing import Literal

from pydantic import Field

from api.mirror.schemas import IndexedBlock
from api.wire import Wire


class Health(Wire):
    """The process runs."""

    status: Literal["ok"] = "ok"


class Readiness(Wire):
    """The process can answer, and what it answers is fresh."""

    status: Literal["ready"] = "ready"
    indexed_block: IndexedBlock
    chain_block: int = Field(description="the newest block of the chain", examples=[1025])
    lag_blocks: int = Field(description="how far the mirror is behind", examples=[1])
