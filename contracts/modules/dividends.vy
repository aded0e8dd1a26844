# pragma version 0.4.3
# pragma evm-version cancun
# pragma nonreentrancy on
"""
@title Revenue shared among a token's holders
@license Apache-2.0
@notice What is distributed belongs at once to whoever then holds units, the balance and what is staked, in proportion;
        each holder fetches its share when it likes. The exchange's reserves and what the token's own contract holds
        beside stakes earn nothing, and tokens that are not minted yet have no holder.
@dev No loop runs over holders: revenue per token wei is summed up from distribution to distribution. An account's tag
     is the number of the last distribution that it was settled for; the deployable calls `_settle` before an account's
     units change. All figures of revenue are in wei times 2**96, and nothing is rounded before it is paid, so that
     held * 2**96 = what all accounts may claim + the remainder of the last division, exactly.
     Nothing here asks how long units were held: see docs/contracts/dividends.md for what that means.
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

NUMBER_BITS: constant(uint256) = 48
NUMBER_MASK: constant(uint256) = 2**48 - 1

# Where the pools are: its holdings earn nothing.
revenueExempt: public(immutable(address))

# How many distributions there were (low 48 bits), and what the last one could not divide (less than a token's units).
_books: uint256

# number of a distribution -> scaled revenue per token wei since the beginning, up to and with that distribution.
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
    @notice Shares the value sent among all who hold units now. Anybody may. Emits RevenueReceived.
            Reverts with "dividends: amount below minimum" or "dividends: nobody to share with".
    """
    assert msg.value >= minimumDistribution, "dividends: amount below minimum"
    supply: uint256 = self._eligible_supply()
    assert supply > 0, "dividends: nobody to share with"

    books: uint256 = self._books
    number: uint256 = books & NUMBER_MASK
    divisible: uint256 = msg.value * SCALE + (books >> NUMBER_BITS)
    cumulative: uint256 = self._cumulative_revenue[number] + divisible // supply
    self._cumulative_revenue[number + 1] = cumulative
    self._books = (divisible % supply << NUMBER_BITS) | (number + 1)
    log RevenueReceived(
        distributor=msg.sender, amount=msg.value, eligibleSupply=supply, cumulativeRevenue=cumulative
    )


@external
def claimRevenue() -> uint256:
    """
    @notice Pays the caller its share of all revenue so far. Emits RevenueClaimed. Reverts with "dividends: no revenue
            due" or, if the caller refuses the coin, "dividends: native transfer failed".
    @return Native wei.
    """
    self._settle(msg.sender)
    settled: uint256 = self._settled_revenue[msg.sender]
    amount: uint256 = settled >> SCALE_BITS
    assert amount > 0, "dividends: no revenue due"
    # The fraction of a wei stays due.
    self._settled_revenue[msg.sender] = settled & FRACTION_MASK
    log RevenueClaimed(account=msg.sender, amount=amount)
    sent: bool = raw_call(msg.sender, b"", value=amount, revert_on_failure=False)
    assert sent, "dividends: native transfer failed"
    return amount


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
    return (self._settled_revenue[account] + self._unsettled_revenue(account)) >> SCALE_BITS


@external
@view
def eligibleSupply() -> uint256:
    """
    @notice The units among which a distribution would be shared now.
    @return Token wei.
    """
    return self._eligible_supply()


@internal
def _settle_both(sender: address, receiver: address):
    """
    @dev To be called before units go from one to the other.
    """
    # One look-up of the number, and mostly nothing else to do: this is what every transfer pays.
    number: uint256 = self._books & NUMBER_MASK
    if votes._tag_of(sender) != number:
        self._settle(sender)
    if votes._tag_of(receiver) != number:
        self._settle(receiver)


@internal
def _settle(account: address):
    """
    @dev To be called before the units of `account` change.
    """
    if self._is_exempt(account):
        return
    unsettled: uint256 = self._unsettled_revenue(account)
    if unsettled > 0:
        self._settled_revenue[account] += unsettled
    votes._set_tag(account, self._books & NUMBER_MASK)


@internal
@view
def _unsettled_revenue(account: address) -> uint256:
    latest: uint256 = self._books & NUMBER_MASK
    settled: uint256 = votes._tag_of(account)
    if settled == latest:
        return 0
    growth: uint256 = self._cumulative_revenue[latest] - self._cumulative_revenue[settled]
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
