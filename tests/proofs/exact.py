"""Proves the exchange's prices over the integers, from the functions in its source, with z3.

Bit-level solvers do not get through products and quotients of 256-bit words. Vyper's arithmetic reverts where it would
leave them, so what it returns is what the same functions return over the integers. That nothing reverts within the
bounds, and that the unchecked operations do not wrap, is proved as well.
"""

import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import z3  # type: ignore[import-not-found]  # only in the environment of `make proofs`

SOURCE: Final = Path(__file__).parents[2] / "contracts" / "exchange" / "IntegratedCreatorDEX.vy"
FUNCTIONS: Final = ("_quote_purchase", "_quote_sale", "_platform_fee")
SECONDS: Final = 20

# What the theorems must not survive, or they say nothing.
FAULTS: Final = {
    "the pool pays for trades": ("= BASIS_POINTS - poolFeeRate", "= BASIS_POINTS + 1"),
    "the fee is rounded down": (" + BASIS_POINTS - 1) //", ") //"),
    "purchases priced by the wrong reserve": ("weighted_in * pool.token //", "weighted_in * pool.native //"),
    "sales priced with a reserve left out": ("(unsafe_mul(pool.token, BASIS_POINTS) + weighted_in)", "weighted_in"),
}

WORD: Final = 2**256
RESERVES: Final = 2**108
PAYMENTS: Final = 2**128  # of either coin
RATES: Final = 1_001  # bps: a token can ask for 1 000 at most


@dataclass
class Arithmetic:
    """The numbers of one proof: what is known of them, and what each operation needs in order not to revert or wrap."""

    known: list[Any] = field(default_factory=list)
    needed: list[tuple[list[Any], Any]] = field(default_factory=list)

    def number(self, least: int, below: Any) -> "Number":
        """Return any number from `least` on and below `below`."""
        value = z3.FreshInt()
        self.known += [value >= least, value < below]
        return Number(self, value)

    def need(self, condition: Any) -> None:
        """Note what an operation needs, to be proved from what was known before it."""
        self.needed.append((list(self.known), condition))


@dataclass(frozen=True)
class Number:
    """A uint256 as the exchange's functions calculate with it."""

    arithmetic: Arithmetic
    value: Any

    def __add__(self, other: "Number | int") -> "Number":
        return self._word(self.value + _value(other))

    def __sub__(self, other: "Number | int") -> "Number":
        return self._word(self.value - _value(other))

    def __mul__(self, other: "Number | int") -> "Number":
        return self._word(self.value * _value(other))

    def __floordiv__(self, other: "Number | int") -> "Number":
        divisor = _value(other)
        self.arithmetic.need(divisor > 0)
        quotient = z3.FreshInt()
        self.arithmetic.known += [quotient * divisor <= self.value, self.value < quotient * divisor + divisor]
        return Number(self.arithmetic, quotient)

    def _word(self, value: Any) -> "Number":
        self.arithmetic.need(z3.And(value >= 0, value < WORD))
        return Number(self.arithmetic, value)


def _value(number: "Number | int") -> Any:
    return number.value if isinstance(number, Number) else number


def _functions(source: str) -> SimpleNamespace:
    """Return the exchange's pricing functions: their Vyper is Python as well."""
    space: dict[str, Any] = {"unsafe_mul": lambda left, right: left * right}
    for name, value in re.findall(r"^(\w+): (?:public\()?constant\(uint256\)\)? = (.+)$", source, re.MULTILINE):
        exec(f"{name} = {value}", space)  # noqa: S102  # our own
    for name in FUNCTIONS:
        text = re.search(rf"^def {name}\(.*?\n(?=\n)", source, re.MULTILINE | re.DOTALL)
        if text is None:
            sys.exit(f"{SOURCE.name} has no {name}: bring tests/proofs/exact.py up to date with it.")
        exec("from __future__ import annotations\n" + text[0], space)  # noqa: S102  # our own
    exchange = SimpleNamespace(**{name: space[name] for name in FUNCTIONS})
    space["self"] = exchange
    return exchange


@dataclass(frozen=True)
class Trade:
    """What came of a trade, in wei."""

    out: Any  # what the trader receives
    gross: Any  # what leaves the pool
    fee: Any  # the platform's, native
    untaxed: Any  # the native side without that fee, or before it
    native: Number
    token: Number


