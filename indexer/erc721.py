"""Handlers that every NFT collection (ERC-721) shares: owners, transfers, approvals."""

from collections.abc import Iterator
from typing import Final

from encore.db.models.chain_nft import Nft, NftOperator, NftTransfer
from indexer.check import Check, Reader, address, flag
from indexer.contract import Event, Handler, Key
from indexer.erc20 import ZERO_ADDRESS
from indexer.errors import MirrorError
from indexer.state import State

DROP_SHIFT: Final = 128
"""A token's ID has its drop in the upper bits, and its number from 1 on in the lower ones."""


def erc721() -> dict[str, Handler]:
    """Handle a collection."""
    return {
        "Transfer": Handler(transfer, nft_rows),
        "Approval": Handler(_approval, nft_rows),
        "ApprovalForAll": Handler(_approval_for_all, _operator_rows),
    }


def nft_rows(event: Event) -> Iterator[Key]:
    """Name the token of an event."""
    yield Nft, (event.address, event.args["token_id"])


def transfer(event: Event, state: State) -> None:
    """Give a token to its new owner; a mint makes it."""
    sender, receiver, token_id = event.args["sender"], event.args["receiver"], event.args["token_id"]
    state.append(NftTransfer, event.row(collection=event.address, token_id=token_id, sender=sender, receiver=receiver))
    if sender == ZERO_ADDRESS:
        state.upsert(Nft, event.address, token_id).update(
            drop_id=token_id >> DROP_SHIFT, owner=receiver, approved=ZERO_ADDRESS, minted_at=event.timestamp
        )
        return
    nft = state.edit(Nft, event.address, token_id)
    if nft["owner"] != sender:
        raise MirrorError(
            f"transaction {event.transaction_hash} moves token {token_id} of {event.address} from {sender}, "
            f"but it is {nft['owner']}'s: a log is missing"
        )
    nft.update(owner=receiver, approved=ZERO_ADDRESS)


def _operator_rows(event: Event) -> Iterator[Key]:
    yield NftOperator, (event.address, event.args["owner"], event.args["operator"])


def _approval(event: Event, state: State) -> None:
    state.edit(Nft, event.address, event.args["token_id"])["approved"] = event.args["approved"]


def _approval_for_all(event: Event, state: State) -> None:
    row = state.upsert(NftOperator, event.address, event.args["owner"], event.args["operator"])
    row["is_approved"] = event.args["approved"]


async def checks(reader: Reader) -> list[Check]:
    """Compare owners, approved accounts and operators."""
    found = []
    for nft in await reader.rows(Nft):
        found += [
            address(nft.collection, "ownerOf(uint256)", (nft.token_id,), nft.owner),
            address(nft.collection, "getApproved(uint256)", (nft.token_id,), nft.approved),
        ]
    found += [
        flag(row.collection, "isApprovedForAll(address,address)", (row.owner, row.operator), mirrored=row.is_approved)
        for row in await reader.rows(NftOperator)
    ]
    return found
