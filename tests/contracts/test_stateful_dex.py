"""C11 and C12: the exchange under random sequences of all that anybody can do to it (titanoboa and hypothesis)."""

import random
from typing import Any

import boa
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.contracts import pricing, safeguards
from tests.contracts.boa_system import SUPPLY, System, deploy_system
from tests.contracts.conftest import COIN, FOREVER, WIDEST_SAFEGUARDS, ZERO_ADDRESS
from tests.contracts.profiles import PROFILES, STATEFUL

TOKENS = 2
RANDOM_TRADES = 10_000 if STATEFUL is PROFILES["audit"] else 500

# From dust to more than the pool holds, and, most of the time, about what the limits allow.
amounts = st.one_of(
    st.integers(min_value=1, max_value=10_000),
    st.integers(min_value=1, max_value=10**24),
    st.integers(min_value=10**15, max_value=10**21),
)
ppm = st.one_of(st.integers(min_value=1, max_value=1_000_000), st.integers(min_value=1_000, max_value=60_000))
tokens = st.integers(min_value=0, max_value=TOKENS - 1)
actors = st.integers(min_value=0, max_value=2)
fractions = st.integers(min_value=1, max_value=1_000)
settings_within_bounds = st.builds(
    safeguards.Settings,
    *(
        st.integers(min_value=least, max_value=most)
        for least, most in zip(safeguards.NARROWEST, safeguards.WIDEST, strict=True)
    ),
)


