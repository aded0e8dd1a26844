# pragma version 0.4.3
# pragma evm-version cancun
"""
@title FlashVoter
@license Apache-2.0
@notice For tests: borrows tokens for one transaction, gives itself their votes, makes a call and pays back.
"""

from ethereum.ercs import IERC20

from ..interfaces import IERC5805


@external
def attack(token: address, lender: address, amount: uint256, target: address, data: Bytes[4_096]):
    """
    @notice Reverts as the call does.
    @param token The token, with an allowance of the lender for this contract.
    @param lender Who lends.
    @param amount Token wei.
    @param target Whom to call.
    @param data The calldata.
    """
    extcall IERC20(token).transferFrom(lender, self, amount)
    extcall IERC5805(token).delegate(self)
    assert staticcall IERC5805(token).getVotes(self) == amount
    raw_call(target, data)
    extcall IERC20(token).transfer(lender, amount)
