"""Cost basis and profit of one wallet in one coin, first in first out: pure arithmetic in wei.

What a wallet paid in native coins, fees included, is the cost of what it bought. Coins that came in another way (a
gift, a reward, a release) cost nothing; coins given away leave with their cost. Staked coins stay the wallet's.
Liquidity moves cost, with the native side, into its shares; when they are taken back, half of their cost returns with
the tokens, whose value is half of what is paid.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Literal

MoveKind = Literal["bought", "sold", "received", "sent", "added", "removed", "granted"]
"""granted: shares of liquidity that somebody else paid for."""


@dataclass(frozen=True, slots=True)
class Move:
    """One change of what a wallet has: `tokens` in token wei, `native` in native wei, `shares` of liquidity."""

    kind: MoveKind
    tokens: int
    native: int = 0
    shares: int = 0


@dataclass(slots=True)
class _Lot:
    amount: int
    cost: int
    gone: int = 0


@dataclass(slots=True)
class Lots:
    """Amounts in the order in which they came, each with its cost; the oldest go first.

    A part of a lot costs in proportion, rounded down over all that has gone of it, so that parts add up to the whole.
    """

    amount: int = 0
    cost: int = 0
    _lots: deque[_Lot] = field(default_factory=deque)

    def put(self, amount: int, cost: int) -> None:
        """Add a lot; one of nothing is none, and its cost is lost."""
        if amount > 0:
            self._lots.append(_Lot(amount, cost))
            self.amount += amount
            self.cost += cost

    def take(self, amount: int) -> int:
        """Let the oldest `amount` go, or all there is; returns its cost."""
        cost = 0
        while amount > 0 and self._lots:
            lot = self._lots[0]
            going = min(amount, lot.amount - lot.gone)
            cost += lot.cost * (lot.gone + going) // lot.amount - lot.cost * lot.gone // lot.amount
            lot.gone += going
            amount -= going
            self.amount -= going
            if lot.gone == lot.amount:
                self._lots.popleft()
        self.cost -= cost
        return cost


@dataclass(slots=True)
class Ledger:
    """A wallet's coins and shares of liquidity with their cost, and the gain of those that left, in native wei."""

    coins: Lots = field(default_factory=Lots)
    shares: Lots = field(default_factory=Lots)
    realised: int = 0

    def apply(self, move: Move) -> None:
        """Enter one move; they come in the chain's order."""
        match move.kind:
            case "bought":
                self.coins.put(move.tokens, move.native)
            case "sold":
                self.realised += move.native - self.coins.take(move.tokens)
            case "received":
                self.coins.put(move.tokens, 0)
            case "sent":
                self.coins.take(move.tokens)
            case "added":
                self.shares.put(move.shares, move.native + self.coins.take(move.tokens))
            case "granted":
                self.shares.put(move.shares, 0)
            case "removed":
                cost = self.shares.take(move.shares)
                self.coins.put(move.tokens, cost // 2)
                self.realised += move.native - (cost - cost // 2)
