"""C2 and C5: CreatorToken and its staking under random sequences of calls and waits (titanoboa and hypothesis)."""

from dataclasses import dataclass

import boa
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.contracts.boa_system import SUPPLY, System, deploy_system
from tests.contracts.conftest import COIN, FOREVER, YEAR
from tests.contracts.profiles import STATEFUL

MINIMUM = 100 * COIN
MAXIMUM_SUPPLY = 2 * SUPPLY

actors = st.integers(min_value=0, max_value=2)
permilles = st.integers(min_value=0, max_value=1_000)
waits = st.one_of(
    st.integers(min_value=1, max_value=86_400),
    st.integers(min_value=YEAR - 2, max_value=YEAR + 2),
)


@dataclass
class Position:
    """What the model believes of one stake; times in unix seconds."""

    amount: int
    staked_at: int
    last_claimed: int
    total_rewards: int = 0


class Staking(RuleBasedStateMachine):
    """Three holders of one token, against a model that knows the terms and not the code."""

    system: System

    def __init__(self) -> None:
        super().__init__()
        self.token = self.system.tokens[0]
        self.actors = self.system.actors
        self.supply = SUPPLY
        self.positions: dict[int, Position] = {}
        self.anchor = boa.env.anchor()
        self.anchor.__enter__()

    @initialize(stakes=st.lists(st.sampled_from((0, 500, 1_000)), min_size=3, max_size=3))
    def share_out_and_stake(self, stakes: list[int]) -> None:
        for account in self.actors[1:]:  # the first keeps most: its rewards alone can reach the maximum supply
            self.token.transfer(account, SUPPLY // 100, sender=self.actors[0])
        for actor, permille in enumerate(stakes):
            self.stake(actor, permille)

    def teardown(self) -> None:
        self.anchor.__exit__(None, None, None)

    @rule(actor=actors, permille=st.one_of(permilles, st.just(1_000)))
    def stake(self, actor: int, permille: int) -> None:
        self._stake(actor, self.token.balanceOf(self.actors[actor]) * permille // 1_000)

    @rule(actor=actors, beside_the_minimum=st.sampled_from((-1, 0, 1)))
    def stake_little(self, actor: int, beside_the_minimum: int) -> None:
        self._stake(actor, MINIMUM + beside_the_minimum)

    @rule(actor=actors)
    def stake_too_much(self, actor: int) -> None:
        self._stake(actor, self.token.balanceOf(self.actors[actor]) + MINIMUM)

    @rule(actor=actors)
    def claim(self, actor: int) -> None:
        due = self._due(actor)
        if due == 0:
            with boa.reverts():
                self.token.claimRewards(sender=self.actors[actor])
            return
        before = self.token.balanceOf(self.actors[actor])
        self.token.claimRewards(sender=self.actors[actor])
        assert self.token.balanceOf(self.actors[actor]) == before + due
        position = self.positions[actor]
        position.last_claimed = self._now()
        position.total_rewards += due
        self.supply += due

    @rule(actor=actors)
    def unstake(self, actor: int) -> None:
        position = self.positions.get(actor)
        if position is None or self._now() < position.staked_at + YEAR:
            with boa.reverts():
                self.token.unstake(sender=self.actors[actor])
            return
        due = self._due(actor)
        before = self.token.balanceOf(self.actors[actor])
        self.token.unstake(sender=self.actors[actor])  # never fails once the lock is over, rewards left or not
        assert self.token.balanceOf(self.actors[actor]) == before + position.amount + due
        self.supply += due
        del self.positions[actor]

    @rule(sender=actors, receiver=actors, permille=permilles)
    def transfer(self, sender: int, receiver: int, permille: int) -> None:
        amount = self.token.balanceOf(self.actors[sender]) * permille // 1_000
        self.token.transfer(self.actors[receiver], amount, sender=self.actors[sender])

    @rule(actor=actors, permille=permilles)
    def burn(self, actor: int, permille: int) -> None:
        amount = self.token.balanceOf(self.actors[actor]) * permille // 1_000
        self.token.burn(amount, sender=self.actors[actor])
        self.supply -= amount

    @rule(seconds=waits)
    def wait(self, seconds: int) -> None:
        boa.env.time_travel(seconds=seconds)

    @rule(years=st.integers(min_value=2, max_value=15))
    def wait_for_years(self, years: int) -> None:
        """Ten years of everything staked mint all that may be minted."""
        boa.env.time_travel(seconds=years * YEAR)

    @invariant()
    def it_holds_every_stake(self) -> None:
        staked = sum(position.amount for position in self.positions.values())
        assert self.token.totalStaked() == staked
        assert self.token.balanceOf(self.token) == staked

    @invariant()
    def tokens_are_conserved(self) -> None:
        held = sum(self.token.balanceOf(holder) for holder in (*self.actors, self.token.address))
        assert self.token.totalSupply() == held == self.supply

    @invariant()
    def supply_stays_within_its_maximum(self) -> None:
        assert self.token.totalSupply() <= self.token.maximumSupply() == MAXIMUM_SUPPLY
        assert self.token.rewardsRemaining() == MAXIMUM_SUPPLY - self.supply

    @invariant()
    def positions_are_as_the_model_says(self) -> None:
        for index, account in enumerate(self.actors):
            position = self.positions.get(index, Position(0, 0, 0))
            assert self.token.calculateRewards(account) == self._due(index)
            assert self.token.stakingInfo(account) == (
                position.amount,
                position.staked_at,
                position.last_claimed,
                position.total_rewards,
            )

    @invariant()
    def the_runway_counts_what_is_earned_already(self) -> None:
        staked = sum(position.amount for position in self.positions.values())
        if staked == 0:
            assert self.token.rewardsRunway() == FOREVER
            return
        earned = sum(position.amount * (self._now() - position.last_claimed) for position in self.positions.values())
        left = (MAXIMUM_SUPPLY - self.supply) * 10 * YEAR - earned
        assert self.token.rewardsRunway() == max(left // staked, 0)

    def _stake(self, actor: int, amount: int) -> None:
        balance = self.token.balanceOf(self.actors[actor])
        if amount < MINIMUM or actor in self.positions or amount > balance:
            with boa.reverts():
                self.token.stake(amount, sender=self.actors[actor])
            return
        self.token.stake(amount, sender=self.actors[actor])
        self.positions[actor] = Position(amount, self._now(), self._now())

    def _due(self, actor: int) -> int:
        position = self.positions.get(actor)
        if position is None:
            return 0
        earned = position.amount * (self._now() - position.last_claimed) // (10 * YEAR)
        return min(earned, MAXIMUM_SUPPLY - self.supply)

    def _now(self) -> int:
        now: int = boa.env.evm.patch.timestamp
        return now


def test_staking_stays_solvent_and_within_the_maximum_supply() -> None:
    with boa.env.anchor():
        deployed = type("DeployedStaking", (Staking,), {"system": deploy_system()})
        run_state_machine_as_test(deployed, settings=STATEFUL)
