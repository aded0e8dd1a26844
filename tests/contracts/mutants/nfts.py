"""Mutants of the NFTs, their marketplace and the access to content."""

from typing import Final

from .mutant import Mutant, change, removal

EDITIONS: Final = "modules/editions.vy"
MUSIC: Final = "nft/MusicNFT.vy"
SPARK_NFT: Final = "nft/SparkNFT.vy"
MARKET: Final = "nft/SparkMarketplace.vy"
ACCESS: Final = "nft/ContentAccess.vy"

MUTANTS: Final[tuple[Mutant, ...]] = (
    removal(
        "editions-moved-by-anybody",
        EDITIONS,
        "    assert (\n"
        "        msg.sender == holder or msg.sender == approved or self.isApprovedForAll[holder][msg.sender]\n"
        '    ), "erc721: caller is not token owner or approved"\n',
        "Anybody takes anybody's tokens",
        "test_music_nft.py::test_nobody_else_touches_an_edition",
    ),
    removal(
        "editions-approved-by-anybody",
        EDITIONS,
        "    assert (\n        msg.sender == owner or self.isApprovedForAll[owner][msg.sender]\n"
        '    ), "erc721: caller is not token owner or operator"\n',
        "Anybody approves itself for anybody's token",
        "test_music_nft.py::test_nobody_else_touches_an_edition",
    ),
    removal(
        "editions-moved-from-another-owner",
        EDITIONS,
        '    assert holder == owner, "erc721: transfer from incorrect owner"\n',
        "A transfer is booked from who did not hold the token",
        "test_music_nft.py::test_transfers_that_make_no_sense_are_refused",
    ),
    removal(
        "music-supply-overrun",
        MUSIC,
        '    assert minted < (packed >> (ADDRESS_BITS + SUPPLY_BITS)) & MAXIMUM_SUPPLY, "music nft: sold out"\n',
        "A drop has more editions than it promised",
        "test_music_nft.py::test_a_drop_is_minted_up_to_its_maximum_supply_and_no_further",
    ),
    change(
        "music-anybody-mints",
        MUSIC,
        'assert msg.sender == self._creator_in(packed), "music nft: caller is not the drop\'s creator"',
        "pass",
        "Anybody mints editions for nothing",
        "test_music_nft.py::test_only_a_drop_s_creator_mints_and_sets_its_sale",
    ),
    removal(
        "music-anybody-drops",
        MUSIC,
        '    assert self._is_registered_creator(msg.sender), "music nft: caller is not a registered creator"\n',
        "Anybody sells another's music",
        "test_music_nft.py::test_only_registered_creators_make_drops",
    ),
    removal(
        "music-royalty-without-bound",
        MUSIC,
        '    assert royalty_bps <= maximumRoyaltyBps, "music nft: royalty above 10 %"\n',
        "A royalty beyond a tenth makes resales pointless",
        "test_music_nft.py::test_a_drop_that_is_not_valid_is_refused",
    ),
    removal(
        "music-proceeds-paid-again",
        MUSIC,
        "    self.proceeds[creator] = 0\n",
        "A creator withdraws the other creators' proceeds",
        "test_music_nft.py::test_a_creator_s_proceeds_are_paid_by_anybody_s_call",
    ),
    change(
        "music-pays-before-the-books",
        MUSIC,
        "    self.proceeds[creator] = 0\n"
        "    log ProceedsWithdrawn(creator=creator, receiver=receiver, amount=amount)\n"
        '    assert raw_call(receiver, b"", value=amount, revert_on_failure=False),'
        ' "music nft: native transfer failed"\n',
        "    log ProceedsWithdrawn(creator=creator, receiver=receiver, amount=amount)\n"
        '    assert raw_call(receiver, b"", value=amount, revert_on_failure=False),'
        ' "music nft: native transfer failed"\n'
        "    self.proceeds[creator] = 0\n",
        "Only the lock keeps a creator from being paid twice",
        "test_effects_order.py::test_drops_write_before_they_pay_and_ask",
    ),
    removal(
        "music-without-lock",
        MUSIC,
        "# pragma nonreentrancy on\n",
        "Editions are bought and read while one is being paid for",
        "attacks/test_nft_attacks.py::test_reentrancy_through_the_receiver_of_an_edition_and_the_payment_token",
    ),
    removal(
        "spark-nft-anybody-mints",
        SPARK_NFT,
        "    access_control._check_role(MINTER_ROLE, msg.sender)\n",
        "Anybody mints the platform's collectables",
        "test_spark_nft.py::test_only_minters_mint",
    ),
    removal(
        "spark-nft-royalty-without-bound",
        SPARK_NFT,
        '    assert royalty_bps <= maximumRoyaltyBps, "spark nft: royalty above 10 %"\n',
        "A royalty beyond a tenth makes resales pointless",
        "test_spark_nft.py::test_the_admin_changes_the_royalty_within_its_bound",
    ),
    change(
        "spark-nft-receiver-before-the-number",
        SPARK_NFT,
        "    self.totalSupply = token_id\n    editions._mint(to, token_id)\n"
        '    editions._ask_receiver(empty(address), to, token_id, b"")\n',
        "    editions._mint(to, token_id)\n"
        '    editions._ask_receiver(empty(address), to, token_id, b"")\n    self.totalSupply = token_id\n',
        "A minter that calls back mints the same token twice",
        "attacks/test_nft_attacks.py::test_a_minter_that_reenters_gets_other_tokens",
    ),
    removal(
        "market-sells-what-is-gone",
        MARKET,
        "    assert (\n        staticcall IERC721(collection).ownerOf(tokenId) == listing.seller\n"
        '    ), "marketplace: seller does not own the token"\n',
        "A former owner sells the token of the present one",
        "test_spark_marketplace.py::test_a_token_that_the_seller_gave_away_is_not_sold",
    ),
    removal(
        "market-terms-changed-under-the-buyer",
        MARKET,
        '    assert currency == terms.currency and price == terms.amount, "marketplace: terms changed"\n',
        "A buyer pays a price that it did not see",
        "test_spark_marketplace.py::test_a_buyer_pays_no_other_price_than_the_one_it_saw",
    ),
    removal(
        "market-terms-changed-under-the-seller",
        MARKET,
        '    assert currency == terms.currency and amount == terms.amount, "marketplace: terms changed"\n',
        "A seller accepts an offer that it did not see",
        "test_spark_marketplace.py::test_a_seller_accepts_no_other_offer_than_the_one_it_saw",
    ),
    removal(
        "market-expired-listing-sells",
        MARKET,
        '    assert block.timestamp <= terms.time, "marketplace: listing expired"\n',
        "A forgotten listing sells at an old price",
        "test_spark_marketplace.py::test_a_listing_ends_at_its_expiry",
    ),
    removal(
        "market-expired-offer-buys",
        MARKET,
        '    assert block.timestamp <= terms.time, "marketplace: offer expired"\n',
        "A forgotten offer buys at an old price",
        "test_spark_marketplace.py::test_an_expired_offer_is_not_accepted_but_paid_back",
    ),
    change(
        "market-native-payment-not-checked",
        MARKET,
        'assert msg.value == amount, "marketplace: wrong payment"',
        "pass",
        "Tokens are bought with the money that others have paid in",
        "test_spark_marketplace.py::test_a_buyer_sends_exactly_the_price",
    ),
    removal(
        "market-coin-sent-along-is-kept",
        MARKET,
        '        assert msg.value == 0, "marketplace: wrong payment"\n',
        "Coin sent along with a payment in SPARK is nobody's",
        "test_spark_marketplace.py::test_a_buyer_sends_exactly_the_price",
    ),
    removal(
        "market-offer-taken-again",
        MARKET,
        "    self._offers[collection][token_id][buyer] = 0\n",
        "An offer is accepted and cancelled with the others' money",
        "test_spark_marketplace.py::test_the_owner_accepts_an_offer",
    ),
    removal(
        "market-credit-paid-again",
        MARKET,
        "    self.creditOf[account][currency] = 0\n",
        "A credit is paid again and again out of the others'",
        "test_spark_marketplace.py::test_a_credit_is_paid_by_anybody_s_call",
    ),
    change(
        "market-royalty-unclamped",
        MARKET,
        "royalty: uint256 = min(asked, price * maximumFeeAndRoyaltyBps // BASIS_POINTS - fee)",
        "royalty: uint256 = asked",
        "A collection takes the seller's whole price",
        "attacks/test_nft_attacks.py::test_malicious_royalty_above_the_price_is_clamped_to_half_of_it",
    ),
    change(
        "market-fee-rounds-down",
        MARKET,
        "fee: uint256 = self._ceil_div(price * fee_bps, BASIS_POINTS)",
        "fee: uint256 = price * fee_bps // BASIS_POINTS",
        "The platform loses a wei a sale",
        "test_spark_marketplace.py::test_a_split_adds_up_and_rounds_the_fee_up_and_the_royalty_down",
    ),
    change(
        "market-pushes-refunds",
        MARKET,
        "        self.creditOf[auction.bidder][currency] += refund\n",
        '        raw_call(auction.bidder, b"", value=refund)\n',
        "A bidder that refuses its refund keeps everybody from outbidding it",
        "attacks/test_nft_attacks.py::test_refusing_receiver_of_a_bid_s_refund_keeps_nobody_from_outbidding",
    ),
    change(
        "market-starving-a-royalty",
        MARKET,
        "        gas=msg.gas // 2,\n",
        "        gas=min(msg.gas // 2, 1_000),\n",
        "An honest royalty that needs more gas is not paid",
        "attacks/test_nft_attacks.py::test_starving_an_honest_royalty_of_gas_starves_the_sale",
    ),
    removal(
        "market-royalty-for-no-address",
        MARKET,
        "    if receiver == 0 or receiver > MAXIMUM_ADDRESS:\n        return empty(address), 0\n",
        "A malformed royalty answer makes a collection unsaleable",
        "attacks/test_nft_attacks.py::test_malicious_royalty_that_is_no_answer_counts_as_none",
    ),
    change(
        "market-bid-sniping",
        MARKET,
        "max(terms.time, block.timestamp + bidExtension)",
        "terms.time",
        "A bid in the last second cannot be answered",
        "attacks/test_nft_attacks.py::test_bid_sniping_leaves_the_others_time_to_answer",
    ),
    removal(
        "market-settled-before-the-end",
        MARKET,
        '    assert block.timestamp >= terms.time, "marketplace: auction runs"\n',
        "The first bidder ends the auction",
        "test_spark_marketplace.py::test_an_auction_is_not_settled_before_its_end",
    ),
    removal(
        "market-second-auction",
        MARKET,
        '    assert self._auctions[collection][tokenId].seller == empty(address), "marketplace: auction exists"\n',
        "A second auction of the same token forgets the bid of the first",
        "attacks/test_nft_attacks.py::test_a_collection_that_seizes_the_token_makes_nobody_forget_a_bid",
    ),
    change(
        "market-pays-before-the-books",
        MARKET,
        "    self._collect(currency, price)\n    self._deliver(collection, tokenId, listing.seller, msg.sender)\n",
        "    self._collect(currency, price)\n    self._deliver(collection, tokenId, listing.seller, msg.sender)\n"
        "    self._listings[collection][tokenId] = empty(PackedListing)\n",
        "Books are written after the collection was called",
        "test_effects_order.py::test_the_marketplace_writes_before_it_calls",
    ),
    removal(
        "market-without-lock",
        MARKET,
        "# pragma nonreentrancy on\n",
        "The marketplace is used and read in the middle of a sale",
        "attacks/test_nft_attacks.py::test_reentrancy_through_a_collection_s_transfer",
    ),
    change(
        "access-anybody-grants",
        ACCESS,
        "    access_control._check_role(ACCESS_ROLE, msg.sender)\n    assert user != empty(address)",
        "    assert user != empty(address)",
        "Anybody opens whatever it likes",
        "test_content_access.py::test_only_the_access_role_grants",
    ),
    change(
        "access-grant-for-ever",
        ACCESS,
        "return self._grants[user][piece] > block.timestamp",
        "return self._grants[user][piece] != 0",
        "A grant outlives its end",
        "test_content_access.py::test_a_grant_opens_a_piece_until_it_expires",
    ),
    change(
        "access-borrowed-coins-commit",
        ACCESS,
        "return coin != empty(address) and self._staked(coin, user) >= rule.minimumCoinHolding",
        "return coin != empty(address) and"
        " self._staked(coin, user) + staticcall IERC20(coin).balanceOf(user) >= rule.minimumCoinHolding",
        "Coins borrowed for one transaction let money follow",
        "attacks/test_nft_attacks.py::test_flash_borrowed_coins_give_no_committed_access",
    ),
)
