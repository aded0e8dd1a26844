"""Mutants of the exchange and its safeguards."""

from typing import Final

from .mutant import Mutant, change, removal

DEX: Final = "exchange/IntegratedCreatorDEX.vy"
LIMITS: Final = "modules/trading_limits.vy"

MUTANTS: Final[tuple[Mutant, ...]] = (
    removal(
        "dex-pool-of-any-token",
        DEX,
        '    assert staticcall registry.isCreatorToken(token), "dex: unknown token"\n',
        "Tokens that take fees or call back get pools",
        "test_integrated_creator_dex.py::test_only_registered_tokens_have_pools",
    ),
    removal(
        "dex-pool-opened-again",
        DEX,
        '    assert self._packed_pools[token] == 0, "dex: pool exists"\n',
        "A second opening overwrites the reserves of the first",
        "test_integrated_creator_dex.py::test_a_token_has_one_pool",
    ),
    removal(
        "dex-unlocked-minimum-liquidity",
        DEX,
        "    self.sharesOf[token][empty(address)] = minimumLiquidity\n",
        "Locked shares belong to nobody at all, and the shares no longer add up",
        "test_integrated_creator_dex.py::test_a_pool_opens_with_what_its_creator_brings",
    ),
    change(
        "dex-opener-owns-the-minimum-liquidity",
        DEX,
        "shares: uint256 = total - minimumLiquidity",
        "shares: uint256 = total",
        "The opener can empty the pool and make the next shares dear",
        "test_integrated_creator_dex.py::test_a_pool_opens_with_what_its_creator_brings",
    ),
    change(
        "dex-deadline-ignored",
        DEX,
        'assert block.timestamp <= deadline, "dex: deadline passed"',
        "pass",
        "A transaction that waited for days trades at another time's price",
        "test_integrated_creator_dex.py::test_adding_keeps_to_the_callers_limits",
    ),
    removal(
        "dex-purchase-below-its-minimum",
        DEX,
        '    assert tokens_out >= minTokensOut, "dex: slippage exceeded"\n',
        "A buyer is sandwiched",
        "test_integrated_creator_dex.py::test_buying_keeps_to_the_callers_limits",
    ),
    removal(
        "dex-sale-below-its-minimum",
        DEX,
        '    assert native_out >= minNativeOut, "dex: slippage exceeded"\n',
        "A seller is sandwiched",
        "test_integrated_creator_dex.py::test_selling_keeps_to_the_callers_limits",
    ),
    removal(
        "dex-deposit-below-its-minimum",
        DEX,
        '    assert shares >= minShares and token_amount <= tokenAmountMax, "dex: slippage exceeded"\n',
        "A provider pays in at a price moved against it",
        "test_integrated_creator_dex.py::test_adding_keeps_to_the_callers_limits",
    ),
    removal(
        "dex-withdrawal-below-its-minimum",
        DEX,
        '    assert native_amount >= minNative and token_amount >= minTokens, "dex: slippage exceeded"\n',
        "A provider is paid out at a price moved against it",
        "test_integrated_creator_dex.py::test_removing_keeps_to_the_callers_limits",
    ),
    change(
        "dex-deposit-rounds-tokens-down",
        DEX,
        "token_amount: uint256 = self._ceil_div(msg.value * pool.token, pool.native)",
        "token_amount: uint256 = msg.value * pool.token // pool.native",
        "A provider brings less than its part",
        "test_integrated_creator_dex.py::test_adding_rounds_tokens_up_and_shares_down",
    ),
    change(
        "dex-deposit-rounds-shares-up",
        DEX,
        "shares: uint256 = msg.value * total // pool.native",
        "shares: uint256 = self._ceil_div(msg.value * total, pool.native)",
        "A provider receives more than its part, from the others",
        "test_integrated_creator_dex.py::test_adding_rounds_tokens_up_and_shares_down",
    ),
    change(
        "dex-withdrawal-rounds-up",
        DEX,
        "native_amount: uint256 = shares * pool.native // total",
        "native_amount: uint256 = self._ceil_div(shares * pool.native, total)",
        "A provider is paid more than its part, by the others",
        "test_integrated_creator_dex.py::test_removing_rounds_both_amounts_down",
    ),
    change(
        "dex-fee-rounds-down",
        DEX,
        "(native_amount * rate + BASIS_POINTS - 1) // BASIS_POINTS",
        "(native_amount * rate) // BASIS_POINTS",
        "Small trades pay no fee",
        "test_integrated_creator_dex.py::test_selling_pays_what_the_formula_says",
    ),
    removal(
        "dex-fees-paid-again",
        DEX,
        "    self.platformFeesDue[recipient] = 0\n",
        "The fee recipient withdraws the pools' reserves",
        "test_integrated_creator_dex.py::test_anybody_sends_fees_to_their_recipient",
    ),
    removal(
        "dex-without-lock",
        DEX,
        "# pragma nonreentrancy on\n",
        "Pools are traded and read in the middle of a trade",
        "test_attacks.py::test_reentrancy_through_the_receiver_of_the_native_coin",
    ),
    change(
        "dex-pays-fees-before-the-books",
        DEX,
        "    self.platformFeesDue[recipient] = 0\n"
        "    log PlatformFeesWithdrawn(recipient=recipient, amount=amount)\n"
        "    self._send_native(recipient, amount)\n",
        "    log PlatformFeesWithdrawn(recipient=recipient, amount=amount)\n"
        "    self._send_native(recipient, amount)\n"
        "    self.platformFeesDue[recipient] = 0\n",
        "Only the lock keeps a fee recipient from being paid twice",
        "test_effects_order.py::test_the_exchange_writes_before_it_pays",
    ),
    change(
        "dex-pays-tokens-before-the-books",
        DEX,
        "    self.totalShares[token] = total - shares\n    self.sharesOf[token][msg.sender] = held - shares\n",
        "    self.totalShares[token] = total - shares\n"
        "    extcall IERC20(token).transfer(msg.sender, 0, default_return_value=True)\n"
        "    self.sharesOf[token][msg.sender] = held - shares\n",
        "Only the lock keeps shares from being removed twice",
        "test_effects_order.py::test_the_exchange_writes_before_it_pays",
    ),
    change(
        "limits-account-unlimited",
        LIMITS,
        'assert self._is_exempt(msg.sender, token), "dex: Daily volume limit exceeded"',
        "pass",
        "One account moves a pool by as much as it likes",
        "test_trading_limits.py::test_an_account_buys_up_to_five_percent_of_the_reserve_a_day",
    ),
    removal(
        "limits-pool-purchases-unlimited",
        LIMITS,
        '        assert native_after <= unsafe_add(reserve, pool_limit), "dex: pool daily limit exceeded"\n',
        "Many accounts pump a pool in a day",
        "test_trading_limits.py::test_a_pool_takes_thirty_percent_of_its_reserve_a_day_from_any_number_of_accounts",
    ),
    removal(
        "limits-pool-sales-unlimited",
        LIMITS,
        '        assert native_after >= unsafe_sub(reserve, pool_limit), "dex: pool daily limit exceeded"\n',
        "Many accounts empty a pool in a day",
        "test_trading_limits.py::test_a_pool_gives_thirty_percent_of_its_reserve_a_day",
    ),
    removal(
        "limits-purchase-impact-unlimited",
        LIMITS,
        "        assert unsafe_mul(token_amount, BASIS_POINTS) <= unsafe_mul(tokens, maximum_impact),"
        ' "dex: price impact too high"\n',
        "One purchase takes most of a reserve",
        "test_trading_limits.py::test_no_trade_takes_more_than_its_part_of_a_reserve",
    ),
    removal(
        "limits-sale-impact-unlimited",
        LIMITS,
        "        assert unsafe_mul(native_amount, BASIS_POINTS) <= unsafe_mul(native, maximum_impact),"
        ' "dex: price impact too high"\n',
        "One sale takes most of a reserve",
        "test_trading_limits.py::test_no_trade_takes_more_than_its_part_of_a_reserve",
    ),
    change(
        "limits-cooldown-ignored",
        LIMITS,
        'assert self._is_exempt(msg.sender, token), "dex: Large trade cooldown"',
        "pass",
        "A whale trades again at once",
        "test_trading_limits.py::test_a_large_trade_is_followed_by_a_cooldown",
    ),
    change(
        "limits-holding-unlimited",
        LIMITS,
        'assert self._is_exempt(msg.sender, token), "dex: maximum holding exceeded"',
        "pass",
        "One account buys a coin up",
        "test_trading_limits.py::test_nobody_buys_beyond_five_percent_of_the_supply",
    ),
    change(
        "limits-holding-of-the-reserve-alone",
        LIMITS,
        "staticcall IERC20(token).balanceOf(msg.sender) + tokens_out",
        "tokens_out",
        "Many small purchases pass the maximum holding",
        "test_trading_limits.py::test_nobody_buys_beyond_five_percent_of_the_supply",
    ),
    change(
        "limits-gross-flow",
        LIMITS,
        "        flow -= native_amount\n",
        "        flow += native_amount\n",
        "Who buys and sells back shuts itself out, and a sale counts as a purchase",
        "test_trading_limits.py::test_the_limit_is_on_net_flow",
    ),
    change(
        "limits-exemption-for-ever",
        LIMITS,
        "return block.timestamp < self.exemptUntil[account][token]",
        "return self.exemptUntil[account][token] != 0",
        "An exemption outlives its end",
        "test_trading_limits.py::test_using_an_exemption_after_its_end",
    ),
    removal(
        "limits-exemption-without-bound",
        LIMITS,
        "    assert until > block.timestamp and until <= block.timestamp + LONGEST_EXEMPTION,"
        ' "dex: exemption out of range"\n',
        "A guardian exempts an account for ever",
        "test_trading_limits.py::test_an_exemption_ends_within_thirty_days",
    ),
    change(
        "limits-pause-without-effect",
        LIMITS,
        'assert guard & PAUSED == 0, "dex: pool paused"\n\n\n@internal\n',
        "pass\n\n\n@internal\n",
        "A paused pool trades on",
        "test_trading_limits.py::test_a_guardian_pauses_a_pool_and_ends_the_pause",
    ),
    removal(
        "limits-breaker-without-effect",
        LIMITS,
        '        assert block.timestamp >= guard >> BREAKER_UNTIL_SHIFT, "dex: circuit breaker"\n',
        "A tripped breaker stops nothing",
        "test_trading_limits.py::test_a_tripped_breaker_stops_trading_for_an_hour_and_no_longer",
    ),
    change(
        "limits-breaker-reverts",
        LIMITS,
        "        until: uint256 = block.timestamp + (settings >> BREAKER_DURATION_SHIFT)\n",
        '        assert False, "dex: circuit breaker"\n'
        "        until: uint256 = block.timestamp + (settings >> BREAKER_DURATION_SHIFT)\n",
        "The trip is undone with the trade, and the next one tries again",
        "test_trading_limits.py::test_a_trade_that_moves_the_price_by_more_than_a_quarter_completes_and_trips",
    ),
    change(
        "limits-breaker-forgets-its-pause",
        LIMITS,
        "guard = reserve | price << START_PRICE_SHIFT | until << BREAKER_UNTIL_SHIFT",
        "guard = reserve | price << START_PRICE_SHIFT",
        "The breaker is announced and stops nothing",
        "test_trading_limits.py::test_a_tripped_breaker_stops_trading_for_an_hour_and_no_longer",
    ),
    change(
        "limits-breaker-keeps-the-old-price",
        LIMITS,
        "guard = reserve | price << START_PRICE_SHIFT | until",
        "guard = reserve | start_price << START_PRICE_SHIFT | until",
        "After a pause the same movement trips again and again",
        "test_trading_limits.py::test_after_a_short_pause_the_price_is_measured_from_where_it_was_left",
    ),
    change(
        "limits-scale-rounds-to-nothing",
        LIMITS,
        "((guard & RESERVE_MASK) * native_after + native - 1) // native",
        "((guard & RESERVE_MASK) * native_after) // native",
        "A pool that was almost emptied has limits of zero for a day",
        "test_trading_limits.py::test_a_pool_that_was_almost_emptied_can_be_filled_again",
    ),
)
