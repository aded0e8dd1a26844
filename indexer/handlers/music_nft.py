"""MusicNFT: tracks as drops of numbered editions, their sales and what these earned."""

from collections.abc import Iterator
from typing import Final

from encore.db.models.chain_nft import Drop, DropProceeds, EditionSale
from indexer.check import Check, Reader, number, text
from indexer.contract import Contract, Event, Handler, Key
from indexer.erc20 import ZERO_ADDRESS
from indexer.erc721 import DROP_SHIFT, erc721, nft_rows, transfer
from indexer.roles import access_control, role_administration
from indexer.settings import settings
from indexer.state import State

DROP_WORD: Final = 1
DROP_TERMS_WORD: Final = 4
"""Where the struct of a drop begins, behind its offset, and where it goes on behind its two texts."""


def _drop(event: Event) -> Iterator[Key]:
    yield Drop, (event.address, event.args["dropId"])


def _transfer_rows(event: Event) -> Iterator[Key]:
    yield from nft_rows(event)
    yield Drop, (event.address, event.args["token_id"] >> DROP_SHIFT)


def _proceeds(event: Event) -> Iterator[Key]:
    yield DropProceeds, (event.address, event.args["creator"])


def _drop_created(event: Event, state: State) -> None:
    args = event.args
    state.upsert(Drop, event.address, args["dropId"]).update(
        creator=args["creator"],
        title=args["title"],
        audio_piece_cid=args["audioPieceCid"],
        royalty_bps=args["royaltyBps"],
        maximum_supply=args["maxSupply"],
        minted=0,
        is_exclusive=args["isExclusive"],
        payment_token=ZERO_ADDRESS,
        price=0,
        created_block=event.block_number,
        created_at=event.timestamp,
    )


def _sale_updated(event: Event, state: State) -> None:
    state.edit(Drop, event.address, event.args["dropId"]).update(
        payment_token=event.args["paymentToken"], price=event.args["price"]
    )


def _transfer(event: Event, state: State) -> None:
    transfer(event, state)
    if event.args["sender"] == ZERO_ADDRESS:
        state.edit(Drop, event.address, event.args["token_id"] >> DROP_SHIFT)["minted"] += 1


def _edition_sold(event: Event, state: State) -> None:
    args = event.args
    state.append(
        EditionSale,
        event.row(
            collection=event.address,
            drop_id=args["dropId"],
            token_id=args["tokenId"],
            buyer=args["buyer"],
            payment_token=args["paymentToken"],
            price=args["price"],
        ),
    )
    if args["paymentToken"] == ZERO_ADDRESS:  # creator tokens went to the creator at once
        drop = state.edit(Drop, event.address, args["dropId"])
        state.upsert(DropProceeds, event.address, drop["creator"], amount=0)["amount"] += args["price"]


def _proceeds_withdrawn(event: Event, state: State) -> None:
    state.edit(DropProceeds, event.address, event.args["creator"])["amount"] -= event.args["amount"]


async def _checks(reader: Reader) -> list[Check]:
    types = ("uint256", "uint256", "uint256", "bool", "address", "uint256")
    found = []
    for row in await reader.rows(Drop):
        terms = (row.royalty_bps, row.maximum_supply, row.minted, row.is_exclusive, row.payment_token, row.price)
        found += [
            Check(row.collection, "drop(uint256)", (row.drop_id,), ("address",), (row.creator,), DROP_WORD),
            text(row.collection, "drop(uint256)", (row.drop_id,), row.title, position=DROP_WORD + 1),
            text(row.collection, "drop(uint256)", (row.drop_id,), row.audio_piece_cid, position=DROP_WORD + 2),
            Check(row.collection, "drop(uint256)", (row.drop_id,), types, terms, DROP_TERMS_WORD),
        ]
    found += [
        number(row.collection, "proceeds(address)", (row.creator,), row.amount)
        for row in await reader.rows(DropProceeds)
    ]
    return found


CONTRACT: Final = Contract(
    name="MusicNFT",
    handlers=erc721()
    | access_control()
    | role_administration()
    | {
        "DropCreated": Handler(_drop_created, _drop),
        "SaleUpdated": Handler(_sale_updated, _drop),
        "Transfer": Handler(_transfer, _transfer_rows),
        "EditionSold": Handler(_edition_sold, _drop),
        "ProceedsWithdrawn": Handler(_proceeds_withdrawn, _proceeds),
        "MediaBaseUriUpdated": settings(mediaBaseUri="mediaBaseUri"),
    },
    checks=_checks,
)
