"""C13, MusicNFT: drops, editions, sales, royalties and metadata."""

import base64
import json
from typing import Any

import ape
import pytest
from web3 import Web3

from tests.contracts.conftest import COIN, MIN_FOLLOWERS, MIN_STREAMS, ZERO_ADDRESS, Actors

TITLE = "A Song"
PIECE = "baga6ea4seaqao7s73y24kcutaosvacpdjgfe5pw76ooefnyqw4ynr3d2y6x2mpq"
PRICE = COIN // 10
TERMS = (TITLE, PIECE, 500, 3, False)
CREATOR_ROLE = Web3.keccak(text="CREATOR_ROLE")
REGISTRAR_ROLE = Web3.keccak(text="REGISTRAR_ROLE")
GAS_OF_OPENZEPPELIN_MINT = 78_597


def token_id(drop: int, number: int) -> int:
    return drop << 128 | number


def dropped(music_nft: Any, receipt: Any) -> int:
    """The drop that a transaction made."""
    (created,) = music_nft.DropCreated.from_receipt(receipt)
    return int(created.dropId)


def minted(music_nft: Any, receipt: Any) -> int:
    """The edition that a transaction minted."""
    (transfer,) = music_nft.Transfer.from_receipt(receipt)
    assert transfer.sender == ZERO_ADDRESS
    return int(transfer.token_id)


@pytest.fixture
def drop(music_nft: Any, actors: Actors) -> int:
    """A drop of three editions for the native coin."""
    return dropped(music_nft, music_nft.createDrop(*TERMS, ZERO_ADDRESS, PRICE, sender=actors.creator))


@pytest.fixture
def token_drop(music_nft: Any, funded_token: Any, actors: Actors) -> int:
    """A drop for a creator token; the trader has approved it."""
    funded_token.approve(music_nft, 100 * COIN, sender=actors.trader)
    terms = ("Other", "other", 0, 3, False, funded_token, 7 * COIN)
    return dropped(music_nft, music_nft.createDrop(*terms, sender=actors.creator))


@pytest.fixture
def edition(music_nft: Any, drop: int, actors: Actors) -> int:
    """The drop's first edition, the trader's."""
    return minted(music_nft, music_nft.mintEdition(drop, actors.trader, sender=actors.creator))


# registered creators


def test_a_registrar_registers_creators_and_takes_it_back(music_nft: Any, actors: Actors) -> None:
    assert not music_nft.isRegisteredCreator(actors.trader)

    music_nft.grantRole(CREATOR_ROLE, actors.trader, sender=actors.owner)
    assert music_nft.isRegisteredCreator(actors.trader)

    music_nft.revokeRole(CREATOR_ROLE, actors.trader, sender=actors.owner)
    assert not music_nft.isRegisteredCreator(actors.trader)


def test_who_launched_a_coin_is_a_registered_creator(
    music_nft: Any, factory: Any, metrics: Any, actors: Actors
) -> None:
    metrics.updateCreatorMetrics(actors.trader, MIN_STREAMS, MIN_FOLLOWERS, 0, 0, sender=actors.oracle)
    factory.launchCreatorCoin(actors.trader, "A", "A", "", "", value=COIN, sender=actors.trader)

    assert music_nft.isRegisteredCreator(actors.trader)
    music_nft.createDrop(*TERMS, ZERO_ADDRESS, 0, sender=actors.trader)


@pytest.mark.parametrize("method", ["createDrop", "mintExclusiveTrack"])
def test_only_registered_creators_make_drops(music_nft: Any, actors: Actors, method: str) -> None:
    arguments = (*TERMS, ZERO_ADDRESS, 0) if method == "createDrop" else (actors.trader, TITLE, PIECE, 5, 3)
    with ape.reverts("music nft: caller is not a registered creator"):
        getattr(music_nft, method)(*arguments, sender=actors.stranger)


