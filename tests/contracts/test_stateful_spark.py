"""C7 and C16: SPARK behind its proxy under random sequences of calls, waits and upgrades (titanoboa and hypothesis)."""

import json
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import boa
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.contracts.boa_system import CONTRACTS
from tests.contracts.conftest import COIN, ZERO_ADDRESS
from tests.contracts.profiles import STATEFUL

SUPPLY = 100_000_000 * COIN
HELD = 1_000_000 * COIN
PEOPLE = 3
# Each settlement of a stake rounds a token wei away.
ROUNDING = 200

people = st.integers(min_value=0, max_value=PEOPLE - 1)
amounts = st.one_of(st.integers(min_value=1, max_value=3), st.integers(min_value=1, max_value=HELD))
rates = st.one_of(st.integers(min_value=0, max_value=3), st.integers(min_value=0, max_value=10 * COIN))
waits = st.one_of(st.integers(min_value=1, max_value=60), st.integers(min_value=1, max_value=30 * 86_400))


@dataclass(frozen=True)
class SparkSystem:
    """SPARK at its proxy, two implementations to change between, its administrator and three holders."""

    spark: Any
    implementations: list[str]
    admin: str
    accounts: list[str]


def deploy() -> SparkSystem:
    """Deploy with a tenth of a token a second, and a million tokens for each holder, who votes for itself."""
    admin = boa.env.generate_address("admin")
    accounts = [boa.env.generate_address(f"person {index}") for index in range(PEOPLE)]
    first = boa.load(str(CONTRACTS / "tokens" / "SparkToken.vy"))
    second = boa.load(str(CONTRACTS / "mocks" / "SparkTokenV2.vy"))
    initialisation = first.initialize.prepare_calldata(admin, admin, admin)
    proxy = boa.load(str(CONTRACTS / "upgrades" / "ERC1967Proxy.vy"), first.address, initialisation)
    spark = boa.loads_abi(json.dumps(first.abi)).at(proxy.address)
    for account in accounts:
        spark.transfer(account, HELD, sender=admin)
        spark.delegate(account, sender=account)
    return SparkSystem(spark, [first.address, second.address], admin, accounts)


