# pragma version 0.4.3
# pragma evm-version cancun
# pragma nonreentrancy on
"""
@title Revenue shared among a token's holders
@license Apache-2.0
@notice What is distributed belongs to whoever holds units, the balance and what is staked, at the end of that second,
        in proportion; each holder fetches its share when it likes. Units borrowed for one transaction earn nothing.
        Nor do the exchange's reserves and what the token's own contract holds beside stakes, and tokens that are not
        minted yet have no holder.
@dev No loop runs over holders: revenue per token wei is summed up from division to division. What one second brought
     is divided by the first call in a later one that is about to change any units, so that present units are those of
     that second's end, and no history of balances is needed. An account's tag is the number of the last division that
     it was settled for; the deployable calls `_settle` before an account's units change. All figures of revenue are in
     wei times 2**96, and nothing is rounded before it is paid, so that held * 2**96 = what all accounts may claim +
     what is not divided yet * 2**96 + the remainder of the last division, exactly.
"""

from snekmate.tokens import erc20

from . import staking
from . import votes

uses: erc20
uses: staking
uses: votes


event RevenueReceived:
    distributor: indexed(address)
    amount: uint256


event RevenueDivided:
    amount: uint256
    eligibleSupply: uint256
    cumulativeRevenue: uint256


event RevenueClaimed:
    account: indexed(address)
    amount: uint256


# Native wei: each distribution makes the next transfer of every holder dearer, so it must not be had for nothing.
minimumDistribution: public(constant(uint256)) = 10**15

# With units below 2**112 and revenue, recycled as often as gas can pay for, below 2**128 wei, nothing overflows.
SCALE_BITS: constant(uint256) = 96
SCALE: constant(uint256) = 2**96
FRACTION_MASK: constant(uint256) = 2**96 - 1

NUMBER_MASK: constant(uint256) = 2**48 - 1
SECOND_SHIFT: constant(uint256) = 48
SECOND_MASK: constant(uint256) = 2**48 - 1
UNDIVIDED_MASK: constant(uint256) = SECOND_MASK << SECOND_SHIFT
REMAINDER_SHIFT: constant(uint256) = 96

# Where the pools are: its holdings earn nothing.
revenueExempt: public(immutable(address))

# How many divisions there were (low 48 bits), the second of what is to be divided next, in unix seconds (48; zero where
# there is nothing), and what the last division left over (less than a token's units).
_books: uint256

# number of a division -> scaled revenue per token wei since the beginning, up to and with that division; for the next
# one the native wei that are to be divided.
_cumulative_revenue: HashMap[uint256, uint256]

# account -> scaled revenue that it was settled for and did not claim.
_settled_revenue: HashMap[address, uint256]


@deploy
def __init__(exempt: address):
    """
    @param exempt The exchange.
    """
    revenueExempt = exempt


@external
@payable
def distribute():
    """
    @notice Shares the value sent among all who hold units when this second is over. Anybody may. Emits
            RevenueReceived, after RevenueDivided where an earlier second's revenue was not divided yet.
            Reverts with "dividends: amount below minimum" or "dividends: nobody to share with".
    """
    assert msg.value >= minimumDistribution, "dividends: amount below minimum"
    assert self._eligible_supply() > 0, "dividends: nobody to share with"
    books: uint256 = self._divide(self._books)
    self._cumulative_revenue[(books & NUMBER_MASK) + 1] += msg.value
    self._books = books & ~UNDIVIDED_MASK | block.timestamp << SECOND_SHIFT
    log RevenueReceived(distributor=msg.sender, amount=msg.value)


@external
def claimRevenue() -> uint256:
    """
    @notice Pays the caller its share of all revenue up to the second before this one. Emits RevenueClaimed, after
            RevenueDivided where some was not divided yet. Reverts with "dividends: no revenue due" or, if the caller
            refuses the coin, "dividends: native transfer failed".
    @return Native wei.
    """
    return self._claim_revenue(msg.sender, msg.sender)


@external
def claimRevenueTo(receiver: address) -> uint256:
    """
    @notice `claimRevenue`, paid to another account, for holders that cannot take the native coin. Reverts also with
            "dividends: receiver is the zero address".
    @param receiver Who is paid.
    @return Native wei.
    """
    assert receiver != empty(address), "dividends: receiver is the zero address"
    return self._claim_revenue(msg.sender, receiver)


