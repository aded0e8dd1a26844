"""The chain as the indexer reads it: raw JSON-RPC in, hash-linked headers and their logs out.

Nothing that a node says is taken on trust: headers must link to each other, logs must carry the hash of a header we
hold, and where a header's bloom speaks of logs that the answer lacks, the block's receipts decide.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final, NamedTuple

import structlog

from encore.chain.networks import Network
from encore.chain.rpc import Request, RpcClient
from encore.errors import RpcError
from indexer.bloom import UNINFORMATIVE, bloom_mask
from indexer.errors import InconsistentNodeError

Log = dict[str, Any]
"""A log as the node gives it, its address in lower case."""

HEADERS_PER_REQUEST: Final = 250
ADDRESSES_PER_FILTER: Final = 1_000
"""Above this many the address filter is left out and logs are matched here: nodes reject or crawl through more."""
LOCAL_FINALITY_BLOCKS: Final = 5_000
"""A development chain that is killed loses its last second, whatever it had called final and however much it mined."""

_log = structlog.get_logger(__name__)


class Header(NamedTuple):
    """A block header; `timestamp` in seconds, `bloom` as an integer."""

    number: int
    hash: str
    parent_hash: str
    timestamp: int
    bloom: int


@dataclass(frozen=True, slots=True)
class Head:
    """The newest block of the chain, and the number up to which blocks are final."""

    header: Header
    finalized: int


class Source:
    """Reads one chain. `topics` are the only events that are asked for."""

    def __init__(self, rpc: RpcClient, network: Network, topics: Sequence[str]) -> None:
        self._rpc = rpc
        self._network = network
        self._topics = list(topics)

    async def chain_id(self) -> int:
        """Return the chain id."""
        return int(await self._rpc.call("eth_chainId"), 16)

    async def has_code(self, address: str) -> bool:
        """Whether a contract stands at `address`."""
        return bool(await self._rpc.call("eth_getCode", address, "latest") != "0x")

    async def head(self, last: int | None = None) -> Head:
        """Return the chain's head and finality, read together from one node; as if `last` were the newest block."""
        head = await self._newest()
        if last is None or head.header.number <= last:
            return head
        return Head(await self.header(last), min(head.finalized, last))

    async def _newest(self) -> Head:
        requests = [_block_request("latest")]
        if self._network.has_finalized_tag and not self._network.is_local:
            requests.append(_block_request("finalized"))
        latest, *finalized = await self._rpc.batch(requests)
        header = _header(latest)
        if finalized:  # before the first block is final, nodes answer null
            return Head(header, int(finalized[0]["number"], 16) if finalized[0] else 0)
        depth = LOCAL_FINALITY_BLOCKS if self._network.is_local else self._network.finality_blocks
        return Head(header, max(0, header.number - depth))

    async def header(self, number: int) -> Header:
        """Return the header of block `number`; raises `InconsistentNodeError` where the node does not have it."""
        return (await self.headers([number]))[0]

    async def headers(self, numbers: Iterable[int]) -> list[Header]:
        """Return the headers of `numbers`; raises `InconsistentNodeError` where the node does not have one."""
        wanted = list(numbers)
        batches = [wanted[start : start + HEADERS_PER_REQUEST] for start in range(0, len(wanted), HEADERS_PER_REQUEST)]
        answers = await asyncio.gather(
            *(self._rpc.batch([_block_request(hex(number)) for number in batch]) for batch in batches)
        )
        headers = []
        for number, block in zip(wanted, chain.from_iterable(answers), strict=True):
            if block is None:
                raise InconsistentNodeError(f"the node does not have block {number}, which its head is above")
            headers.append(_header(block))
        return headers

    async def logs_by_number(self, first: int, last: int, addresses: Iterable[str]) -> list[Log]:
        """Return the logs of a run of final blocks, by one range query; for `verified`."""
        followed = set(addresses)
        span = {"fromBlock": hex(first), "toBlock": hex(last)}
        return _matching(await self._rpc.call("eth_getLogs", span | self._filter(followed)), followed)

    async def logs_by_hash(self, headers: Sequence[Header], addresses: Iterable[str]) -> list[Log]:
        """Return the logs of exactly these blocks, whatever branch the node is on by now; for `verified`."""
        followed = set(addresses)
        requests: list[Request] = [
            ("eth_getLogs", [{"blockHash": header.hash} | self._filter(followed)]) for header in headers
        ]
        answers = await self._rpc.batch(requests)
        return _matching([log for answer in answers for log in answer], followed)

    def _filter(self, followed: set[str]) -> dict[str, Any]:
        topics: dict[str, Any] = {"topics": [self._topics]}
        return topics if len(followed) > ADDRESSES_PER_FILTER else topics | {"address": sorted(followed)}

    async def verified(self, headers: Sequence[Header], logs: list[Log], addresses: Iterable[str]) -> list[Log]:
        """Return the logs of `addresses` in these blocks, with those of blocks whose logs the node left out.

        Raises `InconsistentNodeError` where a log belongs to none of the headers, or they are out of order.
        """
        hashes = {header.hash: header.number for header in headers}
        position = (-1, -1)
        for log in logs:
            number = hashes.get(log["blockHash"])
            if number is None or number != int(log["blockNumber"], 16):
                raise InconsistentNodeError(
                    f"eth_getLogs answered with a log of block {int(log['blockNumber'], 16)} ({log['blockHash']}), "
                    "which is not a block that was asked for"
                )
            if (number, int(log["logIndex"], 16)) <= position:
                raise InconsistentNodeError(f"eth_getLogs answered with logs of block {number} out of order")
            position = (number, int(log["logIndex"], 16))
        followed = set(addresses)
        suspicious = self._suspicious(headers, logs, followed)
        if not suspicious:
            return logs
        replaced = {header.hash for header in suspicious}
        complete = [log for log in logs if log["blockHash"] not in replaced] + await self._receipt_logs(
            suspicious, followed
        )
        return sorted(complete, key=log_position)

    def _suspicious(self, headers: Sequence[Header], logs: Sequence[Log], followed: set[str]) -> list[Header]:
        """Return the blocks whose bloom names a followed address and topic of which the answer has no log."""
        seen = {(log["blockHash"], log["address"]) for log in logs}
        addresses = [(address, bloom_mask(address)) for address in followed]
        topics = [bloom_mask(topic) for topic in self._topics]
        return [
            header
            for header in headers
            if header.bloom not in UNINFORMATIVE
            and any(header.bloom & mask == mask and (header.hash, address) not in seen for address, mask in addresses)
            and any(header.bloom & topic == topic for topic in topics)
        ]

    async def _receipt_logs(self, headers: Sequence[Header], followed: set[str]) -> list[Log]:
        """Read the followed logs of blocks from their receipts."""
        logs = []
        for header in headers:
            try:
                receipts = await self._rpc.call("eth_getBlockReceipts", header.hash)
            except RpcError as error:
                raise InconsistentNodeError(
                    f"the bloom of block {header.number} names logs that eth_getLogs left out, "
                    f"and its receipts cannot be had: {error}"
                ) from error
            if receipts is None:
                raise InconsistentNodeError(f"the node does not have the receipts of block {header.hash}")
            logs += [log for receipt in receipts for log in receipt["logs"]]
        topics = set(self._topics)
        found = [log for log in _matching(logs, followed) if log["topics"] and log["topics"][0] in topics]
        if found:
            blocks = Counter(int(log["blockNumber"], 16) for log in found)
            _log.warning("eth_getLogs left out logs that the receipts have", blocks=dict(blocks))
        return found


def log_position(log: Log) -> tuple[int, int]:
    """Return where a log stands in the chain: block number and log index."""
    return int(log["blockNumber"], 16), int(log["logIndex"], 16)


def suggested_span(error: Exception) -> int | None:
    """Return the number of blocks that a provider says it would have answered for, as several do in their refusal."""
    hint = re.search(r"\[(0x[0-9a-f]+), *(0x[0-9a-f]+)\]", str(error))
    return None if hint is None else max(1, int(hint[2], 16) - int(hint[1], 16) + 1)


def _block_request(block: str) -> Request:
    return "eth_getBlockByNumber", [block, False]


def _header(block: dict[str, Any]) -> Header:
    return Header(
        number=int(block["number"], 16),
        hash=block["hash"],
        parent_hash=block["parentHash"],
        timestamp=int(block["timestamp"], 16),
        bloom=int(block["logsBloom"], 16),
    )


def _matching(logs: Iterable[Log], followed: set[str]) -> list[Log]:
    for log in logs:
        log["address"] = log["address"].lower()
    return [log for log in logs if log["address"] in followed]
