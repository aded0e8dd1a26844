"""C15, SparkNFT: the platform's collectables, their roles and royalties."""

from typing import Any

import ape
import pytest
from web3 import Web3

from tests.contracts.conftest import COIN, ZERO_ADDRESS, Actors

MINTER_ROLE = Web3.keccak(text="MINTER_ROLE")
GAS_OF_OPENZEPPELIN_MINT = 78_597


def test_the_deployment_says_what_it_is(contracts: Any, actors: Actors) -> None:
    nft = actors.owner.deploy(contracts.SparkNFT, "N" * 50, "S" * 10, "u" * 100, actors.fee_recipient, 1_000)

    assert (nft.name(), nft.symbol(), nft.baseUri()) == ("N" * 50, "S" * 10, "u" * 100)
    assert (nft.totalSupply(), nft.maximumRoyaltyBps()) == (0, 1_000)
    assert tuple(nft.royalty()) == (actors.fee_recipient, 1_000)
    receipt = nft.creation_metadata.receipt
    assert nft.RoyaltyUpdated.from_receipt(receipt) == [
        nft.RoyaltyUpdated(receiver=actors.fee_recipient, royaltyBps=1_000)
    ]
    assert nft.BaseUriUpdated.from_receipt(receipt) == [nft.BaseUriUpdated(baseUri="u" * 100)]
    assert [(bytes(event.role), event.account) for event in nft.RoleGranted.from_receipt(receipt)] == [
        (bytes(32), actors.owner),
        (MINTER_ROLE, actors.owner),
    ]


def test_a_minter_mints_tokens_that_count_from_one(spark_nft: Any, actors: Actors) -> None:
    for number in (1, 2):
        assert spark_nft.mint.call(actors.trader, sender=actors.owner) == number
        receipt = spark_nft.mint(actors.trader, sender=actors.owner)
        assert spark_nft.Transfer.from_receipt(receipt) == [
            spark_nft.Transfer(sender=ZERO_ADDRESS, receiver=actors.trader, token_id=number)
        ]
        assert spark_nft.ownerOf(number) == actors.trader
    assert spark_nft.totalSupply() == spark_nft.balanceOf(actors.trader) == 2


def test_only_minters_mint(spark_nft: Any, actors: Actors) -> None:
    assert spark_nft.MINTER_ROLE() == MINTER_ROLE
    with ape.reverts("access_control: account is missing role"):
        spark_nft.mint(actors.stranger, sender=actors.stranger)

    spark_nft.grantRole(MINTER_ROLE, actors.oracle, sender=actors.owner)
    spark_nft.mint(actors.trader, sender=actors.oracle)

    receipt = spark_nft.revokeRole(MINTER_ROLE, actors.oracle, sender=actors.owner)
    assert [event.account for event in spark_nft.RoleRevoked.from_receipt(receipt)] == [actors.oracle]
    assert not spark_nft.hasRole(MINTER_ROLE, actors.oracle)
    with ape.reverts("access_control: account is missing role"):
        spark_nft.mint(actors.trader, sender=actors.oracle)


def test_only_the_admin_gives_roles(spark_nft: Any, actors: Actors) -> None:
    assert spark_nft.getRoleAdmin(MINTER_ROLE) == spark_nft.DEFAULT_ADMIN_ROLE()
    with ape.reverts("access_control: account is missing role"):
        spark_nft.grantRole(MINTER_ROLE, actors.stranger, sender=actors.stranger)
    with ape.reverts("access_control: can only renounce roles for itself"):
        spark_nft.renounceRole(MINTER_ROLE, actors.owner, sender=actors.stranger)
    spark_nft.renounceRole(MINTER_ROLE, actors.owner, sender=actors.owner)
    assert not spark_nft.hasRole(MINTER_ROLE, actors.owner)


def test_a_token_is_not_minted_to_nobody_or_to_who_refuses(spark_nft: Any, hostile_trader: Any, actors: Actors) -> None:
    with ape.reverts("erc721: mint to the zero address"):
        spark_nft.mint(ZERO_ADDRESS, sender=actors.owner)
    hostile_trader.answerWrongly(True, sender=actors.stranger)
    with ape.reverts("erc721: receiver refused the token"):
        spark_nft.mint(hostile_trader, sender=actors.owner)


def test_minting_costs_no_more_than_openzeppelin_s(spark_nft: Any, actors: Actors) -> None:
    spark_nft.mint(actors.staker, sender=actors.owner)
    assert spark_nft.mint(actors.trader, sender=actors.owner).gas_used <= GAS_OF_OPENZEPPELIN_MINT