class Exchange(RuleBasedStateMachine):
    """Three traders, the first of whom holds most of both tokens, and two pools, watched by a model of the safeguards.

    What is donated past the contract's functions is counted apart.
    """

    system: System

    def __init__(self) -> None:
        super().__init__()
        self.dex, self.tokens = self.system.dex, self.system.tokens
        self.actors, self.recipients, self.owner = self.system.actors, self.system.recipients, self.dex.owner()
        self.settings = safeguards.Settings()
        self.pools: list[safeguards.Pool] = []
        self.last_actor = 0
        self.donated_native = 0
        self.donated_tokens = [0] * TOKENS
        self.products = [0] * TOKENS
        self.share_values = [0] * TOKENS
        self.anchor = boa.env.anchor()
        self.anchor.__enter__()

    @initialize(seeds=st.lists(st.tuples(amounts, amounts), min_size=TOKENS, max_size=TOKENS))
    def create_pools(self, seeds: list[tuple[int, int]]) -> None:
        for index, (token, seed) in enumerate(zip(self.tokens, seeds, strict=True)):
            for actor in self.actors:
                token.approve(self.dex, FOREVER, sender=actor)
            for actor in self.actors[1:]:
                token.transfer(actor, SUPPLY * 49 // 1_000, sender=self.actors[0])
            native, amount = (max(part, 2_000) for part in seed)
            self._fund(self.actors[0], native)
            self.dex.createPool(token, amount, self.actors[0], value=native, sender=self.actors[0])
            self.pools.append(safeguards.opened(native, amount, self._now()))
            self._remember(index)

    def teardown(self) -> None:
        self.anchor.__exit__(None, None, None)

    @rule(token=tokens, actor=actors, native=amounts)
    def buy(self, token: int, actor: int, native: int) -> None:
        self._buy(token, actor, native)

    @rule(token=tokens, actor=actors, part=ppm)
    def buy_part(self, token: int, actor: int, part: int) -> None:
        self._buy(token, actor, max(1, self.dex.reserves(self.tokens[token])[0] * part // 1_000_000))

    @rule(token=tokens, actor=actors, amount=amounts)
    def sell(self, token: int, actor: int, amount: int) -> None:
        self._sell(token, actor, amount)

    @rule(token=tokens, actor=actors, part=ppm)
    def sell_part(self, token: int, actor: int, part: int) -> None:
        self._sell(token, actor, max(1, self.dex.reserves(self.tokens[token])[1] * part // 1_000_000))

    @rule(token=tokens, actor=actors, native=amounts)
    def add(self, token: int, actor: int, native: int) -> None:
        self._fund(self.actors[actor], native)
        native_reserve, token_reserve = self.dex.reserves(self.tokens[token])
        shares = native * self.dex.totalShares(self.tokens[token]) // native_reserve
        needed = -(-native * token_reserve // native_reserve)
        call = (self.tokens[token], needed, shares, FOREVER)
        broke = shares == 0 or needed > self.tokens[token].balanceOf(self.actors[actor])
        if broke or self.pools[token].paused:
            with boa.reverts(*(() if broke else ("dex: pool paused",))):
                self.dex.addLiquidity(*call, value=native, sender=self.actors[actor])
            return
        assert self.dex.addLiquidity(*call, value=native, sender=self.actors[actor]) == shares
        self._follow_liquidity(token, native_reserve, token_reserve)
        self._product_did_not_fall(token)

    @rule(token=tokens, actor=actors, permille=fractions)
    def remove(self, token: int, actor: int, permille: int) -> None:
        shares = self.dex.sharesOf(self.tokens[token], self.actors[actor]) * permille // 1_000
        if shares == 0:
            return
        before = self.dex.reserves(self.tokens[token])
        self.dex.removeLiquidity(self.tokens[token], shares, 0, 0, FOREVER, sender=self.actors[actor])
        self._follow_liquidity(token, *before)
        self._remember(token)

    @rule(token=tokens)
    def withdraw_fees(self, token: int) -> None:
        recipient = self.recipients[token]
        due = self.dex.platformFeesDue(recipient)
        if due == 0:
            return
        before = boa.env.get_balance(recipient)
        self.dex.withdrawPlatformFees(recipient)
        assert boa.env.get_balance(recipient) == before + due

    @rule(token=tokens, rate=st.integers(min_value=0, max_value=1_000))
    def change_fee(self, token: int, rate: int) -> None:
        self.tokens[token].setPlatformFeeRate(rate, sender=self.recipients[token])

    @rule(token=tokens)
    def pause_or_unpause(self, token: int) -> None:
        call = self.dex.unpausePool if self.pools[token].paused else self.dex.pausePool
        call(self.tokens[token], sender=self.owner)
        self.pools[token].paused = not self.pools[token].paused

    @rule(token=tokens, actor=actors, seconds=st.integers(min_value=1, max_value=30 * safeguards.DAY))
    def exempt(self, token: int, actor: int, seconds: int) -> None:
        until = self._now() + seconds
        self.dex.grantExemption(self.actors[actor], self.tokens[token], until, sender=self.owner)
        self._account(token, actor).exempt_until = until

    @rule(settings=st.one_of(settings_within_bounds, st.just(safeguards.Settings())))
    def change_safeguards(self, settings: safeguards.Settings) -> None:
        self.dex.setSafeguards(tuple(settings), sender=self.owner)
        self.settings = settings

    @rule(native=amounts)
    def donate_native(self, native: int) -> None:
        boa.env.set_balance(self.dex.address, boa.env.get_balance(self.dex.address) + native)
        self.donated_native += native

    @rule(token=tokens, amount=amounts)
    def donate_tokens(self, token: int, amount: int) -> None:
        if self.tokens[token].balanceOf(self.actors[0]) < amount:
            return
        self.tokens[token].transfer(self.dex, amount, sender=self.actors[0])
        self.donated_tokens[token] += amount

    @rule(seconds=st.one_of(st.integers(min_value=1, max_value=600), st.integers(1, safeguards.DAY)), token=tokens)
    def wait(self, seconds: int, token: int) -> None:
        price = self.dex.spotPrice(self.tokens[token])
        before = self.dex.cumulativePrice(self.tokens[token])
        boa.env.time_travel(seconds=seconds)
        after = self.dex.cumulativePrice(self.tokens[token])
        assert after.cumulative - before.cumulative == price * (after.timestamp - before.timestamp)

    @invariant()
    def it_holds_exactly_reserves_and_fees_due(self) -> None:
        owed = sum(self.dex.reserves(token)[0] for token in self.tokens)
        owed += sum(self.dex.platformFeesDue(recipient) for recipient in self.recipients)
        assert boa.env.get_balance(self.dex.address) == owed + self.donated_native
        for token, donated in zip(self.tokens, self.donated_tokens, strict=True):
            assert token.balanceOf(self.dex) == self.dex.reserves(token)[1] + donated

    @invariant()
    def shares_add_up(self) -> None:
        for token in self.tokens:
            held = sum(self.dex.sharesOf(token, owner) for owner in (ZERO_ADDRESS, *self.actors))
            assert held == self.dex.totalShares(token)
            assert self.dex.sharesOf(token, ZERO_ADDRESS) == 1_000

    @invariant()
    def a_share_never_loses_value(self) -> None:
        for index, token in enumerate(self.tokens):
            native, tokens_held = self.dex.reserves(token)
            scale = 10**60  # product per share squared, in integers
            value = native * tokens_held * scale // self.dex.totalShares(token) ** 2
            assert value >= self.share_values[index]
            self.share_values[index] = value

    @invariant()
    def no_pool_runs_dry(self) -> None:
        for token in self.tokens:
            assert min(self.dex.reserves(token)) > 0

    @invariant()
    def limits_are_told_as_they_are(self) -> None:
        now = self._now()
        for index, token in enumerate(self.tokens):
            pool, (native, held) = self.pools[index], self.dex.reserves(token)
            safeguards.turn(pool, native, held, now)
            account = self._account(index, self.last_actor)
            limits = self.dex.getTradingLimits(self.actors[self.last_actor], token)
            flow = account.flow if account.day == now // safeguards.DAY else 0
            assert (limits.accountNetFlow, limits.poolNetFlow) == (flow, native - pool.day_reserve)
            assert limits.accountDailyLimit == pool.day_reserve * self.settings.account_daily // 10_000
            assert limits.poolDailyLimit == pool.day_reserve * self.settings.pool_daily // 10_000
            assert limits.breakerUntil == pool.halted_until
            assert (limits.cooldownUntil, limits.exemptUntil) == (account.cooldown_until, account.exempt_until)
            assert limits.resetsAt == (now // safeguards.DAY + 1) * safeguards.DAY

    def _buy(self, token: int, actor: int, native: int) -> None:
        reserves: tuple[int, int] = self.dex.reserves(self.tokens[token])
        rate = self.tokens[token].platformFeeRate()
        expected = pricing.tokens_out(native, *reserves, rate)
        assert self.dex.getTokensOut(self.tokens[token], native) == expected
        self._fund(self.actors[actor], native)
        before = self.tokens[token].balanceOf(self.actors[actor])
        trade = safeguards.Trade(
            *reserves,
            reserves[0] + native - pricing.platform_fee(native, rate),
            reserves[1] - expected,
            before + expected,
            self.tokens[token].totalSupply(),
        )
        refused = self._refusal(token, actor, trade, "dex: amount too small" if expected == 0 else None)
        if refused:
            with boa.reverts(refused):
                self.dex.buyTokens(self.tokens[token], 0, value=native, sender=self.actors[actor])
            return
        self.dex.buyTokens(self.tokens[token], expected, value=native, sender=self.actors[actor])
        assert self.tokens[token].balanceOf(self.actors[actor]) == before + expected
        self._follow_trade(token, actor, trade)

    def _sell(self, token: int, actor: int, amount: int) -> None:
        reserves: tuple[int, int] = self.dex.reserves(self.tokens[token])
        rate = self.tokens[token].platformFeeRate()
        expected, fee = pricing.native_out(amount, *reserves, rate)
        assert self.dex.getNativeOut(self.tokens[token], amount) == expected
        held = self.tokens[token].balanceOf(self.actors[actor])
        trade = safeguards.Trade(*reserves, reserves[0] - expected - fee, reserves[1] + amount, 0, 0)
        refused = self._refusal(token, actor, trade, "dex: amount too small" if expected == 0 else None)
        if refused is None and held < amount:
            refused = "erc20: transfer amount exceeds balance"
        if refused:
            with boa.reverts(refused):
                self.dex.sellTokens(self.tokens[token], amount, 0, sender=self.actors[actor])
            return
        before = boa.env.get_balance(self.actors[actor])
        self.dex.sellTokens(self.tokens[token], amount, expected, sender=self.actors[actor])
        assert boa.env.get_balance(self.actors[actor]) == before + expected
        self._follow_trade(token, actor, trade)

    def _refusal(self, token: int, actor: int, trade: safeguards.Trade, pricing_refusal: str | None) -> str | None:
        self.last_actor = actor
        pool, now = self.pools[token], self._now()
        safeguards.turn(pool, trade.native, trade.tokens, now)
        return (
            safeguards.closed(pool, now)
            or pricing_refusal
            or safeguards.refusal(self.settings, pool, self._account(token, actor), trade, now)
        )

    def _follow_trade(self, token: int, actor: int, trade: safeguards.Trade) -> None:
        events = [type(event).__name__ for event in self.dex.get_logs()]
        large, tripped = safeguards.record(
            self.settings, self.pools[token], self._account(token, actor), trade, self._now()
        )
        assert ("WhaleTrade" in events, "CircuitBreakerTripped" in events) == (large, tripped)
        assert self.dex.reserves(self.tokens[token]) == (trade.native_after, trade.tokens_after)
        self._product_did_not_fall(token)

    def _follow_liquidity(self, token: int, native: int, held: int) -> None:
        safeguards.turn(self.pools[token], native, held, self._now())
        safeguards.scale(self.pools[token], native, self.dex.reserves(self.tokens[token])[0])

    def _account(self, token: int, actor: int) -> safeguards.Account:
        return self.pools[token].accounts.setdefault(self.actors[actor], safeguards.Account())

    def _now(self) -> int:
        now: int = boa.env.evm.patch.timestamp
        return now

    def _fund(self, account: Any, native: int) -> None:
        boa.env.set_balance(account, boa.env.get_balance(account) + native)

    def _remember(self, token: int) -> None:
        native, held = self.dex.reserves(self.tokens[token])
        self.products[token] = native * held

    def _product_did_not_fall(self, token: int) -> None:
        before = self.products[token]
        self._remember(token)
        assert self.products[token] >= before


def test_the_exchange_stays_solvent_and_within_its_limits_whatever_is_done_to_it() -> None:
    with boa.env.anchor():
        deployed = type("DeployedExchange", (Exchange,), {"system": deploy_system()})
        run_state_machine_as_test(deployed, settings=STATEFUL)


@pytest.mark.parametrize("safeguards_set", [None, WIDEST_SAFEGUARDS], ids=["as deployed", "widest"])
def test_quotes_equal_execution_to_the_wei(safeguards_set: tuple[int, ...] | None) -> None:
    dice = random.Random(2_026)
    with boa.env.anchor():
        system = deploy_system()
        dex, traders = system.dex, system.actors
        if safeguards_set:
            dex.setSafeguards(safeguards_set, sender=dex.owner())
        for token, (native, held) in zip(system.tokens, ((COIN, 7 * 10**25 + 1), (10**4 * COIN, 10**26)), strict=True):
            for trader in traders:
                token.approve(dex, FOREVER, sender=trader)
                boa.env.set_balance(trader, 10**30)
            dex.createPool(token, held, traders[0], value=native, sender=traders[0])
            for trader in traders[1:]:
                token.transfer(trader, SUPPLY // 25, sender=traders[0])
        executed = refused = 0
        while executed < RANDOM_TRADES // 2:
            index = dice.randrange(TOKENS)
            if dice.random() < 0.01:
                system.tokens[index].setPlatformFeeRate(dice.randrange(1_001), sender=system.recipients[index])
            boa.env.time_travel(seconds=int(10 ** dice.uniform(0, 5)))
            part = 10 ** dice.uniform(-12, -0.5)  # of a reserve
            trade = _buy_at_its_quote if dice.random() < 0.5 else _sell_at_its_quote
            if trade(dex, system.tokens[index], dice.choice(traders), part):
                executed += 1
            else:
                refused += 1
        assert refused > 0 or safeguards_set


def _buy_at_its_quote(dex: Any, token: Any, trader: Any, part: float) -> bool:
    """Buy for that part of the native reserve; returns whether the limits let it through, as they were told before."""
    native = int(dex.reserves(token).native * part)
    quote, limits = dex.getTokensOut(token, native), dex.getTradingLimits(trader, token)
    kept = native - pricing.platform_fee(native, token.platformFeeRate())
    within = kept <= limits.nativeInLeft and quote <= min(limits.tokensOutPerTrade, limits.holdingLeft)
    if quote == 0 or limits.purchaseRefusal or not within:
        with boa.reverts():
            dex.buyTokens(token, 0, value=native, sender=trader)
        return False
    before = token.balanceOf(trader)
    assert dex.buyTokens(token, quote, value=native, sender=trader) == quote
    assert token.balanceOf(trader) - before == quote
    return True


def _sell_at_its_quote(dex: Any, token: Any, trader: Any, part: float) -> bool:
    """Sell that part of the token reserve; returns whether the limits let it through, as they were told before."""
    native, held = dex.reserves(token)
    before = token.balanceOf(trader)
    amount = min(int(held * part), before)
    quote, limits = dex.getNativeOut(token, amount), dex.getTradingLimits(trader, token)
    paid, fee = pricing.native_out(amount, native, held, token.platformFeeRate())
    within = paid + fee <= min(limits.nativeOutLeft, limits.nativeOutPerTrade)
    if quote == 0 or limits.saleRefusal or not within:
        with boa.reverts():
            dex.sellTokens(token, amount, 0, sender=trader)
        return False
    funds = boa.env.get_balance(trader)
    assert dex.sellTokens(token, amount, quote, sender=trader) == quote
    assert boa.env.get_balance(trader) - funds == quote
    assert before - token.balanceOf(trader) == amount
    return True


def test_the_days_reserve_never_outgrows_its_bits() -> None:
    with boa.env.anchor():
        system = deploy_system()
        dex, token, provider = system.dex, system.tokens[0], system.actors[0]
        dex.setSafeguards(WIDEST_SAFEGUARDS, sender=dex.owner())
        token.approve(dex, FOREVER, sender=provider)
        boa.env.set_balance(provider, 2**109)
        dex.createPool(token, 10**4, provider, value=10**12, sender=provider)
        dex.sellTokens(token, 5_000, 0, sender=provider)  # the day's reserve is now half as much again as the reserve
        native = dex.reserves(token).native
        dex.addLiquidity(token, FOREVER, 0, FOREVER, value=safeguards.MAXIMUM_RESERVE - native, sender=provider)

        limits = dex.getTradingLimits(provider, token)
        assert limits.poolDailyLimit == safeguards.MAXIMUM_RESERVE
        assert (limits.paused, limits.breakerUntil) == (False, 0)