def test_only_registrars_register_and_only_the_admin_makes_registrars(music_nft: Any, actors: Actors) -> None:
    assert music_nft.CREATOR_ROLE() == CREATOR_ROLE
    assert music_nft.REGISTRAR_ROLE() == REGISTRAR_ROLE
    assert music_nft.getRoleAdmin(CREATOR_ROLE) == REGISTRAR_ROLE
    assert music_nft.getRoleAdmin(REGISTRAR_ROLE) == music_nft.DEFAULT_ADMIN_ROLE()
    for role in (CREATOR_ROLE, REGISTRAR_ROLE):
        with ape.reverts("access_control: account is missing role"):
            music_nft.grantRole(role, actors.stranger, sender=actors.stranger)
    music_nft.grantRole(REGISTRAR_ROLE, actors.oracle, sender=actors.owner)
    music_nft.grantRole(CREATOR_ROLE, actors.trader, sender=actors.oracle)
    assert music_nft.hasRole(CREATOR_ROLE, actors.trader)
    music_nft.renounceRole(REGISTRAR_ROLE, actors.oracle, sender=actors.oracle)
    assert not music_nft.hasRole(REGISTRAR_ROLE, actors.oracle)


def test_the_deployment_says_what_it_stands_on(
    contracts: Any, deployer: Any, factory: Any, actors: Actors, music_nft: Any
) -> None:
    fresh = actors.owner.deploy(contracts.MusicNFT, deployer, factory, "https://media.example/")

    assert (fresh.registry(), fresh.factory()) == (deployer, factory)
    assert (fresh.name(), fresh.symbol(), fresh.mediaBaseUri()) == ("Encore Music", "MUSIC", "https://media.example/")
    assert fresh.maximumRoyaltyBps() == 1_000
    receipt = fresh.creation_metadata.receipt
    assert [event.mediaBaseUri for event in fresh.MediaBaseUriUpdated.from_receipt(receipt)] == [
        "https://media.example/"
    ]
    assert [(bytes(event.role), event.account) for event in fresh.RoleGranted.from_receipt(receipt)] == [
        (bytes(32), actors.owner),
        (REGISTRAR_ROLE, actors.owner),
    ]
    assert [(event.role, event.newAdminRole) for event in fresh.RoleAdminChanged.from_receipt(receipt)] == [
        (CREATOR_ROLE, REGISTRAR_ROLE)
    ]


# drops


def test_a_creator_creates_a_drop(music_nft: Any, actors: Actors) -> None:
    expected = music_nft.createDrop.call(*TERMS, ZERO_ADDRESS, PRICE, sender=actors.creator)
    receipt = music_nft.createDrop(*TERMS, ZERO_ADDRESS, PRICE, sender=actors.creator)

    drop_id = dropped(music_nft, receipt)
    assert drop_id == expected == music_nft.totalDrops()
    assert music_nft.DropCreated.from_receipt(receipt) == [
        music_nft.DropCreated(
            dropId=drop_id,
            creator=actors.creator,
            title=TITLE,
            audioPieceCid=PIECE,
            royaltyBps=500,
            maxSupply=3,
            isExclusive=False,
        )
    ]
    assert music_nft.SaleUpdated.from_receipt(receipt) == [
        music_nft.SaleUpdated(dropId=drop_id, paymentToken=ZERO_ADDRESS, price=PRICE)
    ]
    assert tuple(music_nft.drop(drop_id)) == (
        *(actors.creator, TITLE, PIECE, 500, 3, 0, False),
        *(ZERO_ADDRESS, PRICE),
    )


def test_a_drop_without_a_price_is_not_for_sale(music_nft: Any, actors: Actors) -> None:
    receipt = music_nft.createDrop(*TERMS, ZERO_ADDRESS, 0, sender=actors.creator)

    assert music_nft.SaleUpdated.from_receipt(receipt) == []
    with ape.reverts("music nft: not for sale"):
        music_nft.buyEdition(dropped(music_nft, receipt), ZERO_ADDRESS, 0, sender=actors.trader)


