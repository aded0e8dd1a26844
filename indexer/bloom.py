"""Header blooms (Yellow Paper 4.3.1): which addresses and topics a block's logs may hold."""

from functools import lru_cache
from typing import Final

from eth_utils.crypto import keccak

BLOOM_BITS: Final = 2048
UNINFORMATIVE: Final = frozenset({0, 2**BLOOM_BITS - 1})
"""Blooms of blocks without logs, and of chains that do not keep blooms (Filecoin sets every bit)."""


@lru_cache(maxsize=65_536)
def bloom_mask(value: str) -> int:
    """Return the three bits that an address or topic (0x hex) sets in a bloom."""
    digest = keccak(hexstr=value)
    mask = 0
    for position in (0, 2, 4):
        mask |= 1 << (int.from_bytes(digest[position : position + 2]) % BLOOM_BITS)
    return mask
