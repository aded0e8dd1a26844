# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Proofs of votes and dividends, as BalancedCreatorToken composes them
@license Apache-2.0
@notice The functions under proof are the ones behind `transfer` and `burn`, and `distribute`. Accounts are fixed, as
        they only are keys; what they own, were settled for and have delegated is not.
"""

from contracts.interfaces import ICreatorMetrics
from contracts.modules import checkpoints
from contracts.modules import dividends
from contracts.modules import votes
from contracts.tokens import BalancedCreatorToken as coin
from snekmate.tokens import erc20
from tests.proofs import claim

initializes: coin
uses: checkpoints
uses: dividends
uses: erc20
uses: votes

exports: dividends.distribute

# The creation code of a contract that answers every call with zeros: metrics that say nothing.
ZEROS: constant(Bytes[13]) = x"646102005ff35f526005601bf3"

OWNER: constant(address) = 0x000000000000000000000000000000000000a001
RECEIVER: constant(address) = 0x000000000000000000000000000000000000A002
THIRD: constant(address) = 0x000000000000000000000000000000000000a003

# Above every supply, and every sum of revenue in wei: see the dividends module.
UNITS: constant(uint256) = 2**112
REVENUE: constant(uint256) = 2**96


@deploy
def __init__():
    coin.__init__("A", "A", "", "", self, self, self, ICreatorMetrics(raw_create(ZEROS)), self)


@external
def transfer_of(owner: address, receiver: address, amount: uint256):
    coin._transfer(owner, receiver, amount)


@external
def check_a_transfer_leaves_what_both_have_earned(
    balances: uint256[2], settled: uint256[2], behind: bool[2], growth: uint256, amount: uint256
):
    """
    @notice An account behind was last settled before the last distribution, which brought `growth` per token wei.
    """
    self._hold(OWNER, balances[0], settled[0], behind[0])
    self._hold(RECEIVER, balances[1], settled[1], behind[1])
    self._distributed(growth)
    of_owner: uint256 = self._due(OWNER)
    of_receiver: uint256 = self._due(RECEIVER)

    coin._transfer(OWNER, RECEIVER, amount)

    claim._holds((of_owner ^ self._due(OWNER)) | (of_receiver ^ self._due(RECEIVER)) == 0)


@external
def check_a_transfer_to_oneself_leaves_what_one_has_earned(
    balance: uint256, settled: uint256, behind: bool, growth: uint256, amount: uint256
):
    self._hold(OWNER, balance, settled, behind)
    self._distributed(growth)
    due: uint256 = self._due(OWNER)

    coin._transfer(OWNER, OWNER, amount)

    claim._holds(due == self._due(OWNER))


@external
def check_burning_leaves_what_one_has_earned(
    balance: uint256, settled: uint256, behind: bool, growth: uint256, amount: uint256
):
    self._hold(OWNER, balance, settled, behind)
    self._distributed(growth)
    due: uint256 = self._due(OWNER)

    coin._burn(OWNER, amount)

    claim._holds(due == self._due(OWNER))


@external
def check_votes_follow_a_transfer(
    balances: uint256[2], delegates: uint8[2], amount: uint256, delegated_at: uint256, moved_at: uint256
):
    """
    @notice Each of the two delegates to one of the three, or to nobody; the transfer may come in the same second.
    """
    assert balances[0] < UNITS and balances[1] < UNITS
    assert 0 < delegated_at and delegated_at <= moved_at and moved_at < 2**48
    first: address = self._account(delegates[0])
    second: address = self._account(delegates[1])
    claim._warp(delegated_at)
    erc20.balanceOf[OWNER] = balances[0]
    erc20.balanceOf[RECEIVER] = balances[1]
    votes._delegate(OWNER, first, balances[0])
    votes._delegate(RECEIVER, second, balances[1])
    claim._warp(moved_at)

    moved: bool = raw_call(
        self,
        abi_encode(OWNER, RECEIVER, amount, method_id=method_id("transfer_of(address,address,uint256)")),
        revert_on_failure=False,
    )

    claim._holds(moved == (amount <= balances[0]))
    for account: address in [OWNER, RECEIVER, THIRD]:
        expected: uint256 = 0
        if first == account:
            expected += erc20.balanceOf[OWNER]
        if second == account:
            expected += erc20.balanceOf[RECEIVER]
        length: uint256 = votes._history_length_of(account)
        claim._holds(checkpoints._latest(votes._history_of(account), length) == expected)


@external
def check_a_distribution_is_divided_without_loss(
    before: uint256, remainder: uint256, supply: uint256, amount: uint256
):
    assert before < 2**224 and supply < UNITS and remainder < supply and amount < REVENUE
    dividends._books = remainder << dividends.REMAINDER_SHIFT
    dividends._cumulative_revenue[0] = before
    erc20.totalSupply = supply
    erc20.balanceOf[self] = 0

    distributed: bool = raw_call(self, method_id("distribute()"), value=amount, revert_on_failure=False)

    claim._holds(distributed == (amount >= dividends.minimumDistribution and supply > 0))
    assert distributed
    # Nothing is anybody's before the second is over.
    claim._holds(dividends._divide(dividends._books) & dividends.NUMBER_MASK == 0)
    claim._warp(block.timestamp + 1)
    books: uint256 = dividends._divide(dividends._books)
    # supply * (a // supply) + a % supply = a is what division means.
    divisible: uint256 = amount * dividends.SCALE + remainder
    claim._holds(books == dividends._books and books & dividends.NUMBER_MASK == 1)
    claim._holds(dividends._cumulative_revenue[1] - before == divisible // supply)
    claim._holds(books >> dividends.REMAINDER_SHIFT == divisible % supply)


@internal
@pure
def _account(index: uint8) -> address:
    assert index <= 3
    if index == 0:
        return empty(address)
    if index == 1:
        return OWNER
    if index == 2:
        return RECEIVER
    return THIRD


@internal
def _hold(account: address, balance: uint256, settled: uint256, behind: bool):
    erc20.balanceOf[account] = balance
    dividends._settled_revenue[account] = settled
    if not behind:
        votes._set_tag(account, 1)


@internal
def _distributed(growth: uint256):
    dividends._books = 1
    dividends._cumulative_revenue[1] = growth


@internal
@view
def _due(account: address) -> uint256:
    return dividends._settled_revenue[account] + dividends._unsettled_revenue(
        account, dividends._cumulative_revenue[dividends._books & dividends.NUMBER_MASK]
    )