class Spark(RuleBasedStateMachine):
    """Three stakers, against a model of the rewards in fractions."""

    system: SparkSystem

    def __init__(self) -> None:
        super().__init__()
        self.spark = self.system.spark
        self.accounts = self.system.accounts
        self.rate = COIN // 10
        self.reserve = Fraction(0)
        self.due = dict.fromkeys(range(PEOPLE), Fraction(0))
        self.settled_at = self._now()
        self.anchor = boa.env.anchor()
        self.anchor.__enter__()

    def teardown(self) -> None:
        self.anchor.__exit__(None, None, None)

    @rule(sender=people, receiver=people, amount=amounts)
    def transfer(self, sender: int, receiver: int, amount: int) -> None:
        amount = min(amount, self.spark.balanceOf(self.accounts[sender]))
        with self._unless_paused():
            self.spark.transfer(self.accounts[receiver], amount, sender=self.accounts[sender])

    @rule(staker=people, amount=amounts)
    def stake(self, staker: int, amount: int) -> None:
        amount = min(amount, self.spark.balanceOf(self.accounts[staker]))
        if amount > 0:
            self._earn()
            with self._unless_paused():
                self.spark.stake(amount, sender=self.accounts[staker])

    @rule(staker=people, amount=amounts)
    def unstake(self, staker: int, amount: int) -> None:
        amount = min(amount, self.spark.stakedBalance(self.accounts[staker]))
        if amount > 0:
            self._earn()
            self.spark.unstake(amount, sender=self.accounts[staker])

    @rule(staker=people)
    def claim(self, staker: int) -> None:
        self._earn()
        pending = self.spark.pendingRewards(self.accounts[staker])
        if pending == 0:
            with boa.reverts():
                self.spark.claimRewards(sender=self.accounts[staker])
            return
        before = self.spark.balanceOf(self.accounts[staker])
        with self._unless_paused():
            self.spark.claimRewards(sender=self.accounts[staker])
            assert self.spark.balanceOf(self.accounts[staker]) == before + pending
            self.due[staker] -= pending

    @rule(funder=people, amount=amounts)
    def fund(self, funder: int, amount: int) -> None:
        amount = min(amount, self.spark.balanceOf(self.accounts[funder]))
        if amount > 0:
            self._earn()
            with self._unless_paused():
                self.spark.fundRewards(amount, sender=self.accounts[funder])
                self.reserve += amount

    @rule(rate=rates)
    def set_rate(self, rate: int) -> None:
        self._earn()
        self.spark.setRewardRate(rate, sender=self.system.admin)
        self.rate = rate

    @rule(receiver=people, amount=amounts)
    def mint_and_burn(self, receiver: int, amount: int) -> None:
        with self._unless_paused():
            self.spark.mint(self.accounts[receiver], amount, sender=self.system.admin)
            self.spark.burn(amount // 2, sender=self.accounts[receiver])

    @rule()
    def pause_or_unpause(self) -> None:
        toggle = self.spark.unpause if self.spark.paused() else self.spark.pause
        toggle(sender=self.system.admin)

    @rule(version=st.integers(min_value=0, max_value=1))
    def change_the_code(self, version: int) -> None:
        self.spark.upgradeToAndCall(self.system.implementations[version], b"", sender=self.system.admin)

    @rule(seconds=waits)
    def wait(self, seconds: int) -> None:
        boa.env.time_travel(seconds=seconds, block_delta=1)

    @invariant()
    def all_that_is_promised_is_held(self) -> None:
        pending = sum(self.spark.pendingRewards(account) for account in self.accounts)
        promised = self.spark.totalStaked() + self.spark.rewardsRemaining() + pending
        held = self.spark.balanceOf(self.spark.address)
        assert promised <= held <= promised + ROUNDING

    @invariant()
    def stakes_add_up(self) -> None:
        staked = sum(self.spark.stakedBalance(account) for account in self.accounts)
        assert self.spark.totalStaked() == staked

    @invariant()
    def rewards_are_the_models_and_never_more(self) -> None:
        self._earn()
        for staker, due in self.due.items():
            assert due - ROUNDING <= self.spark.pendingRewards(self.accounts[staker]) <= due + ROUNDING
        assert abs(self.spark.rewardsRemaining() - self.reserve) <= ROUNDING

    @invariant()
    def tokens_are_conserved(self) -> None:
        everybody = [*self.accounts, self.system.admin, self.spark.address]
        assert sum(self.spark.balanceOf(account) for account in everybody) == self.spark.totalSupply()

    @invariant()
    def votes_are_balance_and_stake(self) -> None:
        for account in self.accounts:
            units = self.spark.balanceOf(account) + self.spark.stakedBalance(account)
            assert self.spark.getVotes(account) == units

    @invariant()
    def the_contract_and_nobody_have_no_votes(self) -> None:
        assert self.spark.getVotes(self.spark.address) == self.spark.getVotes(ZERO_ADDRESS) == 0

    @invariant()
    def the_runway_is_what_remains_at_the_rate(self) -> None:
        remaining = self.spark.rewardsRemaining()
        assert self.spark.rewardsRunway() == (remaining // self.rate if self.rate else 2**256 - 1)

    def _unless_paused(self) -> AbstractContextManager[Any]:
        return boa.reverts() if self.spark.paused() else nullcontext()

    def _earn(self) -> None:
        elapsed, self.settled_at = self._now() - self.settled_at, self._now()
        stakes = {person: self.spark.stakedBalance(self.accounts[person]) for person in range(PEOPLE)}
        total = sum(stakes.values())
        if total == 0:
            return
        earned = min(Fraction(self.rate * elapsed), self.reserve)
        self.reserve -= earned
        for person, staked in stakes.items():
            self.due[person] += earned * staked / total

    def _now(self) -> int:
        return int(boa.env.timestamp)


def test_spark_holds_its_invariants() -> None:
    with boa.env.anchor():
        deployed = type("DeployedSpark", (Spark,), {"system": deploy()})
        run_state_machine_as_test(deployed, settings=STATEFUL)
