"""C1, C2, C3, C4, C5 and C6: both coins under random sequences of calls and waits (titanoboa and hypothesis)."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import boa
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.contracts.balanced import LAUNCH_STREAMS
from tests.contracts.boa_system import CONTRACTS
from tests.contracts.conftest import COIN, YEAR, ZERO_ADDRESS
from tests.contracts.profiles import STATEFUL

HOLDERS = 3
PLAIN_SUPPLY = 10_000_000 * COIN
DAY = 86_400

holders = st.integers(min_value=0, max_value=HOLDERS - 1)
# Beside the holders: the exchange and the token itself, whose coins are nobody's.
receivers = st.integers(min_value=0, max_value=HOLDERS + 1)
delegates = st.one_of(holders, st.none())
permilles = st.integers(min_value=0, max_value=1_000)
waits = st.one_of(
    st.integers(min_value=0, max_value=DAY),
    st.integers(min_value=29 * DAY, max_value=31 * DAY),
    st.integers(min_value=YEAR - 2, max_value=2 * YEAR),
)
# A launch's figures, and reports up to more than a hundred times as many.
streams = st.integers(min_value=0, max_value=10_000_000)
revenues = st.one_of(st.integers(min_value=10**15, max_value=10**16), st.integers(min_value=10**15, max_value=10**24))


@dataclass(frozen=True)
class System:
    """A token whose first supply the first holder has, and the metrics."""

    token: Any
    metrics: Any
    oracle: Any
    holders: list[Any]
    exchange: Any


def deploy_system(*, balanced: bool) -> System:
    """Deploy a token of either kind; the first holder is the creator, with the streams of a launch."""
    holders = [boa.env.generate_address(f"holder {index}") for index in range(HOLDERS)]
    exchange, oracle, fee_recipient = (boa.env.generate_address(role) for role in ("exchange", "oracle", "fees"))
    with boa.env.prank(oracle):
        metrics = boa.load(str(CONTRACTS / "launch" / "CreatorMetricsManager.vy"), 0, 0, 7 * DAY)
        metrics.setOracle(oracle, True)
        metrics.updateCreatorMetrics(holders[0], LAUNCH_STREAMS, 0, 0, 0)
    texts = ("A Coin", "COIN", "", "")
    if balanced:
        path = CONTRACTS / "tokens" / "BalancedCreatorToken.vy"
        token = boa.load(str(path), *texts, holders[0], fee_recipient, holders[0], metrics.address, exchange)
    else:
        path = CONTRACTS / "tokens" / "CreatorToken.vy"
        token = boa.load(str(path), *texts, PLAIN_SUPPLY, holders[0], fee_recipient, holders[0])
    return System(token, metrics, oracle, holders, exchange)


@dataclass(frozen=True)
class Books:
    """Balances of the holders, the exchange and the token; the holders' stakes, and both together."""

    balances: list[int]
    stakes: list[int]
    units: list[int]


