"""ContentAccess: what opens each piece of content, and grants of what was paid off chain."""

from collections.abc import Iterator
from typing import Final

from encore.db.models.chain_nft import AccessGrant, AccessRule
from indexer.check import Check, Reader, number
from indexer.contract import Contract, Event, Handler, Key
from indexer.decode import REPLACEMENT_CHARACTER
from indexer.erc20 import ZERO_ADDRESS
from indexer.roles import access_control
from indexer.state import State


def _rule(event: Event) -> Iterator[Key]:
    yield AccessRule, (event.args["pieceHash"],)


def _grant(event: Event) -> Iterator[Key]:
    yield AccessGrant, (event.args["user"], event.args["pieceHash"])


def _access_set(event: Event, state: State) -> None:
    args = event.args
    rule = state.upsert(AccessRule, args["pieceHash"], nft_collection=ZERO_ADDRESS, nft_drop_id=0)
    rule.update(piece_cid=args["pieceCid"], creator=args["creator"], minimum_coin_holding=args["minimumCoinHolding"])


def _gate_set(event: Event, state: State) -> None:
    state.edit(AccessRule, event.args["pieceHash"]).update(
        nft_collection=event.args["collection"], nft_drop_id=event.args["dropId"]
    )


def _granted(event: Event, state: State) -> None:
    args = event.args
    state.upsert(AccessGrant, args["user"], args["pieceHash"]).update(
        piece_cid=args["pieceCid"], expires_at=args["expiresAt"]
    )


def _revoked(event: Event, state: State) -> None:
    state.delete(AccessGrant, event.args["user"], event.args["pieceHash"])


async def _checks(reader: Reader) -> list[Check]:
    """Pieces whose CID was no text cannot be asked for."""
    contract = await reader.address(CONTRACT.name)
    found = []
    for row in await reader.rows(AccessRule):
        if REPLACEMENT_CHARACTER not in row.piece_cid:
            rule = (row.creator, row.minimum_coin_holding, row.nft_collection, row.nft_drop_id)
            types = ("address", "uint256", "address", "uint256")
            found.append(Check(contract, "contentRule(string)", (row.piece_cid,), types, rule))
    found += [
        number(contract, "grantExpiry(address,string)", (row.user, row.piece_cid), row.expires_at)
        for row in await reader.rows(AccessGrant)
        if REPLACEMENT_CHARACTER not in row.piece_cid
    ]
    return found


CONTRACT: Final = Contract(
    name="ContentAccess",
    handlers=access_control()
    | {
        "ContentAccessSet": Handler(_access_set, _rule),
        "NftGateSet": Handler(_gate_set, _rule),
        "AccessGranted": Handler(_granted, _grant),
        "AccessRevoked": Handler(_revoked, _grant),
    },
    checks=_checks,
)