def test_the_largest_drop_keeps_its_figures(music_nft: Any, actors: Actors) -> None:
    largest = 2**32 - 1
    receipt = music_nft.createDrop(TITLE, PIECE, 1_000, largest, True, ZERO_ADDRESS, 0, sender=actors.creator)

    drop_id = dropped(music_nft, receipt)
    music_nft.mintEdition(drop_id, actors.trader, sender=actors.creator)
    assert tuple(music_nft.drop(drop_id))[:7] == (actors.creator, TITLE, PIECE, 1_000, largest, 1, True)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({0: ""}, "music nft: title is empty"),
        ({1: ""}, "music nft: piece is empty"),
        ({2: 1_001}, "music nft: royalty above 10 %"),
        ({3: 0}, "music nft: maximum supply out of range"),
        ({3: 2**32}, "music nft: maximum supply out of range"),
    ],
)
def test_a_drop_that_is_not_valid_is_refused(
    music_nft: Any, actors: Actors, change: dict[int, Any], reason: str
) -> None:
    terms = [change.get(index, value) for index, value in enumerate(TERMS)]
    with ape.reverts(reason):
        music_nft.createDrop(*terms, ZERO_ADDRESS, PRICE, sender=actors.creator)


def test_a_price_in_a_token_that_is_no_creator_token_is_refused(
    contracts: Any, music_nft: Any, drop: int, actors: Actors
) -> None:
    token = actors.stranger.deploy(contracts.CallbackToken)
    with ape.reverts("music nft: unknown payment token"):
        music_nft.createDrop(*TERMS, token, 1, sender=actors.creator)
    with ape.reverts("music nft: unknown payment token"):
        music_nft.setSale(drop, token, 1, sender=actors.creator)


def test_an_exclusive_drop_is_its_creators_only_one_of_the_piece(music_nft: Any, actors: Actors) -> None:
    exclusive = (TITLE, PIECE, 500, 3, True, ZERO_ADDRESS, 0)
    music_nft.createDrop(*exclusive, sender=actors.creator)

    for again in (exclusive, (*TERMS, ZERO_ADDRESS, 0)):
        with ape.reverts("music nft: piece would not be exclusive"):
            music_nft.createDrop(*again, sender=actors.creator)


def test_a_piece_that_has_a_drop_gets_no_exclusive_one(music_nft: Any, drop: int, actors: Actors) -> None:
    with ape.reverts("music nft: piece would not be exclusive"):
        music_nft.mintExclusiveTrack(actors.trader, TITLE, PIECE, 5, 3, sender=actors.creator)
    music_nft.createDrop(*TERMS, ZERO_ADDRESS, 0, sender=actors.creator)  # one more that is not exclusive


def test_nobody_keeps_another_creator_from_dropping_a_piece(music_nft: Any, actors: Actors) -> None:
    music_nft.grantRole(CREATOR_ROLE, actors.stranger, sender=actors.owner)
    music_nft.createDrop(TITLE, PIECE, 0, 1, True, ZERO_ADDRESS, 0, sender=actors.stranger)

    receipt = music_nft.mintExclusiveTrack(actors.trader, TITLE, PIECE, 5, 3, sender=actors.creator)

    assert music_nft.ownerOf(minted(music_nft, receipt)) == actors.trader


# editions


def test_an_exclusive_track_is_dropped_and_minted_in_one_call(music_nft: Any, actors: Actors) -> None:
    expected = music_nft.mintExclusiveTrack.call(actors.trader, TITLE, PIECE, 10, 3, sender=actors.creator)
    receipt = music_nft.mintExclusiveTrack(actors.trader, TITLE, PIECE, 10, 3, sender=actors.creator)

    drop_id = music_nft.totalDrops()
    assert expected == token_id(drop_id, 1)
    assert tuple(music_nft.drop(drop_id)) == (
        *(actors.creator, TITLE, PIECE, 1_000, 3, 1, True),
        *(ZERO_ADDRESS, 0),
    )
    assert [event.dropId for event in music_nft.DropCreated.from_receipt(receipt)] == [drop_id]
    assert music_nft.Transfer.from_receipt(receipt) == [
        music_nft.Transfer(sender=ZERO_ADDRESS, receiver=actors.trader, token_id=token_id(drop_id, 1))
    ]
    music_nft.mintEdition(drop_id, actors.staker, sender=actors.creator)
    assert music_nft.ownerOf(token_id(drop_id, 2)) == actors.staker


