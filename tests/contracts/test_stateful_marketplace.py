"""C15, SparkMarketplace under random trading, against a model of its books in Python (titanoboa and hypothesis)."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boa
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from tests.contracts.conftest import FOREVER, ZERO_ADDRESS
from tests.contracts.profiles import STATEFUL

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"
TOKENS = 3
PEOPLE = 3
DAY = 86_400
WEEK = 7 * DAY
EXTENSION = 900
WEALTH = 10**40

tokens = st.integers(min_value=0, max_value=TOKENS - 1)
people = st.integers(min_value=0, max_value=PEOPLE - 1)
# Whoever may do it, twice as often as anybody at random.
callers = st.integers(min_value=0, max_value=3 * PEOPLE - 1)
picks = st.integers(min_value=0, max_value=2**16)
currencies = st.integers(min_value=0, max_value=1)
prices = st.one_of(
    st.integers(min_value=10_000, max_value=20_000),
    st.integers(min_value=10_000, max_value=10**24),
)
days = st.integers(min_value=1, max_value=30)


@dataclass(frozen=True)
class Terms:
    """What a listing, an offer or an auction says; `time` is its expiry or end."""

    who: Any
    currency: Any
    amount: int
    fee_bps: int
    time: int
    bidder: Any = None


def _one_of(entries: Mapping[Any, Any], pick: int) -> tuple[Any, Any]:
    return list(entries.items())[pick % len(entries)]


class Market(RuleBasedStateMachine):
    """Three people trade three tokens of a collection that asks for any royalty, up to the whole of uint256."""

    market: Any
    nft: Any
    spark: Any
    actors: list[Any]
    platform: Any
    artist: Any

    def __init__(self) -> None:
        super().__init__()
        self.anchor = boa.env.anchor()
        self.anchor.__enter__()
        self.currencies = [ZERO_ADDRESS, self.spark.address]
        self.owners = {token: self.actors[token % PEOPLE] for token in range(TOKENS)}
        self.listings: dict[int, Terms] = {}
        self.offers: dict[tuple[int, Any], Terms] = {}
        self.auctions: dict[int, Terms] = {}
        self.credits: Counter[tuple[Any, Any]] = Counter()
        self.donated: Counter[Any] = Counter()
        self.fee_bps = 250
        self.royalty = 0

    def teardown(self) -> None:
        self.anchor.__exit__(None, None, None)

    # listings

    @rule(token=tokens, caller=callers, currency=currencies, price=prices, ahead=days)
    def list_token(self, token: int, caller: int, currency: int, price: int, ahead: int) -> None:
        seller, expiry = self._caller(caller, self.owners[token]), self._now() + ahead * DAY
        call = (self.nft, token, self.currencies[currency], price, expiry)
        reason = None if self.owners[token] == seller else "marketplace: caller does not own the token"
        if self._attempt(reason, self.market.createListing, *call, sender=seller):
            self.listings[token] = Terms(seller, self.currencies[currency], price, self.fee_bps, expiry)

    @precondition(lambda self: self.listings)
    @rule(pick=picks, caller=callers)
    def cancel_listing(self, pick: int, caller: int) -> None:
        token, listing = _one_of(self.listings, pick)
        person = self._caller(caller, listing.who)
        reason = None if person in (listing.who, self.owners[token]) else "marketplace: caller may not cancel"
        if self._attempt(reason, self.market.cancelListing, self.nft, token, sender=person):
            del self.listings[token]

    @precondition(lambda self: self.listings)
    @rule(pick=picks, person=people)
    def buy(self, pick: int, person: int) -> None:
        token, listing = _one_of(self.listings, pick)
        reason = None
        if self._now() > listing.time:
            reason = "marketplace: listing expired"
        elif self.owners[token] != listing.who:
            reason = "marketplace: seller does not own the token"
        call = (self.nft, token, listing.currency, listing.amount)
        if self._attempt(reason, self.market.buy, *call, value=self._value(listing), sender=self.actors[person]):
            del self.listings[token]
            self._sold(token, listing, listing.who, self.actors[person])

    # offers

    @rule(token=tokens, person=people, currency=currencies, amount=prices, ahead=days)
    def make_offer(self, token: int, person: int, currency: int, amount: int, ahead: int) -> None:
        buyer = self.actors[person]
        offer = Terms(buyer, self.currencies[currency], amount, self.fee_bps, self._now() + ahead * DAY)
        reason = "marketplace: offer exists" if (token, buyer) in self.offers else None
        call = (self.nft, token, offer.currency, amount, offer.time)
        if self._attempt(reason, self.market.makeOffer, *call, value=self._value(offer), sender=buyer):
            self.offers[token, buyer] = offer

    @precondition(lambda self: self.offers)
    @rule(pick=picks)
    def cancel_offer(self, pick: int) -> None:
        (token, buyer), offer = _one_of(self.offers, pick)
        self.market.cancelOffer(self.nft, token, sender=buyer)
        del self.offers[token, buyer]
        self.credits[buyer, offer.currency] += offer.amount

    @precondition(lambda self: self.offers)
    @rule(pick=picks, caller=callers)
    def accept_offer(self, pick: int, caller: int) -> None:
        (token, buyer), offer = _one_of(self.offers, pick)
        seller = self._caller(caller, self.owners[token])
        reason = None
        if self._now() > offer.time:
            reason = "marketplace: offer expired"
        elif self.owners[token] != seller:
            reason = "marketplace: caller does not own the token"
        call = (self.nft, token, buyer, offer.currency, offer.amount)
        if self._attempt(reason, self.market.acceptOffer, *call, sender=seller):
            del self.offers[token, buyer]
            self.listings.pop(token, None)
            self._sold(token, offer, seller, buyer)

    # auctions

    @rule(token=tokens, caller=callers, currency=currencies, reserve=prices, ahead=days)
    def create_auction(self, token: int, caller: int, currency: int, reserve: int, ahead: int) -> None:
        seller = self._caller(caller, self.owners[token])
        call = (self.nft, token, self.currencies[currency], reserve, ahead * DAY)
        reason = None if self.owners[token] == seller else "marketplace: caller does not own the token"
        if self._attempt(reason, self.market.createAuction, *call, sender=seller):
            self.listings.pop(token, None)
            end = self._now() + ahead * DAY
            self.auctions[token] = Terms(seller, self.currencies[currency], reserve, self.fee_bps, end)
            self.owners[token] = self.market.address

    @precondition(lambda self: self.auctions)
    @rule(pick=picks, person=people, percent=st.integers(min_value=99, max_value=200))
    def bid(self, pick: int, person: int, percent: int) -> None:
        token, auction = _one_of(self.auctions, pick)
        bidder = self.actors[person]
        amount = auction.amount * percent // 100
        least = auction.amount if auction.bidder is None else -(-auction.amount * 105 // 100)
        assert self.market.minimumBid(self.nft, token) == least
        reason = None
        if self._now() >= auction.time:
            reason = "marketplace: auction ended"
        elif amount < least:
            reason = "marketplace: bid too low"
        raised = replace(auction, amount=amount, bidder=bidder, time=max(auction.time, self._now() + EXTENSION))
        call = (self.nft, token, auction.currency, amount)
        if self._attempt(reason, self.market.bid, *call, value=self._value(raised), sender=bidder):
            if auction.bidder is not None:
                self.credits[auction.bidder, auction.currency] += auction.amount
            self.auctions[token] = raised

    @precondition(lambda self: self.auctions)
    @rule(pick=picks, person=people, patiently=st.booleans())
    def settle_auction(self, pick: int, person: int, *, patiently: bool) -> None:
        token, auction = _one_of(self.auctions, pick)
        if patiently:
            self._wait_until(auction.time)
        reason = None if self._now() >= auction.time else "marketplace: auction runs"
        if self._attempt(reason, self.market.settleAuction, self.nft, token, sender=self.actors[person]):
            del self.auctions[token]
            if auction.bidder is None:
                self.owners[token] = auction.who
            else:
                self._sold(token, auction, auction.who, auction.bidder)

    @precondition(lambda self: self.auctions)
    @rule(pick=picks, caller=callers)
    def cancel_auction(self, pick: int, caller: int) -> None:
        token, auction = _one_of(self.auctions, pick)
        person = self._caller(caller, auction.who)
        reason = None
        if person != auction.who:
            reason = "marketplace: caller may not cancel"
        elif auction.bidder is not None:
            reason = "marketplace: auction has a bid"
        if self._attempt(reason, self.market.cancelAuction, self.nft, token, sender=person):
            del self.auctions[token]
            self.owners[token] = auction.who

    @precondition(lambda self: self.auctions)
    @rule(pick=picks, caller=callers, patiently=st.booleans())
    def withdraw_bid(self, pick: int, caller: int, *, patiently: bool) -> None:
        token, auction = _one_of(self.auctions, pick)
        if patiently:
            self._wait_until(auction.time + WEEK + 1)
        person = self._caller(caller, auction.bidder)
        reason = None
        if person != auction.bidder:
            reason = "marketplace: caller is not the highest bidder"
        elif self._now() <= auction.time + WEEK:
            reason = "marketplace: settlement still possible"
        if self._attempt(reason, self.market.withdrawBid, self.nft, token, sender=person):
            self.credits[person, auction.currency] += auction.amount
            self.auctions[token] = replace(auction, bidder=None)

    # money and the world outside

    @precondition(lambda self: +self.credits)
    @rule(pick=picks, person=people)
    def withdraw(self, pick: int, person: int) -> None:
        (account, coin), due = _one_of(+self.credits, pick)
        before = self._balance(coin, account)
        self.market.withdraw(account, coin, sender=self.actors[person])
        assert self._balance(coin, account) == before + due
        self.credits[account, coin] = 0
        self._attempt("marketplace: no credit", self.market.withdraw, account, coin, sender=account)

    @rule(token=tokens, person=people)
    def give_away(self, token: int, person: int) -> None:
        if token not in self.auctions:
            self.nft.transferFrom(self.owners[token], self.actors[person], token, sender=self.owners[token])
            self.owners[token] = self.actors[person]

    @rule(asked=st.one_of(st.integers(min_value=0, max_value=10**24), st.just(2**256 - 1)))
    def ask_for_royalty(self, asked: int) -> None:
        self.nft.answerRoyaltyWith(int(self.artist, 16).to_bytes(32, "big") + asked.to_bytes(32, "big"))
        self.royalty = asked

    @rule(fee_bps=st.integers(min_value=0, max_value=1_000))
    def set_fee(self, fee_bps: int) -> None:
        self.market.setFee(fee_bps)
        self.fee_bps = fee_bps

    @rule(currency=currencies, amount=prices)
    def donate(self, currency: int, amount: int) -> None:
        coin = self.currencies[currency]
        if coin == ZERO_ADDRESS:
            boa.env.set_balance(self.market.address, boa.env.get_balance(self.market.address) + amount)
        else:
            self.spark.mint(self.market, amount)
        self.donated[coin] += amount

    @rule(seconds=st.one_of(st.integers(min_value=1, max_value=DAY), st.integers(min_value=DAY, max_value=2 * WEEK)))
    def wait(self, seconds: int) -> None:
        boa.env.time_travel(seconds=seconds)

    @precondition(lambda self: self.auctions)
    @rule(pick=picks, before=st.integers(min_value=-1, max_value=2 * EXTENSION))
    def wait_for_the_end_of_an_auction(self, pick: int, before: int) -> None:
        _, auction = _one_of(self.auctions, pick)
        self._wait_until(auction.time - before)

    # what always holds

    @invariant()
    def it_holds_exactly_credits_offers_bids_and_donations(self) -> None:
        for coin in self.currencies:
            owed = sum(amount for (_, currency), amount in self.credits.items() if currency == coin)
            owed += sum(offer.amount for offer in self.offers.values() if offer.currency == coin)
            owed += sum(a.amount for a in self.auctions.values() if a.bidder is not None and a.currency == coin)
            assert self._balance(coin, self.market.address) == owed + self.donated[coin]

    @invariant()
    def everybody_s_credit_is_what_it_earned(self) -> None:
        for account in (*self.actors, self.platform, self.artist):
            for coin in self.currencies:
                assert self.market.creditOf(account, coin) == self.credits[account, coin]

    @invariant()
    def it_holds_the_tokens_of_its_auctions_and_no_others(self) -> None:
        for token, owner in self.owners.items():
            assert self.nft.ownerOf(token) == owner
            assert (owner == self.market.address) == (token in self.auctions)

    @invariant()
    def listings_and_auctions_say_what_their_sellers_said(self) -> None:
        for token in range(TOKENS):
            listing = self.listings.get(token, Terms(ZERO_ADDRESS, ZERO_ADDRESS, 0, 0, 0))
            expected = (listing.who, listing.currency, listing.amount, listing.fee_bps, listing.time)
            assert tuple(self.market.listing(self.nft, token)) == expected
            auction = self.auctions.get(token, Terms(ZERO_ADDRESS, ZERO_ADDRESS, 0, 0, 0))
            bidder = auction.bidder or ZERO_ADDRESS
            said = (auction.who, bidder, auction.currency, auction.amount, auction.fee_bps, auction.time)
            assert tuple(self.market.auction(self.nft, token)) == said

    @invariant()
    def offers_say_what_their_buyers_said(self) -> None:
        for (token, buyer), offer in self.offers.items():
            expected = (offer.currency, offer.amount, offer.fee_bps, offer.time)
            assert tuple(self.market.offer(self.nft, token, buyer)) == expected

    def _attempt(self, reason: str | None, method: Any, *arguments: Any, **options: Any) -> bool:
        """Call, and say whether it went through; it must fail for `reason` where there is one."""
        if reason is None:
            method(*arguments, **options)
            return True
        with boa.reverts(reason):
            method(*arguments, **options)
        return False

    def _sold(self, token: int, terms: Terms, seller: Any, buyer: Any) -> None:
        fee = -(-terms.amount * terms.fee_bps // 10_000)
        royalty = min(self.royalty, terms.amount // 2 - fee)
        assert fee + royalty <= terms.amount // 2
        self.credits[seller, terms.currency] += terms.amount - fee - royalty
        self.credits[self.platform, terms.currency] += fee
        self.credits[self.artist, terms.currency] += royalty
        self.owners[token] = buyer

    def _caller(self, caller: int, rightful: Any) -> Any:
        return rightful if caller >= PEOPLE and rightful in self.actors else self.actors[caller % PEOPLE]

    def _value(self, terms: Terms) -> int:
        return terms.amount if terms.currency == ZERO_ADDRESS else 0

    def _balance(self, currency: Any, account: Any) -> int:
        held: int = boa.env.get_balance(account) if currency == ZERO_ADDRESS else self.spark.balanceOf(account)
        return held

    def _wait_until(self, timestamp: int) -> None:
        if timestamp > self._now():
            boa.env.time_travel(seconds=timestamp - self._now())

    def _now(self) -> int:
        timestamp: int = boa.env.timestamp
        return timestamp


def test_the_marketplace_keeps_its_books_whatever_is_done_to_it() -> None:
    with boa.env.anchor():
        platform, artist = boa.env.generate_address("platform"), boa.env.generate_address("artist")
        trading = [boa.env.generate_address(f"person {index}") for index in range(PEOPLE)]
        spark = boa.load(str(CONTRACTS / "mocks" / "CallbackToken.vy"))
        nft = boa.load(str(CONTRACTS / "mocks" / "HostileCollection.vy"))
        market = boa.load(str(CONTRACTS / "nft" / "SparkMarketplace.vy"), spark, platform, 250)
        for person in trading:
            boa.env.set_balance(person, WEALTH)
            spark.mint(person, WEALTH)
            spark.approve(market, FOREVER, sender=person)
            nft.setApprovalForAll(market, True, sender=person)
        for token in range(TOKENS):
            nft.mint(trading[token % PEOPLE], token)
        parts = {"market": market, "nft": nft, "spark": spark}
        people_ = {"actors": trading, "platform": platform, "artist": artist}
        run_state_machine_as_test(type("DeployedMarket", (Market,), {**parts, **people_}), settings=STATEFUL)
