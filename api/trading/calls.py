"""The contract calls that wallets are asked to sign, ABI-encoded."""

from eth_abi.abi import encode
from eth_utils.abi import function_signature_to_4byte_selector

from encore.chain.outbox.signer import Call


def approve(token: str, spender: str, amount: int) -> Call:
    """Let `spender` take `amount` token wei (ERC-20)."""
    return Call(token, _encode("approve(address,uint256)", spender, amount), 0)


def allowance(token: str, owner: str, spender: str) -> Call:
    """Ask how many token wei `spender` may take (ERC-20, a view)."""
    return Call(token, _encode("allowance(address,address)", owner, spender), 0)


def buy(exchange: str, token: str, native_in: int, minimum_out: int, deadline: int) -> Call:
    """Buy tokens for `native_in` wei until `deadline` (unix seconds)."""
    return Call(exchange, _encode("buyTokens(address,uint256,uint256)", token, minimum_out, deadline), native_in)


def sell(exchange: str, token: str, tokens_in: int, minimum_out: int, deadline: int) -> Call:
    """Sell `tokens_in` token wei until `deadline` (unix seconds)."""
    return Call(
        exchange, _encode("sellTokens(address,uint256,uint256,uint256)", token, tokens_in, minimum_out, deadline), 0
    )


def stake(token: str, amount: int) -> Call:
    """Stake `amount` token wei."""
    return Call(token, _encode("stake(uint256)", amount), 0)


def unstake(token: str) -> Call:
    """Take the stake back."""
    return Call(token, _encode("unstake()"), 0)


def claim(token: str) -> Call:
    """Claim a stake's rewards."""
    return Call(token, _encode("claimRewards()"), 0)


def add_liquidity(exchange: str, token: str, native: int, limits: tuple[int, int], deadline: int) -> Call:
    """Add `native` wei until `deadline` (unix seconds); `limits` are the most tokens to give, the fewest shares."""
    signature = "addLiquidity(address,uint256,uint256,uint256)"
    return Call(exchange, _encode(signature, token, *limits, deadline), native)


def remove_liquidity(exchange: str, token: str, shares: int, least: tuple[int, int], deadline: int) -> Call:
    """Give shares of a pool back until `deadline` (unix seconds) for at `least` native wei and token wei."""
    signature = "removeLiquidity(address,uint256,uint256,uint256,uint256)"
    return Call(exchange, _encode(signature, token, shares, *least, deadline), 0)


def claim_revenue(token: str) -> Call:
    """Claim the share of a coin's revenue."""
    return Call(token, _encode("claimRevenue()"), 0)


def delegate(token: str, delegatee: str) -> Call:
    """Let `delegatee` vote (ERC-5805)."""
    return Call(token, _encode("delegate(address)", delegatee), 0)


def vote(governor: str, proposal_id: int, support: int, reason: str) -> Call:
    """Vote on a proposal: 0 against, 1 for, 2 abstain (as OpenZeppelin's governors count)."""
    if reason:
        return Call(governor, _encode("castVoteWithReason(uint256,uint8,string)", proposal_id, support, reason), 0)
    return Call(governor, _encode("castVote(uint256,uint8)", proposal_id, support), 0)


def launch(factory: str, creator: str, coin: tuple[str, str, str, str], native: int) -> Call:
    """Launch a creator's coin with `native` wei for its pool; `coin` is name, symbol, description and image URL."""
    return Call(factory, _encode("launchCreatorCoin(address,string,string,string,string)", creator, *coin), native)


def distribute_revenue(factory: str, creator: str, native: int) -> Call:
    """Share `native` wei between a creator and the holders of its coin."""
    return Call(factory, _encode("distributeRevenue(address)", creator), native)


def withdraw_revenue(factory: str, creator: str) -> Call:
    """Pay a creator the revenue that the factory holds for it."""
    return Call(factory, _encode("withdrawCreatorRevenue(address)", creator), 0)


def claim_vested(token: str) -> Call:
    """Claim a creator's vested coins."""
    return Call(token, _encode("claimVestedTokens()"), 0)


def nonces(token: str, owner: str) -> Call:
    """Ask for the number of the next signature (EIP-2612, a view)."""
    return Call(token, _encode("nonces(address)", owner), 0)


def eip712_domain(token: str) -> Call:
    """Ask for what signatures are bound to (EIP-5267, a view)."""
    return Call(token, _encode("eip712Domain()"), 0)


def _encode(signature: str, *arguments: str | int) -> str:
    types = [kind for kind in signature[signature.index("(") + 1 : -1].split(",") if kind]
    return "0x" + (function_signature_to_4byte_selector(signature) + encode(types, arguments)).hex()