@pytest.mark.parametrize("percent", [11, 500, 2**256 - 1])
def test_an_exclusive_track_s_royalty_is_at_most_ten_percent(music_nft: Any, actors: Actors, percent: int) -> None:
    with ape.reverts("music nft: royalty above 10 %"):
        music_nft.mintExclusiveTrack(actors.trader, TITLE, PIECE, percent, 3, sender=actors.creator)


def test_a_drop_is_minted_up_to_its_maximum_supply_and_no_further(music_nft: Any, drop: int, actors: Actors) -> None:
    for number in (1, 2, 3):
        assert music_nft.mintEdition.call(drop, actors.trader, sender=actors.creator) == token_id(drop, number)
        music_nft.mintEdition(drop, actors.trader, sender=actors.creator)
        assert music_nft.ownerOf(token_id(drop, number)) == actors.trader

    with ape.reverts("music nft: sold out"):
        music_nft.mintEdition(drop, actors.trader, sender=actors.creator)
    with ape.reverts("music nft: sold out"):
        music_nft.buyEdition(drop, ZERO_ADDRESS, PRICE, value=PRICE, sender=actors.trader)
    assert music_nft.drop(drop).minted == music_nft.balanceOf(actors.trader) == 3


def test_only_a_drop_s_creator_mints_and_sets_its_sale(music_nft: Any, drop: int, actors: Actors) -> None:
    for sender in (actors.owner, actors.stranger):
        with ape.reverts("music nft: caller is not the drop's creator"):
            music_nft.mintEdition(drop, sender, sender=sender)
        with ape.reverts("music nft: caller is not the drop's creator"):
            music_nft.setSale(drop, ZERO_ADDRESS, 1, sender=sender)
    with ape.reverts("music nft: caller is not the drop's creator"):
        music_nft.mintEdition(drop + 1, actors.creator, sender=actors.creator)


def test_an_edition_is_not_minted_to_nobody(music_nft: Any, drop: int, actors: Actors) -> None:
    with ape.reverts("erc721: mint to the zero address"):
        music_nft.mintEdition(drop, ZERO_ADDRESS, sender=actors.creator)


def test_minting_an_edition_costs_no_more_than_openzeppelin_s(music_nft: Any, drop: int, actors: Actors) -> None:
    receipt = music_nft.mintEdition(drop, actors.provider, sender=actors.creator)
    assert receipt.gas_used <= GAS_OF_OPENZEPPELIN_MINT


def test_editions_are_counted_by_drop(music_nft: Any, actors: Actors) -> None:
    first, second, third = (
        dropped(music_nft, music_nft.createDrop(TITLE, piece, 0, 9, False, ZERO_ADDRESS, 0, sender=actors.creator))
        for piece in ("first", "second", "third")
    )

    def held(account: Any) -> list[int]:
        return [music_nft.editionsHeld(account, drop) for drop in (first, second, third)]

    for drop_id in (first, first, second, third, second):
        music_nft.mintEdition(drop_id, actors.trader, sender=actors.creator)
    assert (held(actors.trader), music_nft.balanceOf(actors.trader)) == ([2, 2, 1], 5)

    for number in (1, 2):
        music_nft.transferFrom(actors.trader, actors.staker, token_id(first, number), sender=actors.trader)
    assert held(actors.trader) == [0, 2, 1]
    assert held(actors.staker) == [2, 0, 0]

    music_nft.mintEdition(second, actors.trader, sender=actors.creator)  # takes the place that the first drop left
    music_nft.transferFrom(actors.trader, actors.staker, token_id(second, 1), sender=actors.trader)
    music_nft.transferFrom(actors.trader, actors.staker, token_id(second, 2), sender=actors.trader)
    music_nft.transferFrom(actors.trader, actors.trader, token_id(third, 1), sender=actors.trader)
    assert (held(actors.trader), music_nft.balanceOf(actors.trader)) == ([0, 1, 1], 2)
    assert (held(actors.staker), music_nft.balanceOf(actors.staker)) == ([2, 2, 0], 4)


