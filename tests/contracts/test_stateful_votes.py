"""C1 and C2: votes of a token with staking under random sequences of calls and waits (titanoboa and hypothesis)."""

from dataclasses import dataclass
from typing import Any, ClassVar

import boa
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.contracts.boa_system import CONTRACTS
from tests.contracts.conftest import COIN, YEAR, ZERO_ADDRESS
from tests.contracts.profiles import STATEFUL

SUPPLY = 1_000_000 * COIN
PEOPLE = 4
NOBODY = PEOPLE

people = st.integers(min_value=0, max_value=PEOPLE - 1)
delegates = st.integers(min_value=0, max_value=NOBODY)
amounts = st.one_of(st.integers(min_value=0, max_value=3), st.integers(min_value=0, max_value=SUPPLY))
# None at all is the interesting wait: several changes in one second leave one checkpoint.
waits = st.one_of(st.just(0), st.integers(min_value=1, max_value=3), st.integers(min_value=1, max_value=YEAR))


@dataclass(frozen=True)
class Second:
    """What votes and supply were at the end of a second, by unix time and person."""

    timestamp: int
    votes: dict[int, int]
    supply: int


class Votes(RuleBasedStateMachine):
    """Four holders, against a model that adds units up from balances and stakes whenever it is asked."""

    token: Any
    accounts: ClassVar[list[Any]]

    def __init__(self) -> None:
        super().__init__()
        self.delegate_of = dict.fromkeys(range(PEOPLE), NOBODY)
        self.history: list[Second] = []
        self.anchor = boa.env.anchor()
        self.anchor.__enter__()

    def teardown(self) -> None:
        self.anchor.__exit__(None, None, None)

    @rule(sender=people, receiver=people, amount=amounts)
    def transfer(self, sender: int, receiver: int, amount: int) -> None:
        amount = min(amount, self.token.balanceOf(self.accounts[sender]))
        self.token.transfer(self.accounts[receiver], amount, sender=self.accounts[sender])

    @rule(receiver=people, amount=amounts)
    def mint(self, receiver: int, amount: int) -> None:
        self.token.mint(self.accounts[receiver], amount)

    @rule(owner=people, amount=amounts)
    def burn(self, owner: int, amount: int) -> None:
        amount = min(amount, self.token.balanceOf(self.accounts[owner]))
        self.token.burn(amount, sender=self.accounts[owner])

    @rule(delegator=people, delegatee=delegates)
    def delegate(self, delegator: int, delegatee: int) -> None:
        account = ZERO_ADDRESS if delegatee == NOBODY else self.accounts[delegatee]
        self.token.delegate(account, sender=self.accounts[delegator])
        self.delegate_of[delegator] = delegatee

    @rule(staker=people, amount=amounts)
    def stake(self, staker: int, amount: int) -> None:
        account = self.accounts[staker]
        amount = min(amount, self.token.balanceOf(account))
        if amount >= 100 * COIN and self._staked(staker) == 0:
            self.token.stake(amount, sender=account)

    @rule(staker=people)
    def unstake(self, staker: int) -> None:
        position = self.token.stakingInfo(self.accounts[staker])
        if position.amount > 0 and self._now() >= position.stakedAt + YEAR:
            self.token.unstake(sender=self.accounts[staker])

    @rule(staker=people)
    def claim(self, staker: int) -> None:
        if self._staked(staker) > 0:
            self.token.claimRewards(sender=self.accounts[staker])

    @rule(seconds=waits)
    def wait(self, seconds: int) -> None:
        if seconds == 0:
            return
        votes = {person: self.token.getVotes(self.accounts[person]) for person in range(PEOPLE)}
        self.history.append(Second(self._now(), votes, self.token.totalSupply()))
        boa.env.time_travel(seconds=seconds, block_delta=1)

    @invariant()
    def votes_are_the_units_delegated(self) -> None:
        for person in range(PEOPLE):
            delegated = sum(self._units(other) for other, to in self.delegate_of.items() if to == person)
            assert self.token.getVotes(self.accounts[person]) == delegated

    @invariant()
    def all_votes_are_all_delegated_balances_and_stakes(self) -> None:
        votes = sum(self.token.getVotes(account) for account in self.accounts)
        assert votes == sum(self._units(person) for person, to in self.delegate_of.items() if to != NOBODY)
        assert votes <= self.token.totalSupply()

    @invariant()
    def tokens_are_conserved(self) -> None:
        held = sum(self.token.balanceOf(account) for account in [*self.accounts, self.token.address])
        assert held == self.token.totalSupply()

    @invariant()
    def stakes_are_held(self) -> None:
        staked = sum(self._staked(person) for person in range(PEOPLE))
        assert self.token.balanceOf(self.token.address) == self.token.totalStaked() == staked

    @invariant()
    def nobody_and_the_token_itself_have_no_votes(self) -> None:
        assert self.token.getVotes(ZERO_ADDRESS) == self.token.getVotes(self.token.address) == 0

    @invariant()
    def the_past_does_not_change(self) -> None:
        for second in self.history[-5:]:
            assert self.token.getPastTotalSupply(second.timestamp) == second.supply
            for person, votes in second.votes.items():
                assert self.token.getPastVotes(self.accounts[person], second.timestamp) == votes

    @invariant()
    def the_present_is_not_the_past(self) -> None:
        with boa.reverts("votes: timepoint not in the past"):
            self.token.getPastTotalSupply(self._now())
        with boa.reverts("votes: timepoint not in the past"):
            self.token.getPastVotes(self.accounts[0], self._now())

    def _staked(self, person: int) -> int:
        return int(self.token.stakingInfo(self.accounts[person]).amount)

    def _units(self, person: int) -> int:
        return int(self.token.balanceOf(self.accounts[person])) + self._staked(person)

    def _now(self) -> int:
        return int(boa.env.timestamp)


def test_votes_hold_their_invariants() -> None:
    with boa.env.anchor():
        accounts = [boa.env.generate_address(f"person {index}") for index in range(PEOPLE)]
        token = boa.load(str(CONTRACTS / "mocks" / "VotingToken.vy"), SUPPLY)
        for account in accounts:
            token.transfer(account, SUPPLY // PEOPLE)
        deployed = type("DeployedVotes", (Votes,), {"token": token, "accounts": accounts})
        run_state_machine_as_test(deployed, settings=STATEFUL)