class Market:
    """Any pool of any token, and trades with it."""

    def __init__(self, source: str) -> None:
        self.arithmetic = Arithmetic()
        self.native = self.arithmetic.number(1, RESERVES)
        self.token = self.arithmetic.number(1, RESERVES)
        self.rate = self.arithmetic.number(0, RATES)
        self._exchange = _functions(source)

    def payment(self) -> Number:
        """Return any amount of either coin."""
        return self.arithmetic.number(0, PAYMENTS)

    def buy(self, native: Number, token: Number, paid: Number) -> Trade:
        """Return what `buyTokens` does to these reserves."""
        bought, fee = self._exchange._quote_purchase(self.rate, SimpleNamespace(native=native, token=token), paid)
        return Trade(bought.value, bought.value, fee.value, (paid - fee).value, native + paid - fee, token - bought)

    def sell(self, native: Number, token: Number, paid: Number) -> Trade:
        """Return what `sellTokens` does to these reserves."""
        gross, fee = self._exchange._quote_sale(self.rate, SimpleNamespace(native=native, token=token), paid)
        return Trade((gross - fee).value, gross.value, fee.value, gross.value, native - gross, token + paid)


Side = Callable[[Market, Number, Number, Number], Trade]
Theorem = tuple[str, list[Any], Any]  # what it says, from what, and what follows


def of_one_trade(source: str, side: Side) -> Iterator[Theorem]:
    """Yield what holds of each trade on one side of the market."""
    market = Market(source)
    paid, more = market.payment(), market.payment()
    trade = side(market, market.native, market.token, paid)
    for known, condition in market.arithmetic.needed:
        yield "no operation reverts or wraps", known, condition

    known = market.arithmetic.known
    reserve = market.token.value if side is Market.buy else market.native.value
    product = market.native.value * market.token.value
    taxed = paid.value if side is Market.buy else trade.gross
    yield "less leaves than the reserve", known, trade.gross < reserve
    yield "the fee is part of what is paid", known, trade.fee <= taxed
    yield "the fee is not less than its rate", known, trade.fee * 10_000 >= taxed * market.rate.value
    yield "the product of the reserves never falls", known, trade.native.value * trade.token.value >= product
    larger = side(market, market.native, market.token, more)
    known, grows = market.arithmetic.known, trade.untaxed <= larger.untaxed
    yield "who brings more moves no less of the native coin", [*known, paid.value <= more.value], grows
    yield "who brings more gets no less", [*known, paid.value <= more.value, grows], trade.out <= larger.out


def of_a_round_trip(source: str, there: Side, back: Side) -> Iterator[Theorem]:
    """Yield what holds of trading all that a trade brought back at once."""
    market = Market(source)
    paid = market.payment()
    first = there(market, market.native, market.token, paid)
    reserves_fit = [first.native.value < RESERVES, first.token.value < RESERVES]  # or `_store` reverts
    second = back(market, first.native, first.token, Number(market.arithmetic, first.out))
    products = [trade.native.value * trade.token.value for trade in (first, second)]
    known = [
        *market.arithmetic.known,
        *reserves_fit,
        # Proved above for any trade.
        products[0] >= market.native.value * market.token.value,
        products[1] >= products[0],
        *(first.fee >= 0, second.fee >= 0),
    ]
    yield "trading there and back never pays", known, second.out <= paid.value


def theorems(source: str) -> Iterator[tuple[str, Theorem]]:
    """Yield every theorem, with the trades that it is about."""
    for side in (Market.buy, Market.sell):
        for theorem in of_one_trade(source, side):
            yield side.__name__, theorem
    for there, back in ((Market.buy, Market.sell), (Market.sell, Market.buy)):
        for theorem in of_a_round_trip(source, there, back):
            yield f"{there.__name__}, then {back.__name__}", theorem


def proof_of(known: list[Any], goal: Any) -> str:
    """Return "proved", or what z3 says instead."""
    solver = z3.Solver()
    solver.set("timeout", SECONDS * 1000)
    solver.add(*known, z3.Not(goal))
    return {"unsat": "proved", "sat": "REFUTED", "unknown": "TIMEOUT"}[str(solver.check())]


def results() -> Iterator[tuple[str, str, str, float]]:
    """Yield each theorem's trades and statement, how its proof ended, and the seconds that it took."""
    source = SOURCE.read_text()
    for (trades, statement), group in groupby(theorems(source), key=lambda each: (each[0], each[1][0])):
        start = time.monotonic()
        ends = {proof_of(known, goal) for _, (_, known, goal) in group}
        yield trades, statement, " ".join(sorted(ends)), time.monotonic() - start
    for fault, (right, wrong) in FAULTS.items():
        start = time.monotonic()
        if right not in source:
            sys.exit(f"{SOURCE.name} has no `{right}`: bring tests/proofs/exact.py up to date with it.")
        wronged = theorems(source.replace(right, wrong))
        found = any(proof_of(known, goal) == "REFUTED" for _, (_, known, goal) in wronged)
        yield "with a fault", fault, "found" if found else "OVERLOOKED", time.monotonic() - start