# sales


def test_an_edition_is_sold_for_the_native_coin(music_nft: Any, drop: int, actors: Actors) -> None:
    edition = token_id(drop, 1)
    purchase = (drop, ZERO_ADDRESS, PRICE)
    assert music_nft.buyEdition.call(*purchase, value=PRICE, sender=actors.trader) == edition

    receipt = music_nft.buyEdition(*purchase, value=PRICE, sender=actors.trader)

    assert music_nft.EditionSold.from_receipt(receipt) == [
        music_nft.EditionSold(dropId=drop, tokenId=edition, buyer=actors.trader, paymentToken=ZERO_ADDRESS, price=PRICE)
    ]
    assert music_nft.ownerOf(edition) == actors.trader
    assert music_nft.proceeds(actors.creator) == music_nft.balance == PRICE


def test_an_edition_is_sold_for_a_creator_token(
    music_nft: Any, token_drop: int, funded_token: Any, actors: Actors
) -> None:
    before = funded_token.balanceOf(actors.creator)

    receipt = music_nft.buyEdition(token_drop, funded_token, 7 * COIN, sender=actors.trader)

    assert music_nft.EditionSold.from_receipt(receipt) == [
        music_nft.EditionSold(
            dropId=token_drop,
            tokenId=token_id(token_drop, 1),
            buyer=actors.trader,
            paymentToken=funded_token,
            price=7 * COIN,
        )
    ]
    assert funded_token.balanceOf(actors.creator) == before + 7 * COIN
    assert funded_token.balanceOf(music_nft) == 0
    assert music_nft.ownerOf(token_id(token_drop, 1)) == actors.trader


@pytest.mark.parametrize("value", [0, PRICE - 1, PRICE + 1])
def test_a_sale_takes_exactly_the_price(music_nft: Any, drop: int, actors: Actors, value: int) -> None:
    with ape.reverts("music nft: wrong payment"):
        music_nft.buyEdition(drop, ZERO_ADDRESS, PRICE, value=value, sender=actors.trader)


def test_a_sale_for_tokens_takes_no_native_coin(
    music_nft: Any, token_drop: int, funded_token: Any, actors: Actors
) -> None:
    with ape.reverts("music nft: wrong payment"):
        music_nft.buyEdition(token_drop, funded_token, 7 * COIN, value=1, sender=actors.trader)


def test_a_buyer_without_an_allowance_gets_no_edition(
    music_nft: Any, token_drop: int, funded_token: Any, actors: Actors
) -> None:
    with ape.reverts("erc20: insufficient allowance"):
        music_nft.buyEdition(token_drop, funded_token, 7 * COIN, sender=actors.staker)


def test_a_creator_changes_and_ends_a_sale(music_nft: Any, drop: int, funded_token: Any, actors: Actors) -> None:
    receipt = music_nft.setSale(drop, funded_token, 2 * COIN, sender=actors.creator)
    assert music_nft.SaleUpdated.from_receipt(receipt) == [
        music_nft.SaleUpdated(dropId=drop, paymentToken=funded_token, price=2 * COIN)
    ]
    assert tuple(music_nft.saleOf(drop)) == (funded_token, 2 * COIN)

    music_nft.setSale(drop, ZERO_ADDRESS, 0, sender=actors.creator)
    with ape.reverts("music nft: not for sale"):
        music_nft.buyEdition(drop, funded_token, 2 * COIN, sender=actors.trader)


def test_a_buyer_pays_no_other_price_than_the_one_it_saw(
    music_nft: Any, token_drop: int, funded_token: Any, create_token: Any, actors: Actors
) -> None:
    music_nft.setSale(token_drop, funded_token, 70 * COIN, sender=actors.creator)
    with ape.reverts("music nft: terms changed"):
        music_nft.buyEdition(token_drop, funded_token, 7 * COIN, sender=actors.trader)
    music_nft.setSale(token_drop, create_token("DEAR"), 7 * COIN, sender=actors.creator)
    with ape.reverts("music nft: terms changed"):
        music_nft.buyEdition(token_drop, funded_token, 7 * COIN, sender=actors.trader)


