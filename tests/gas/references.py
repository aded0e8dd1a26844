"""What others' contracts take for the same work: anvil, Cancun, optimised, one transaction a block."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Reference:
    """A figure that ours should not be above, and whose it is."""

    source: str
    gas: int


VOTES: Final = "OpenZeppelin 5.7 ERC20Votes"
PLAIN: Final = "OpenZeppelin 5.7 ERC20Permit"
NFT: Final = "OpenZeppelin 5.7 ERC721"
GOVERNOR: Final = "OpenZeppelin 5.7 Governor"
ROUTER: Final = "Uniswap v2 router"
STAKING: Final = "Synthetix StakingRewards"
GOAL: Final = "goal, all safeguards on"

TRANSFER: Final = Reference(VOTES, 39_249)
TRANSFER_DELEGATED: Final = Reference(VOTES, 104_560)
SELF_DELEGATE: Final = Reference(VOTES, 95_486)
PERMIT: Final = Reference(PLAIN, 74_765)
MINT_NFT: Final = Reference(NFT, 78_597)
BUY: Final = Reference(ROUTER, 100_450)
SELL: Final = Reference(ROUTER, 111_676)
BUY_PLAIN: Final = Reference(GOAL, 65_000)
SELL_PLAIN: Final = Reference(GOAL, 75_000)
STAKE: Final = Reference(STAKING, 135_230)
CLAIM: Final = Reference(STAKING, 76_131)
EXIT: Final = Reference(STAKING, 99_230)
PROPOSE: Final = Reference(GOVERNOR, 75_629)
VOTE: Final = Reference(GOVERNOR, 83_059)
QUEUE: Final = Reference(GOVERNOR, 145_158)
EXECUTE: Final = Reference(GOVERNOR, 150_250)