@external
@view
def pendingRevenue(account: address) -> uint256:
    """
    @notice What `claimRevenue` would pay `account` now.
    @param account The holder.
    @return Native wei, rounded down.
    """
    if self._is_exempt(account):
        return 0
    books: uint256 = self._books
    cumulative: uint256 = self._cumulative_revenue[books & NUMBER_MASK]
    supply: uint256 = self._eligible_supply()
    if supply > 0:
        cumulative += self._divisible(books) // supply
    return (self._settled_revenue[account] + self._unsettled_revenue(account, cumulative)) >> SCALE_BITS


@external
@view
def revenueBooks() -> (uint256, uint256, uint256, uint256):
    """
    @notice What shares are computed from, as the last division left it.
    @return Revenue per token wei since the beginning and the last division's remainder, both in native wei times 2**96;
            what is to be divided next, in native wei, and the second that it came in, in unix seconds; zeros for none.
    """
    books: uint256 = self._books
    number: uint256 = books & NUMBER_MASK
    return (
        self._cumulative_revenue[number],
        books >> REMAINDER_SHIFT,
        self._cumulative_revenue[number + 1],
        books >> SECOND_SHIFT & SECOND_MASK,
    )


@external
@view
def eligibleSupply() -> uint256:
    """
    @notice The units among which a distribution would be shared, were this second over now.
    @return Token wei.
    """
    return self._eligible_supply()


@internal
def _claim_revenue(account: address, receiver: address) -> uint256:
    self._settle(account)
    settled: uint256 = self._settled_revenue[account]
    amount: uint256 = settled >> SCALE_BITS
    assert amount > 0, "dividends: no revenue due"
    # The fraction of a wei stays due.
    self._settled_revenue[account] = settled & FRACTION_MASK
    log RevenueClaimed(account=account, amount=amount)
    sent: bool = raw_call(receiver, b"", value=amount, revert_on_failure=False)
    assert sent, "dividends: native transfer failed"
    return amount


@internal
def _settle_both(sender: address, receiver: address):
    """
    @dev To be called before units go from one to the other.
    """
    # One look-up of the books, and mostly nothing else to do: this is what every transfer pays.
    books: uint256 = self._books
    if books & UNDIVIDED_MASK != 0:
        books = self._divide(books)
    number: uint256 = books & NUMBER_MASK
    if votes._tag_of(sender) != number:
        self._settle_for(sender, number)
    if votes._tag_of(receiver) != number:
        self._settle_for(receiver, number)


@internal
def _settle(account: address):
    """
    @dev To be called before the units of `account` change.
    """
    number: uint256 = self._divide(self._books) & NUMBER_MASK
    if votes._tag_of(account) != number:
        self._settle_for(account, number)


@internal
def _settle_for(account: address, number: uint256):
    if self._is_exempt(account):
        return
    unsettled: uint256 = self._unsettled_revenue(account, self._cumulative_revenue[number])
    if unsettled > 0:
        self._settled_revenue[account] += unsettled
    votes._set_tag(account, number)


@internal
def _divide(previous: uint256) -> uint256:
    """
    @dev Divides what an earlier second brought among the present units. Where nobody holds any, it waits for who will.
    @param previous The books.
    @return The books from now on.
    """
    books: uint256 = previous
    divisible: uint256 = self._divisible(books)
    if divisible == 0:
        return books
    supply: uint256 = self._eligible_supply()
    if supply == 0:
        return books
    number: uint256 = books & NUMBER_MASK
    amount: uint256 = self._cumulative_revenue[number + 1]
    cumulative: uint256 = self._cumulative_revenue[number] + divisible // supply
    self._cumulative_revenue[number + 1] = cumulative
    books = divisible % supply << REMAINDER_SHIFT | (number + 1)
    self._books = books
    log RevenueDivided(amount=amount, eligibleSupply=supply, cumulativeRevenue=cumulative)
    return books


@internal
@view
def _divisible(books: uint256) -> uint256:
    """
    @dev Scaled revenue of a second that is over, with what the last division left over; zero where there is none.
    """
    second: uint256 = books >> SECOND_SHIFT & SECOND_MASK
    if second == 0 or second == block.timestamp:
        return 0
    return self._cumulative_revenue[(books & NUMBER_MASK) + 1] * SCALE + (books >> REMAINDER_SHIFT)


@internal
@view
def _unsettled_revenue(account: address, cumulative: uint256) -> uint256:
    growth: uint256 = cumulative - self._cumulative_revenue[votes._tag_of(account)]
    if growth == 0:
        return 0
    return staking._units_of(account) * growth


@internal
@view
def _eligible_supply() -> uint256:
    unstaked_in_token: uint256 = erc20.balanceOf[self] - staking._total_staked()
    return erc20.totalSupply - unstaked_in_token - staking._units_of(revenueExempt)


@internal
@view
def _is_exempt(account: address) -> bool:
    return account == revenueExempt or account == self