def test_a_creator_s_proceeds_are_paid_by_anybody_s_call(music_nft: Any, drop: int, actors: Actors) -> None:
    music_nft.buyEdition(drop, ZERO_ADDRESS, PRICE, value=PRICE, sender=actors.trader)
    music_nft.buyEdition(drop, ZERO_ADDRESS, PRICE, value=PRICE, sender=actors.staker)
    before = actors.creator.balance
    assert music_nft.withdrawProceeds.call(actors.creator, sender=actors.stranger) == 2 * PRICE

    receipt = music_nft.withdrawProceeds(actors.creator, sender=actors.stranger)

    assert actors.creator.balance == before + 2 * PRICE
    assert music_nft.ProceedsWithdrawn.from_receipt(receipt) == [
        music_nft.ProceedsWithdrawn(creator=actors.creator, receiver=actors.creator, amount=2 * PRICE)
    ]
    with ape.reverts("music nft: no proceeds"):
        music_nft.withdrawProceeds(actors.creator, sender=actors.stranger)


def test_a_creator_has_its_proceeds_paid_to_another_account(music_nft: Any, drop: int, actors: Actors) -> None:
    music_nft.buyEdition(drop, ZERO_ADDRESS, PRICE, value=PRICE, sender=actors.trader)
    before = actors.provider.balance
    with ape.reverts("music nft: receiver is the zero address"):
        music_nft.withdrawProceedsTo(ZERO_ADDRESS, sender=actors.creator)
    with ape.reverts("music nft: no proceeds"):
        music_nft.withdrawProceedsTo(actors.stranger, sender=actors.stranger)

    receipt = music_nft.withdrawProceedsTo(actors.provider, sender=actors.creator)

    assert actors.provider.balance == before + PRICE
    assert music_nft.ProceedsWithdrawn.from_receipt(receipt) == [
        music_nft.ProceedsWithdrawn(creator=actors.creator, receiver=actors.provider, amount=PRICE)
    ]


# ERC-721


def test_an_owner_and_whom_it_approves_transfer_an_edition(music_nft: Any, edition: int, actors: Actors) -> None:
    receipt = music_nft.approve(actors.staker, edition, sender=actors.trader)
    assert music_nft.Approval.from_receipt(receipt) == [
        music_nft.Approval(owner=actors.trader, approved=actors.staker, token_id=edition)
    ]
    assert music_nft.getApproved(edition) == actors.staker

    receipt = music_nft.transferFrom(actors.trader, actors.provider, edition, sender=actors.staker)
    assert music_nft.Transfer.from_receipt(receipt) == [
        music_nft.Transfer(sender=actors.trader, receiver=actors.provider, token_id=edition)
    ]
    assert music_nft.ownerOf(edition) == actors.provider
    assert music_nft.getApproved(edition) == ZERO_ADDRESS
    assert (music_nft.balanceOf(actors.trader), music_nft.balanceOf(actors.provider)) == (0, 1)


def test_an_operator_transfers_and_approves_for_the_owner(music_nft: Any, edition: int, actors: Actors) -> None:
    receipt = music_nft.setApprovalForAll(actors.staker, True, sender=actors.trader)
    assert music_nft.ApprovalForAll.from_receipt(receipt) == [
        music_nft.ApprovalForAll(owner=actors.trader, operator=actors.staker, approved=True)
    ]
    assert music_nft.isApprovedForAll(actors.trader, actors.staker)
    music_nft.approve(actors.provider, edition, sender=actors.staker)
    music_nft.safeTransferFrom(actors.trader, actors.staker, edition, sender=actors.staker)

    music_nft.setApprovalForAll(actors.staker, False, sender=actors.trader)
    assert not music_nft.isApprovedForAll(actors.trader, actors.staker)