class Coin(RuleBasedStateMachine):
    """CreatorToken among three holders."""

    system: System

    def __init__(self) -> None:
        super().__init__()
        self.token = self.system.token
        self.holders = self.system.holders
        self.exchange = self.system.exchange
        self.anchor = boa.env.anchor()
        self.anchor.__enter__()
        self.everybody = [*self.holders, self.exchange, self.token.address]
        self.maximum = self.token.maximumSupply()
        # What the model believes: the supply, who votes for whom, and time, supply and votes of some past seconds.
        self.supply = self.token.totalSupply()
        self.delegates: dict[int, int | None] = {}
        self.past: list[tuple[int, int, list[int]]] = []

    @initialize()
    def share_out(self) -> None:
        for holder in self.holders[1:]:
            self.token.transfer(holder, self.token.totalSupply() // 4, sender=self.holders[0])

    def teardown(self) -> None:
        self.anchor.__exit__(None, None, None)

    @rule(sender=holders, receiver=receivers, permille=permilles)
    def transfer(self, sender: int, receiver: int, permille: int) -> None:
        amount = self._balance(sender) * permille // 1_000
        self.token.transfer(self.everybody[receiver], amount, sender=self.holders[sender])

    @rule(spender=holders, sender=holders, receiver=receivers, permille=permilles)
    def transfer_by_allowance(self, spender: int, sender: int, receiver: int, permille: int) -> None:
        amount = self._balance(sender) * permille // 1_000
        self.token.approve(self.holders[spender], amount, sender=self.holders[sender])
        self.token.transferFrom(self.holders[sender], self.everybody[receiver], amount, sender=self.holders[spender])

    @rule(buyer=holders, permille=permilles)
    def leave_the_exchange(self, buyer: int, permille: int) -> None:
        amount = self.token.balanceOf(self.exchange) * permille // 1_000
        self.token.transfer(self.holders[buyer], amount, sender=self.exchange)

    @rule(holder=holders, permille=permilles, by_allowance=st.booleans())
    def burn(self, holder: int, permille: int, *, by_allowance: bool) -> None:
        amount = self._balance(holder) * permille // 2_000
        if by_allowance:
            self.token.approve(self.exchange, amount, sender=self.holders[holder])
            self.token.burnFrom(self.holders[holder], amount, sender=self.exchange)
        else:
            self.token.burn(amount, sender=self.holders[holder])
        self.supply -= amount

    @rule(holder=holders, permille=st.integers(min_value=1, max_value=1_000))
    def stake(self, holder: int, permille: int) -> None:
        amount = self._balance(holder) * permille // 1_000
        if amount < 100 * COIN or self.token.isStaking(self.holders[holder]):
            return
        self.token.stake(amount, sender=self.holders[holder])

    @rule(holder=holders)
    def claim_rewards(self, holder: int) -> None:
        due = self.token.calculateRewards(self.holders[holder])
        if due == 0:
            return
        self.token.claimRewards(sender=self.holders[holder])
        self.supply += due

    @rule(holder=holders)
    def unstake(self, holder: int) -> None:
        amount, staked_at, _, _ = self.token.stakingInfo(self.holders[holder])
        if amount == 0 or self._now() < staked_at + YEAR:
            return
        due = self.token.calculateRewards(self.holders[holder])
        self.token.unstake(sender=self.holders[holder])
        self.supply += due

    @rule(delegator=holders, delegate=delegates)
    def delegate(self, delegator: int, delegate: int | None) -> None:
        self.token.delegate(
            ZERO_ADDRESS if delegate is None else self.holders[delegate], sender=self.holders[delegator]
        )
        self.delegates[delegator] = delegate

    @rule(seconds=waits)
    def wait(self, seconds: int) -> None:
        votes = [self.token.getVotes(holder) for holder in self.holders]
        self.past.append((self._now(), self.supply, votes))
        boa.env.time_travel(seconds=seconds + 1)

    @invariant()
    def the_books_agree(self) -> None:
        books = self.read()
        self.votes_are_what_was_delegated_staked_or_not(books)
        self.tokens_are_conserved(books)
        self.it_holds_every_stake(books)
        self.supply_stays_within_its_maximum()
        self.what_is_nobodys_earns_nothing(books)

    def votes_are_what_was_delegated_staked_or_not(self, books: Books) -> None:
        for delegate, account in enumerate(self.holders):
            delegators = [delegator for delegator, chosen in self.delegates.items() if chosen == delegate]
            assert self.token.getVotes(account) == sum(books.units[delegator] for delegator in delegators)

    def what_is_nobodys_earns_nothing(self, books: Books) -> None:
        """Hold for tokens that share revenue."""

    def tokens_are_conserved(self, books: Books) -> None:
        assert self.token.totalSupply() == sum(books.balances) == self.supply

    def it_holds_every_stake(self, books: Books) -> None:
        assert self.token.totalStaked() == sum(books.stakes) <= books.balances[-1]

    def supply_stays_within_its_maximum(self) -> None:
        assert self.supply + self.kept() + self.token.rewardsRemaining() == self.maximum

    @invariant()
    def past_votes_stay_as_they_were(self) -> None:
        for timepoint, supply, votes in self.past[-1:] + self.past[:1]:
            assert [self.token.getPastVotes(holder, timepoint) for holder in self.holders] == votes
            assert self.token.getPastTotalSupply(timepoint) == supply

    def read(self) -> Books:
        """Read the books of all accounts, once a step: calls are what the time goes into."""
        balances = [self.token.balanceOf(account) for account in self.everybody]
        stakes = [self._staked(holder) for holder in range(HOLDERS)]
        return Books(balances, stakes, [balance + stake for balance, stake in zip(balances, stakes, strict=False)])

    def kept(self) -> int:
        """Return what is below the maximum for other purposes than rewards."""
        return 0

    def _balance(self, holder: int) -> int:
        return int(self.token.balanceOf(self.holders[holder]))

    def _staked(self, holder: int) -> int:
        return int(self.token.stakingInfo(self.holders[holder])[0])

    def _units(self, holder: int) -> int:
        return self._balance(holder) + self._staked(holder)

    def _now(self) -> int:
        return int(boa.env.evm.patch.timestamp)


class BalancedCoin(Coin):
    """BalancedCreatorToken, with revenue, vesting and release; the first holder is the creator."""

    def __init__(self) -> None:
        super().__init__()
        self.metrics = self.system.metrics
        self.oracle = self.system.oracle
        self.distributor = boa.env.generate_address("distributor")
        self.held = 0
        self.undivided = self.undivided_since = 0
        self.claims = [0] * HOLDERS
        self.shares = [Fraction(0)] * HOLDERS
        self.mark = self.token.releaseHighWaterMark()
        self.released = self.claimed = 0
        self.released_at = self._now()
        self.launched_at = self._now()

    @rule(monthly_streams=streams)
    def report(self, monthly_streams: int) -> None:
        self.metrics.updateCreatorMetrics(self.holders[0], monthly_streams, 0, 0, 0, sender=self.oracle)

    @rule()
    def release(self) -> None:
        streams_now, *_, observed_at = self.metrics.creatorMetrics(self.holders[0])
        due = (
            self._now() >= self.released_at + 30 * DAY
            and self._now() <= observed_at + 7 * DAY
            and streams_now * 10 >= self.mark * 12
            and self.released < 70_000_000 * COIN
        )
        if not due:
            with boa.reverts():
                self.token.release(sender=self.distributor)
            return
        assert self.token.release(sender=self.distributor) == 2_000_000 * COIN
        self.supply += 2_000_000 * COIN
        self.released += 2_000_000 * COIN
        self.mark = streams_now
        self.released_at = self._now()

    @rule()
    def claim_vested(self) -> None:
        due = self.token.claimableVestedTokens()
        if due == 0:
            return
        assert self.token.claimVestedTokens(sender=self.holders[0]) == due
        self.supply += due
        self.claimed += due

    @rule(amount=revenues)
    def distribute(self, amount: int) -> None:
        units = [self._units(holder) for holder in range(HOLDERS)]
        boa.env.set_balance(self.distributor, amount)
        if sum(units) == 0:
            with boa.reverts("dividends: nobody to share with"):
                self.token.distribute(value=amount, sender=self.distributor)
            return
        self.token.distribute(value=amount, sender=self.distributor)
        self.held += amount
        self.undivided += amount
        self.undivided_since = self._now()

    @rule(holder=holders)
    def claim_revenue(self, holder: int) -> None:
        due = self.token.pendingRevenue(self.holders[holder])
        if due == 0:
            with boa.reverts("dividends: no revenue due"):
                self.token.claimRevenue(sender=self.holders[holder])
            return
        before = boa.env.get_balance(self.holders[holder])
        self.token.claimRevenue(sender=self.holders[holder])
        assert boa.env.get_balance(self.holders[holder]) == before + due
        self.claims[holder] += due
        self.held -= due

    @invariant()
    def revenue_is_shared_exactly(self) -> None:
        if self._now() > self.undivided_since:
            self.divide()
        pending = [self.token.pendingRevenue(holder) for holder in self.holders]
        self.revenue_held_covers_all_that_is_pending(pending)
        self.revenue_held_is_at_most_what_is_pending_and_dust(pending)
        self.nobody_is_promised_more_or_less_than_its_share(pending)

    def divide(self) -> None:
        """Give what came in to who held units when its second was over; where nobody did, to the next who does."""
        units = [self._units(holder) for holder in range(HOLDERS)]
        if sum(units) > 0:
            for holder, share in enumerate(units):
                self.shares[holder] += Fraction(self.undivided * share, sum(units))
            self.undivided = 0

    def revenue_held_covers_all_that_is_pending(self, pending: list[int]) -> None:
        assert boa.env.get_balance(self.token.address) == self.held >= sum(pending)

    def revenue_held_is_at_most_what_is_pending_and_dust(self, pending: list[int]) -> None:
        # A fraction of a wei of each holder, and of the last division.
        assert self.held <= sum(pending) + self.undivided + HOLDERS

    def nobody_is_promised_more_or_less_than_its_share(self, pending: list[int]) -> None:
        for share, claimed, due in zip(self.shares, self.claims, pending, strict=True):
            assert -1 - Fraction(1, COIN) < claimed + due - share < Fraction(1, COIN)

    def what_is_nobodys_earns_nothing(self, books: Books) -> None:
        assert self.token.pendingRevenue(self.exchange) == self.token.pendingRevenue(self.token) == 0
        assert self.token.eligibleSupply() == sum(books.units)

    @invariant()
    def vesting_and_release_stay_within_their_parts(self) -> None:
        elapsed = min(self._now() - self.launched_at, YEAR)
        vested = 10_000_000 * COIN * elapsed // YEAR
        assert self.claimed + self.token.claimableVestedTokens() == vested
        assert self.released <= 70_000_000 * COIN

    @invariant()
    def the_high_water_mark_is_that_of_the_last_release(self) -> None:
        assert self.token.releaseHighWaterMark() == self.mark

    def kept(self) -> int:
        """Return what is not vested or not released yet."""
        return 80_000_000 * COIN - self.claimed - self.released


def test_votes_of_a_creator_token_are_its_holders_and_stakers() -> None:
    with boa.env.anchor():
        deployed = type("DeployedCoin", (Coin,), {"system": deploy_system(balanced=False)})
        run_state_machine_as_test(deployed, settings=STATEFUL)


def test_a_balanced_token_stays_solvent_and_within_its_maximum_supply() -> None:
    with boa.env.anchor():
        deployed = type("DeployedBalancedCoin", (BalancedCoin,), {"system": deploy_system(balanced=True)})
        run_state_machine_as_test(deployed, settings=STATEFUL)