def test_tokens_are_transferred_and_approved(spark_nft: Any, actors: Actors) -> None:
    spark_nft.mint(actors.trader, sender=actors.owner)
    spark_nft.approve(actors.staker, 1, sender=actors.trader)
    assert spark_nft.getApproved(1) == actors.staker

    spark_nft.transferFrom(actors.trader, actors.provider, 1, sender=actors.staker)
    spark_nft.setApprovalForAll(actors.staker, True, sender=actors.provider)
    assert spark_nft.isApprovedForAll(actors.provider, actors.staker)
    spark_nft.safeTransferFrom(actors.provider, actors.trader, 1, sender=actors.staker)

    assert spark_nft.ownerOf(1) == actors.trader
    with ape.reverts("erc721: caller is not token owner or approved"):
        spark_nft.transferFrom(actors.trader, actors.stranger, 1, sender=actors.stranger)


def test_only_who_holds_a_token_or_may_for_its_holder_disposes_of_it(spark_nft: Any, actors: Actors) -> None:
    spark_nft.mint(actors.trader, sender=actors.owner)
    with ape.reverts("erc721: caller is not token owner or operator"):
        spark_nft.approve(actors.stranger, 1, sender=actors.stranger)
    with ape.reverts("erc721: transfer from incorrect owner"):
        spark_nft.transferFrom(actors.provider, actors.stranger, 1, sender=actors.trader)
    with ape.reverts("erc721: transfer to the zero address"):
        spark_nft.transferFrom(actors.trader, ZERO_ADDRESS, 1, sender=actors.trader)
    with ape.reverts("erc721: operator is the zero address"):
        spark_nft.setApprovalForAll(ZERO_ADDRESS, True, sender=actors.trader)
    with ape.reverts("erc721: zero address is not a valid owner"):
        spark_nft.balanceOf(ZERO_ADDRESS)

    spark_nft.setApprovalForAll(actors.staker, True, sender=actors.trader)
    spark_nft.approve(actors.provider, 1, sender=actors.staker)
    assert spark_nft.getApproved(1) == actors.provider


def test_a_token_s_uri_is_the_base_uri_and_its_id(spark_nft: Any, actors: Actors) -> None:
    with ape.reverts("erc721: invalid token ID"):
        spark_nft.tokenURI(1)
    spark_nft.mint(actors.trader, sender=actors.owner)
    assert spark_nft.tokenURI(1) == "https://nft.example/1"


def test_the_admin_changes_the_base_uri(spark_nft: Any, actors: Actors) -> None:
    spark_nft.mint(actors.trader, sender=actors.owner)
    with ape.reverts("access_control: account is missing role"):
        spark_nft.setBaseUri("ipfs://", sender=actors.stranger)

    receipt = spark_nft.setBaseUri("ipfs://folder/", sender=actors.owner)

    assert spark_nft.BaseUriUpdated.from_receipt(receipt) == [spark_nft.BaseUriUpdated(baseUri="ipfs://folder/")]
    assert spark_nft.BatchMetadataUpdate.from_receipt(receipt) == [
        spark_nft.BatchMetadataUpdate(_fromTokenId=0, _toTokenId=2**256 - 1)
    ]
    assert spark_nft.tokenURI(1) == "ipfs://folder/1"


@pytest.mark.parametrize(("price", "royalty"), [(COIN, COIN // 20), (19, 0), (20, 1), (0, 0)])
def test_royalties_are_the_collection_s_rounded_down(spark_nft: Any, actors: Actors, price: int, royalty: int) -> None:
    assert tuple(spark_nft.royaltyInfo(7, price)) == (actors.fee_recipient, royalty)


def test_the_admin_changes_the_royalty_within_its_bound(spark_nft: Any, actors: Actors) -> None:
    with ape.reverts("access_control: account is missing role"):
        spark_nft.setRoyalty(actors.stranger, 1, sender=actors.stranger)
    with ape.reverts("spark nft: royalty above 10 %"):
        spark_nft.setRoyalty(actors.trader, 1_001, sender=actors.owner)
    with ape.reverts("spark nft: royalty receiver is the zero address"):
        spark_nft.setRoyalty(ZERO_ADDRESS, 1, sender=actors.owner)

    receipt = spark_nft.setRoyalty(actors.trader, 1_000, sender=actors.owner)

    assert spark_nft.RoyaltyUpdated.from_receipt(receipt) == [
        spark_nft.RoyaltyUpdated(receiver=actors.trader, royaltyBps=1_000)
    ]
    assert tuple(spark_nft.royaltyInfo(1, 10)) == (actors.trader, 1)


@pytest.mark.parametrize(
    "interface", ["0x01ffc9a7", "0x80ac58cd", "0x5b5e139f", "0x2a55205a", "0x49064906", "0x7965db0b"]
)
def test_it_says_which_interfaces_it_supports(spark_nft: Any, interface: str) -> None:
    assert spark_nft.supportsInterface(interface)
    assert not spark_nft.supportsInterface("0xffffffff")
