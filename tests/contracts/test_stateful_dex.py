"""IntegratedCreatorDEX under random sequences of everything that anybody can do to it (titanoboa and hypothesis)."""

from typing import Any

import boa
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.contracts import pricing
from tests.contracts.boa_system import STATEFUL, SUPPLY, System, deploy_system
from tests.contracts.conftest import FOREVER, ZERO_ADDRESS

TOKENS = 2

# From dust to more than the pool holds.
amounts = st.one_of(
    st.integers(min_value=1, max_value=10_000),
    st.integers(min_value=1, max_value=10**24),
    st.integers(min_value=10**15, max_value=10**21),
)
tokens = st.integers(min_value=0, max_value=TOKENS - 1)
actors = st.integers(min_value=0, max_value=2)
fractions = st.integers(min_value=1, max_value=1_000)


class Exchange(RuleBasedStateMachine):
    """Three traders and two pools; what is donated past the contract's functions is counted apart."""

    system: System

    def __init__(self) -> None:
        super().__init__()
        self.dex, self.tokens = self.system.dex, self.system.tokens
        self.actors, self.recipients = self.system.actors, self.system.recipients
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
                token.transfer(actor, SUPPLY // 3, sender=self.actors[0])
            native, amount = (max(part, 2_000) for part in seed)
            self._fund(self.actors[0], native)
            self.dex.createPool(token, amount, self.actors[0], value=native, sender=self.actors[0])
            self._remember(index)

    def teardown(self) -> None:
        self.anchor.__exit__(None, None, None)

    @rule(token=tokens, actor=actors, native=amounts)
    def buy(self, token: int, actor: int, native: int) -> None:
        native_reserve, token_reserve = self.dex.reserves(self.tokens[token])
        rate = self.tokens[token].platformFeeRate()
        expected = pricing.tokens_out(native, native_reserve, token_reserve, rate)
        assert self.dex.getTokensOut(self.tokens[token], native) == expected
        self._fund(self.actors[actor], native)
        if expected == 0:
            with boa.reverts("dex: amount too small"):
                self.dex.buyTokens(self.tokens[token], 0, value=native, sender=self.actors[actor])
            return
        before = self.tokens[token].balanceOf(self.actors[actor])
        self.dex.buyTokens(self.tokens[token], expected, value=native, sender=self.actors[actor])
        assert self.tokens[token].balanceOf(self.actors[actor]) == before + expected
        self._product_did_not_fall(token)

    @rule(token=tokens, actor=actors, amount=amounts)
    def sell(self, token: int, actor: int, amount: int) -> None:
        native_reserve, token_reserve = self.dex.reserves(self.tokens[token])
        rate = self.tokens[token].platformFeeRate()
        expected, _ = pricing.native_out(amount, native_reserve, token_reserve, rate)
        assert self.dex.getNativeOut(self.tokens[token], amount) == expected
        if expected == 0 or self.tokens[token].balanceOf(self.actors[actor]) < amount:
            with boa.reverts():
                self.dex.sellTokens(self.tokens[token], amount, 0, sender=self.actors[actor])
            return
        before = boa.env.get_balance(self.actors[actor])
        self.dex.sellTokens(self.tokens[token], amount, expected, sender=self.actors[actor])
        assert boa.env.get_balance(self.actors[actor]) == before + expected
        self._product_did_not_fall(token)

    @rule(token=tokens, actor=actors, native=amounts)
    def add(self, token: int, actor: int, native: int) -> None:
        self._fund(self.actors[actor], native)
        native_reserve, token_reserve = self.dex.reserves(self.tokens[token])
        shares = native * self.dex.totalShares(self.tokens[token]) // native_reserve
        needed = -(-native * token_reserve // native_reserve)
        call = (self.tokens[token], needed, shares, FOREVER)
        if shares == 0 or needed > self.tokens[token].balanceOf(self.actors[actor]):
            with boa.reverts():
                self.dex.addLiquidity(*call, value=native, sender=self.actors[actor])
            return
        assert self.dex.addLiquidity(*call, value=native, sender=self.actors[actor]) == shares
        self._product_did_not_fall(token)

    @rule(token=tokens, actor=actors, permille=fractions)
    def remove(self, token: int, actor: int, permille: int) -> None:
        shares = self.dex.sharesOf(self.tokens[token], self.actors[actor]) * permille // 1_000
        if shares == 0:
            return
        self.dex.removeLiquidity(self.tokens[token], shares, 0, 0, FOREVER, sender=self.actors[actor])
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

    @rule(seconds=st.integers(min_value=1, max_value=86_400), token=tokens)
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

    def _fund(self, account: Any, native: int) -> None:
        boa.env.set_balance(account, boa.env.get_balance(account) + native)

    def _remember(self, token: int) -> None:
        native, held = self.dex.reserves(self.tokens[token])
        self.products[token] = native * held

    def _product_did_not_fall(self, token: int) -> None:
        before = self.products[token]
        self._remember(token)
        assert self.products[token] >= before


def test_the_exchange_stays_solvent_whatever_is_done_to_it() -> None:
    with boa.env.anchor():
        deployed = type("DeployedExchange", (Exchange,), {"system": deploy_system()})
        run_state_machine_as_test(deployed, settings=STATEFUL)
