"""C14, ContentAccess: who may have a piece of content."""

from typing import Any

import ape
import pytest
from web3 import Web3

from tests.contracts.conftest import COIN, MIN_FOLLOWERS, MIN_STREAMS, ZERO_ADDRESS, Actors

PIECE = "baga6ea4seaqao7s73y24kcutaosvacpdjgfe5pw76ooefnyqw4ynr3d2y6x2mpq"
PIECE_HASH = Web3.keccak(text=PIECE)
ACCESS_ROLE = Web3.keccak(text="ACCESS_ROLE")
HOLDING = 1_000 * COIN
BALANCES_REVERT = 32


@pytest.fixture
def coin(contracts: Any, factory: Any, metrics: Any, dex: Any, actors: Actors) -> Any:
    """The coin that the creator launched; the provider has bought a hundredth of its pool, to hand on."""
    metrics.updateCreatorMetrics(actors.creator, MIN_STREAMS, MIN_FOLLOWERS, 0, 0, sender=actors.oracle)
    factory.launchCreatorCoin(actors.creator, "A", "A", "", "", value=COIN, sender=actors.creator)
    coin = contracts.CreatorToken.at(factory.coinOf(actors.creator))
    dex.buyTokens(coin, 10 * HOLDING, value=COIN // 100, sender=actors.provider)
    return coin


@pytest.fixture(scope="session")
def access(contracts: Any, factory: Any, music_nft: Any, actors: Actors) -> Any:
    """The contract, with the oracle as the one that grants access."""
    access = actors.owner.deploy(contracts.ContentAccess, factory, music_nft)
    access.grantRole(ACCESS_ROLE, actors.oracle, sender=actors.owner)
    access.revokeRole(ACCESS_ROLE, actors.owner, sender=actors.owner)
    return access


@pytest.fixture
def gated(access: Any, coin: Any, actors: Actors) -> Any:
    """The contract, with the creator's piece for holders of a thousand coins."""
    access.setContentAccess(PIECE, actors.creator, HOLDING, sender=actors.creator)
    return access


@pytest.fixture
def dropped(gated: Any, music_nft: Any, actors: Actors) -> Any:
    """The same, with the piece open to holders of the creator's first drop; there is a second one."""
    for piece in (PIECE, "other"):
        music_nft.mintExclusiveTrack(actors.creator, "A Song", piece, 5, 9, sender=actors.creator)
    gated.setNftGate(PIECE, music_nft, 1, sender=actors.creator)
    return gated


def now() -> int:
    timestamp: int = ape.chain.pending_timestamp
    return timestamp


# rules


def test_the_deployment_says_what_it_stands_on(contracts: Any, factory: Any, music_nft: Any, actors: Actors) -> None:
    access = actors.owner.deploy(contracts.ContentAccess, factory, music_nft)

    assert (access.factory(), access.musicNft(), access.ACCESS_ROLE()) == (factory, music_nft, ACCESS_ROLE)
    assert access.hasRole(access.DEFAULT_ADMIN_ROLE(), actors.owner)
    assert access.getRoleAdmin(ACCESS_ROLE) == access.DEFAULT_ADMIN_ROLE()
    assert access.supportsInterface("0x7965db0b")
    receipt = access.creation_metadata.receipt
    assert [(bytes(event.role), event.account) for event in access.RoleGranted.from_receipt(receipt)] == [
        (bytes(32), actors.owner),
        (ACCESS_ROLE, actors.owner),
    ]
    access.renounceRole(ACCESS_ROLE, actors.owner, sender=actors.owner)
    assert not access.hasRole(ACCESS_ROLE, actors.owner)


def test_a_creator_sets_the_access_to_its_piece(access: Any, actors: Actors) -> None:
    receipt = access.setContentAccess(PIECE, actors.creator, HOLDING, sender=actors.creator)

    assert access.ContentAccessSet.from_receipt(receipt) == [
        access.ContentAccessSet(
            pieceHash=PIECE_HASH, creator=actors.creator, pieceCid=PIECE, minimumCoinHolding=HOLDING
        )
    ]
    assert tuple(access.contentRule(PIECE)) == (actors.creator, HOLDING, ZERO_ADDRESS, 0)


def test_a_creator_changes_its_rule_and_keeps_its_gate(dropped: Any, music_nft: Any, actors: Actors) -> None:
    receipt = dropped.setContentAccess(PIECE, actors.creator, 1, sender=actors.creator)

    assert dropped.NftGateSet.from_receipt(receipt) == []
    assert tuple(dropped.contentRule(PIECE)) == (actors.creator, 1, music_nft, 1)


def test_nobody_sets_a_piece_for_somebody_else(access: Any, actors: Actors) -> None:
    for sender in (actors.stranger, actors.owner):
        with ape.reverts("access: caller may not set the piece"):
            access.setContentAccess(PIECE, actors.creator, 0, sender=sender)


def test_who_is_no_registered_creator_sets_nothing(access: Any, actors: Actors) -> None:
    with ape.reverts("access: caller may not set the piece"):
        access.setContentAccess(PIECE, actors.stranger, 0, sender=actors.stranger)


def test_a_creator_takes_no_other_creator_s_piece(gated: Any, music_nft: Any, actors: Actors) -> None:
    music_nft.grantRole(music_nft.CREATOR_ROLE(), actors.stranger, sender=actors.owner)
    with ape.reverts("access: piece is another creator's"):
        gated.setContentAccess(PIECE, actors.stranger, 1, sender=actors.stranger)


def test_the_access_role_corrects_whose_a_piece_is_and_the_gate_falls(dropped: Any, actors: Actors) -> None:
    receipt = dropped.setContentAccess(PIECE, actors.staker, 5, sender=actors.oracle)

    assert dropped.NftGateSet.from_receipt(receipt) == [
        dropped.NftGateSet(pieceHash=PIECE_HASH, collection=ZERO_ADDRESS, dropId=0)
    ]
    assert tuple(dropped.contentRule(PIECE)) == (actors.staker, 5, ZERO_ADDRESS, 0)
    with ape.reverts("access: piece is another creator's"):
        dropped.setContentAccess(PIECE, actors.creator, 0, sender=actors.creator)


def test_a_rule_that_is_not_valid_is_refused(access: Any, actors: Actors) -> None:
    with ape.reverts("access: piece is empty"):
        access.setContentAccess("", actors.creator, 0, sender=actors.creator)
    with ape.reverts("access: creator is the zero address"):
        access.setContentAccess(PIECE, ZERO_ADDRESS, 0, sender=actors.oracle)


def test_the_creator_and_the_access_role_set_the_nft_gate(gated: Any, music_nft: Any, actors: Actors) -> None:
    receipt = gated.setNftGate(PIECE, music_nft, 7, sender=actors.creator)
    assert gated.NftGateSet.from_receipt(receipt) == [
        gated.NftGateSet(pieceHash=PIECE_HASH, collection=music_nft, dropId=7)
    ]
    assert tuple(gated.contentRule(PIECE))[2:] == (music_nft, 7)
    gated.setNftGate(PIECE, ZERO_ADDRESS, 0, sender=actors.oracle)
    assert tuple(gated.contentRule(PIECE))[2:] == (ZERO_ADDRESS, 0)

    with ape.reverts("access: caller may not set the piece"):
        gated.setNftGate(PIECE, music_nft, 1, sender=actors.stranger)
    with ape.reverts("access: piece is not set"):
        gated.setNftGate("unknown", music_nft, 1, sender=actors.oracle)


# coins


def test_a_piece_that_nobody_set_is_closed(access: Any, actors: Actors) -> None:
    for user in (actors.creator, actors.trader, ZERO_ADDRESS):
        assert not access.hasValidAccess(user, "unknown")
        assert not access.hasCommittedAccess(user, "unknown")


def test_the_creator_always_has_access(gated: Any, actors: Actors) -> None:
    assert gated.hasValidAccess(actors.creator, PIECE)
    assert gated.hasCommittedAccess(actors.creator, PIECE)


def test_enough_coins_in_the_wallet_open_a_piece(gated: Any, coin: Any, actors: Actors) -> None:
    coin.transfer(actors.trader, HOLDING - 1, sender=actors.provider)
    assert not gated.hasValidAccess(actors.trader, PIECE)
    coin.transfer(actors.trader, 1, sender=actors.provider)
    assert gated.hasValidAccess(actors.trader, PIECE)
    coin.transfer(actors.staker, 1, sender=actors.trader)
    assert not gated.hasValidAccess(actors.trader, PIECE)


def test_wallet_and_staked_balance_count_together(gated: Any, coin: Any, actors: Actors) -> None:
    coin.transfer(actors.trader, HOLDING, sender=actors.provider)
    coin.stake(HOLDING * 6 // 10, sender=actors.trader)
    assert coin.balanceOf(actors.trader) < HOLDING
    assert gated.hasValidAccess(actors.trader, PIECE)

    coin.transfer(actors.staker, 1, sender=actors.trader)
    assert not gated.hasValidAccess(actors.trader, PIECE)


def test_only_staked_coins_count_where_money_follows(gated: Any, coin: Any, actors: Actors) -> None:
    coin.transfer(actors.trader, 2 * HOLDING, sender=actors.provider)
    assert not gated.hasCommittedAccess(actors.trader, PIECE)

    coin.stake(HOLDING, sender=actors.trader)
    assert gated.hasCommittedAccess(actors.trader, PIECE)


def test_without_a_minimum_coins_open_nothing(gated: Any, coin: Any, actors: Actors) -> None:
    coin.transfer(actors.trader, HOLDING, sender=actors.provider)
    coin.stake(HOLDING // 2, sender=actors.trader)
    gated.setContentAccess(PIECE, actors.creator, 0, sender=actors.creator)

    assert not gated.hasValidAccess(actors.trader, PIECE)
    assert not gated.hasCommittedAccess(actors.trader, PIECE)


def test_a_creator_without_a_coin_opens_by_nft_and_grant_alone(access: Any, music_nft: Any, actors: Actors) -> None:
    access.setContentAccess(PIECE, actors.staker, 1, sender=actors.oracle)

    assert not access.hasValidAccess(actors.trader, PIECE)
    assert not access.hasCommittedAccess(actors.trader, PIECE)
    access.grantAccess(actors.trader, PIECE, now() + 60, sender=actors.oracle)
    assert access.hasValidAccess(actors.trader, PIECE)


# NFTs


def test_an_edition_of_the_drop_opens_the_piece(dropped: Any, music_nft: Any, actors: Actors) -> None:
    assert not dropped.hasValidAccess(actors.trader, PIECE)

    music_nft.mintEdition(1, actors.trader, sender=actors.creator)
    assert dropped.hasValidAccess(actors.trader, PIECE)

    music_nft.transferFrom(actors.trader, actors.staker, 1 << 128 | 2, sender=actors.trader)
    assert not dropped.hasValidAccess(actors.trader, PIECE)
    assert dropped.hasValidAccess(actors.staker, PIECE)


def test_an_edition_of_another_drop_does_not(dropped: Any, music_nft: Any, actors: Actors) -> None:
    music_nft.mintEdition(2, actors.trader, sender=actors.creator)
    assert not dropped.hasValidAccess(actors.trader, PIECE)

    music_nft.mintEdition(1, actors.trader, sender=actors.creator)
    assert dropped.hasValidAccess(actors.trader, PIECE)


def test_any_token_of_a_collection_may_open_a_piece(gated: Any, spark_nft: Any, actors: Actors) -> None:
    gated.setNftGate(PIECE, spark_nft, 0, sender=actors.creator)
    assert not gated.hasValidAccess(actors.trader, PIECE)

    spark_nft.mint(actors.trader, sender=actors.owner)
    assert gated.hasValidAccess(actors.trader, PIECE)


def test_an_nft_can_be_borrowed_and_commits_to_nothing(dropped: Any, music_nft: Any, actors: Actors) -> None:
    music_nft.mintEdition(1, actors.trader, sender=actors.creator)
    assert not dropped.hasCommittedAccess(actors.trader, PIECE)


def test_a_collection_that_does_not_answer_opens_nothing(contracts: Any, gated: Any, coin: Any, actors: Actors) -> None:
    collection = actors.stranger.deploy(contracts.HostileCollection)
    collection.mint(actors.trader, 1, sender=actors.stranger)
    gated.setNftGate(PIECE, collection, 0, sender=actors.creator)
    assert gated.hasValidAccess(actors.trader, PIECE)

    collection.behave(BALANCES_REVERT, sender=actors.stranger)
    assert not gated.hasValidAccess(actors.trader, PIECE)
    gated.setNftGate(PIECE, collection, 3, sender=actors.creator)  # it knows no drops
    assert not gated.hasValidAccess(actors.trader, PIECE)
    gated.setNftGate(PIECE, actors.stranger, 0, sender=actors.creator)  # not even a contract
    assert not gated.hasValidAccess(actors.trader, PIECE)
    coin.transfer(actors.trader, HOLDING, sender=actors.provider)
    assert gated.hasValidAccess(actors.trader, PIECE)


# grants


def test_a_grant_opens_a_piece_until_it_expires(gated: Any, actors: Actors) -> None:
    expiry = now() + 3_600
    receipt = gated.grantAccess(actors.trader, PIECE, expiry, sender=actors.oracle)

    assert gated.AccessGranted.from_receipt(receipt) == [
        gated.AccessGranted(user=actors.trader, pieceHash=PIECE_HASH, pieceCid=PIECE, expiresAt=expiry)
    ]
    assert gated.grantExpiry(actors.trader, PIECE) == expiry
    assert gated.hasValidAccess(actors.trader, PIECE)
    assert gated.hasCommittedAccess(actors.trader, PIECE)
    assert not gated.hasValidAccess(actors.staker, PIECE)
    assert not gated.hasValidAccess(actors.trader, "another piece")

    ape.chain.mine(timestamp=expiry - 1)
    assert gated.hasValidAccess(actors.trader, PIECE)
    ape.chain.mine(timestamp=expiry)
    assert not gated.hasValidAccess(actors.trader, PIECE)
    assert not gated.hasCommittedAccess(actors.trader, PIECE)


def test_a_new_grant_replaces_the_old_one(gated: Any, actors: Actors) -> None:
    first = now() + 3_600
    gated.grantAccess(actors.trader, PIECE, first, sender=actors.oracle)
    gated.grantAccess(actors.trader, PIECE, first + 3_600, sender=actors.oracle)

    assert gated.grantExpiry(actors.trader, PIECE) == first + 3_600


def test_a_grant_is_revoked(gated: Any, actors: Actors) -> None:
    gated.grantAccess(actors.trader, PIECE, now() + 3_600, sender=actors.oracle)
    with ape.reverts("access_control: account is missing role"):
        gated.revokeAccess(actors.trader, PIECE, sender=actors.creator)

    receipt = gated.revokeAccess(actors.trader, PIECE, sender=actors.oracle)

    assert gated.AccessRevoked.from_receipt(receipt) == [gated.AccessRevoked(user=actors.trader, pieceHash=PIECE_HASH)]
    assert gated.grantExpiry(actors.trader, PIECE) == 0
    assert not gated.hasValidAccess(actors.trader, PIECE)
    with ape.reverts("access: no live grant"):
        gated.revokeAccess(actors.trader, PIECE, sender=actors.oracle)


def test_only_the_access_role_grants(gated: Any, actors: Actors) -> None:
    for sender in (actors.stranger, actors.creator, actors.owner):
        with ape.reverts("access_control: account is missing role"):
            gated.grantAccess(actors.trader, PIECE, now() + 60, sender=sender)


def test_a_grant_that_makes_no_sense_is_refused(gated: Any, actors: Actors) -> None:
    with ape.reverts("access: user is the zero address"):
        gated.grantAccess(ZERO_ADDRESS, PIECE, now() + 60, sender=actors.oracle)
    with ape.reverts("access: piece is empty"):
        gated.grantAccess(actors.trader, "", now() + 60, sender=actors.oracle)
    with ape.reverts("access: grant has expired"):
        gated.grantAccess(actors.trader, PIECE, ape.chain.blocks.head.timestamp, sender=actors.oracle)
