# pragma version 0.4.3
# pragma evm-version cancun
"""
@title CallbackToken
@license Apache-2.0
@notice For tests: an ERC-20 that calls senders and receivers with code, as ERC-777 does, and that can fail with False.
"""

from ..interfaces import ICreatorToken

balanceOf: public(HashMap[address, uint256])
allowance: public(HashMap[address, HashMap[address, uint256]])
failsSilently: public(bool)


interface Hook:
    def onTokensMoved(): nonpayable


@external
def mint(to: address, amount: uint256):
    """
    @notice Gives anybody tokens.
    @param to Whom.
    @param amount Token wei.
    """
    self.balanceOf[to] += amount


@external
def failSilently(fails: bool):
    """
    @notice Answers False and moves nothing from now on, or moves again.
    @param fails Whether to.
    """
    self.failsSilently = fails


@external
def approve(spender: address, amount: uint256) -> bool:
    """
    @notice As ERC-20 says.
    @param spender Who may move the caller's tokens.
    @param amount Token wei.
    @return True.
    """
    self.allowance[msg.sender][spender] = amount
    return True


@external
def transfer(receiver: address, amount: uint256) -> bool:
    """
    @notice As ERC-20 says, with the hooks.
    @param receiver Whom to give the tokens.
    @param amount Token wei.
    @return Whether they moved.
    """
    return self._move(msg.sender, receiver, amount)


@external
def transferFrom(owner: address, receiver: address, amount: uint256) -> bool:
    """
    @notice As ERC-20 says, with the hooks.
    @param owner Whose tokens.
    @param receiver Whom to give them.
    @param amount Token wei.
    @return Whether they moved.
    """
    self.allowance[owner][msg.sender] -= amount
    return self._move(owner, receiver, amount)


@external
@view
def platformFee() -> ICreatorToken.PlatformFee:
    """
    @notice As creator tokens say, so that an exchange trades it.
    @return None.
    """
    return ICreatorToken.PlatformFee(rate=0, recipient=self)


@internal
def _move(sender: address, receiver: address, amount: uint256) -> bool:
    if self.failsSilently:
        return False
    if sender.is_contract and sender != msg.sender:
        extcall Hook(sender).onTokensMoved()
    self.balanceOf[sender] -= amount
    self.balanceOf[receiver] += amount
    if receiver.is_contract and receiver != msg.sender:
        extcall Hook(receiver).onTokensMoved()
    return True