def test_nobody_else_touches_an_edition(music_nft: Any, edition: int, actors: Actors) -> None:
    with ape.reverts("erc721: caller is not token owner or approved"):
        music_nft.transferFrom(actors.trader, actors.stranger, edition, sender=actors.stranger)
    with ape.reverts("erc721: caller is not token owner or approved"):
        music_nft.safeTransferFrom(actors.trader, actors.stranger, edition, b"x", sender=actors.stranger)
    with ape.reverts("erc721: caller is not token owner or operator"):
        music_nft.approve(actors.stranger, edition, sender=actors.stranger)
    music_nft.approve(actors.staker, edition, sender=actors.trader)
    with ape.reverts("erc721: caller is not token owner or operator"):
        music_nft.approve(actors.stranger, edition, sender=actors.staker)


def test_transfers_that_make_no_sense_are_refused(music_nft: Any, edition: int, actors: Actors) -> None:
    with ape.reverts("erc721: transfer from incorrect owner"):
        music_nft.transferFrom(actors.staker, actors.provider, edition, sender=actors.trader)
    with ape.reverts("erc721: transfer to the zero address"):
        music_nft.transferFrom(actors.trader, ZERO_ADDRESS, edition, sender=actors.trader)
    with ape.reverts("erc721: operator is the zero address"):
        music_nft.setApprovalForAll(ZERO_ADDRESS, True, sender=actors.trader)
    with ape.reverts("erc721: zero address is not a valid owner"):
        music_nft.balanceOf(ZERO_ADDRESS)


@pytest.mark.parametrize("method", ["ownerOf", "getApproved", "tokenURI"])
def test_an_edition_that_is_not_minted_does_not_exist(music_nft: Any, drop: int, method: str) -> None:
    with ape.reverts("erc721: invalid token ID"):
        getattr(music_nft, method)(token_id(drop, 1))


def test_an_edition_that_is_not_minted_is_not_moved(music_nft: Any, drop: int, actors: Actors) -> None:
    with ape.reverts("erc721: invalid token ID"):
        music_nft.approve(actors.stranger, token_id(drop, 1), sender=actors.creator)
    with ape.reverts("erc721: invalid token ID"):
        music_nft.transferFrom(ZERO_ADDRESS, actors.stranger, token_id(drop, 1), sender=actors.creator)


def test_safe_transfers_ask_the_receiver(music_nft: Any, edition: int, hostile_trader: Any, actors: Actors) -> None:
    hostile_trader.refuse(True, sender=actors.stranger)
    with ape.reverts("hostile: refused"):
        music_nft.safeTransferFrom(actors.trader, hostile_trader, edition, sender=actors.trader)
    hostile_trader.refuse(False, sender=actors.stranger)
    music_nft.safeTransferFrom(actors.trader, hostile_trader, edition, b"data", sender=actors.trader)
    assert music_nft.ownerOf(edition) == hostile_trader


def test_a_contract_that_cannot_handle_tokens_is_not_given_any_safely(
    music_nft: Any, drop: int, funded_token: Any, hostile: Any, actors: Actors
) -> None:
    with ape.reverts():
        music_nft.mintEdition(drop, funded_token, sender=actors.creator)
    with ape.reverts():  # it has a default function, which answers nothing
        music_nft.mintEdition(drop, hostile, sender=actors.creator)


def test_a_receiver_that_answers_otherwise_refuses(
    contracts: Any, music_nft: Any, drop: int, hostile_trader: Any, actors: Actors
) -> None:
    hostile_trader.answerWrongly(True, sender=actors.stranger)
    with ape.reverts("erc721: receiver refused the token"):
        music_nft.mintEdition(drop, hostile_trader, sender=actors.creator)


def test_transfers_take_no_native_coin(music_nft: Any, edition: int, actors: Actors) -> None:
    with ape.reverts():
        music_nft.transferFrom(actors.trader, actors.staker, edition, value=1, sender=actors.trader)
    with ape.reverts():
        actors.trader.transfer(music_nft, 1)


@pytest.mark.parametrize(
    ("interface", "supported"),
    [
        ("0x01ffc9a7", True),  # ERC-165
        ("0x80ac58cd", True),  # ERC-721
        ("0x5b5e139f", True),  # ERC-721's metadata
        ("0x2a55205a", True),  # ERC-2981
        ("0x49064906", True),  # ERC-4906
        ("0x7965db0b", True),  # IAccessControl
        ("0x780e9d63", False),  # ERC-721's enumeration
        ("0xffffffff", False),
    ],
)
def test_it_says_which_interfaces_it_supports(music_nft: Any, interface: str, supported: bool) -> None:  # noqa: FBT001
    assert music_nft.supportsInterface(interface) is supported


# royalties and metadata


@pytest.mark.parametrize(("price", "royalty"), [(COIN, COIN // 20), (19, 0), (20, 1), (39, 1), (0, 0)])
def test_royalties_go_to_the_drop_s_creator_rounded_down(
    music_nft: Any, drop: int, actors: Actors, price: int, royalty: int
) -> None:
    assert tuple(music_nft.royaltyInfo(token_id(drop, 1), price)) == (actors.creator, royalty)


def test_without_a_drop_there_is_no_royalty(music_nft: Any, drop: int) -> None:
    assert tuple(music_nft.royaltyInfo(token_id(drop + 1, 1), COIN)) == (ZERO_ADDRESS, 0)


def metadata(music_nft: Any, edition: int) -> Any:
    head, _, body = music_nft.tokenURI(edition).partition(",")
    assert head == "data:application/json;base64"
    return json.loads(base64.b64decode(body, validate=True))


def test_metadata_stand_on_chain(music_nft: Any, edition: int, actors: Actors) -> None:
    assert metadata(music_nft, edition) == {
        "name": "A Song #1",
        "description": "Edition 1 of at most 3",
        "animation_url": f"https://media.example/{PIECE}",
        "properties": {"audioPieceCid": PIECE, "edition": 1, "maxSupply": 3, "isExclusive": False},
    }


@pytest.mark.parametrize(
    "title",
    [
        '"Heroes"',
        "back\\slash",
        "line\nfeed\x00\x1f",
        "Für Élise 月光 🎵",
        "#1 50% \x7f",
        '"' * 100,
        "é" * 50,
        "ab",
        "abc",
    ],
)
def test_metadata_are_json_whatever_the_title_says(music_nft: Any, actors: Actors, title: str) -> None:
    receipt = music_nft.mintExclusiveTrack(actors.trader, title, '"piece"\\', 5, 2**32 - 1, sender=actors.creator)

    described = metadata(music_nft, minted(music_nft, receipt))
    assert described["name"] == f"{title} #1"
    assert described["properties"] == {
        "audioPieceCid": '"piece"\\',
        "edition": 1,
        "maxSupply": 2**32 - 1,
        "isExclusive": True,
    }
    assert described["animation_url"] == 'https://media.example/"piece"\\'


def test_the_longest_metadata_fit(music_nft: Any, actors: Actors) -> None:
    music_nft.setMediaBaseUri('"' * 100, sender=actors.owner)
    receipt = music_nft.mintExclusiveTrack(actors.trader, '"' * 100, "\\" * 100, 5, 9, sender=actors.creator)

    described = metadata(music_nft, minted(music_nft, receipt))
    assert described["animation_url"] == '"' * 100 + "\\" * 100


def test_the_admin_moves_the_media(music_nft: Any, edition: int, actors: Actors) -> None:
    with ape.reverts("access_control: account is missing role"):
        music_nft.setMediaBaseUri("", sender=actors.creator)

    receipt = music_nft.setMediaBaseUri("", sender=actors.owner)

    assert music_nft.MediaBaseUriUpdated.from_receipt(receipt) == [music_nft.MediaBaseUriUpdated(mediaBaseUri="")]
    assert music_nft.BatchMetadataUpdate.from_receipt(receipt) == [
        music_nft.BatchMetadataUpdate(_fromTokenId=0, _toTokenId=2**256 - 1)
    ]
    assert "animation_url" not in metadata(music_nft, edition)
