"""C13, MusicNFT under random sequences of drops, mints, sales, transfers and withdrawals (titanoboa and hypothesis)."""

from pathlib import Path
from typing import Any

import boa
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from tests.contracts.conftest import FOREVER, ZERO_ADDRESS
from tests.contracts.profiles import STATEFUL

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"
PIECES = 3

people = st.integers(min_value=0, max_value=3)
creators = st.integers(min_value=0, max_value=1)
pieces = st.integers(min_value=0, max_value=PIECES - 1)
picks = st.integers(min_value=0, max_value=2**16)
prices = st.integers(min_value=0, max_value=10**20)


class Drops(RuleBasedStateMachine):
    """Four people, the first two of them creators; what the books should say is kept in plain Python."""

    music: Any
    token: Any
    actors: list[Any]

    def __init__(self) -> None:
        super().__init__()
        self.anchor = boa.env.anchor()
        self.anchor.__enter__()
        self.drops: list[dict[str, Any]] = []
        self.owners: dict[int, Any] = {}
        self.earned = dict.fromkeys(self.actors, 0)
        self.donated = 0
        self.touched = 1

    def teardown(self) -> None:
        for identifier in range(1, len(self.drops) + 1):
            self._check_drop(identifier)
        self.anchor.__exit__(None, None, None)

    @rule(creator=creators, piece=pieces, supply=st.integers(min_value=1, max_value=4), exclusive=st.booleans())
    def drop(self, creator: int, piece: int, supply: int, *, exclusive: bool) -> None:
        mine = [d for d in self.drops if (d["creator"], d["piece"]) == (self.actors[creator], piece)]
        call = ("Song", f"piece {piece}", 500, supply, exclusive, ZERO_ADDRESS, 0)
        if any(d["exclusive"] for d in mine) or (exclusive and mine):
            with boa.reverts("music nft: piece would not be exclusive"):
                self.music.createDrop(*call, sender=self.actors[creator])
            return
        assert self.music.createDrop(*call, sender=self.actors[creator]) == len(self.drops) + 1
        self.drops.append(
            {
                "creator": self.actors[creator],
                "piece": piece,
                "supply": supply,
                "exclusive": exclusive,
                "minted": 0,
                "sale": (ZERO_ADDRESS, 0),
            }
        )

    @precondition(lambda self: self.drops)
    @rule(pick=picks, price=prices, in_token=st.booleans())
    def set_sale(self, pick: int, price: int, *, in_token: bool) -> None:
        identifier, drop = self._drop(pick)
        sale = (self.token.address if in_token else ZERO_ADDRESS, price)
        self.music.setSale(identifier, *sale, sender=drop["creator"])
        drop["sale"] = sale

    @precondition(lambda self: self.drops)
    @rule(pick=picks, sender=people, to=people)
    def mint(self, pick: int, sender: int, to: int) -> None:
        identifier, drop = self._drop(pick)
        if self.actors[sender] != drop["creator"]:
            with boa.reverts("music nft: caller is not the drop's creator"):
                self.music.mintEdition(identifier, self.actors[to], sender=self.actors[sender])
        elif drop["minted"] == drop["supply"]:
            with boa.reverts("music nft: sold out"):
                self.music.mintEdition(identifier, self.actors[to], sender=self.actors[sender])
        else:
            token_id = self.music.mintEdition(identifier, self.actors[to], sender=self.actors[sender])
            self._minted(identifier, drop, token_id, self.actors[to])

    @precondition(lambda self: self.drops)
    @rule(pick=picks, buyer=people)
    def buy(self, pick: int, buyer: int) -> None:
        identifier, drop = self._drop(pick)
        currency, price = drop["sale"]
        value = price if currency == ZERO_ADDRESS else 0
        call = (identifier, currency, price)
        person = self.actors[buyer]
        if price == 0:
            with boa.reverts("music nft: not for sale"):
                self.music.buyEdition(*call, value=value, sender=person)
        elif drop["minted"] == drop["supply"]:
            with boa.reverts("music nft: sold out"):
                self.music.buyEdition(*call, value=value, sender=person)
        else:
            before = self.token.balanceOf(drop["creator"])
            token_id = self.music.buyEdition(*call, value=value, sender=person)
            self._minted(identifier, drop, token_id, person)
            self.earned[drop["creator"]] += value
            paid = price if currency != ZERO_ADDRESS and person != drop["creator"] else 0
            assert self.token.balanceOf(drop["creator"]) == before + paid

    @precondition(lambda self: self.owners)
    @rule(pick=picks, to=people)
    def transfer(self, pick: int, to: int) -> None:
        token_id = sorted(self.owners)[pick % len(self.owners)]
        self.touched = token_id >> 128
        owner = self.owners[token_id]
        self.music.transferFrom(owner, self.actors[to], token_id, sender=owner)
        self.owners[token_id] = self.actors[to]

    @precondition(lambda self: self.owners)
    @rule(pick=picks, thief=people)
    def steal(self, pick: int, thief: int) -> None:
        token_id = sorted(self.owners)[pick % len(self.owners)]
        if self.owners[token_id] != self.actors[thief]:
            with boa.reverts("erc721: caller is not token owner or approved"):
                self.music.transferFrom(self.owners[token_id], self.actors[thief], token_id, sender=self.actors[thief])

    @rule(creator=creators, elsewhere=st.booleans(), caller=people)
    def withdraw(self, creator: int, caller: int, *, elsewhere: bool) -> None:
        person = self.actors[creator]
        receiver = boa.env.generate_address() if elsewhere else person
        before = boa.env.get_balance(receiver)
        if self.earned[person] == 0:
            with boa.reverts("music nft: no proceeds"):
                self.music.withdrawProceeds(person, sender=self.actors[caller])
            return
        if elsewhere:
            self.music.withdrawProceedsTo(receiver, sender=person)
        else:
            self.music.withdrawProceeds(person, sender=self.actors[caller])
        assert boa.env.get_balance(receiver) == before + self.earned[person]
        self.earned[person] = 0

    @rule(amount=prices)
    def donate(self, amount: int) -> None:
        boa.env.set_balance(self.music.address, boa.env.get_balance(self.music.address) + amount)
        self.donated += amount

    @invariant()
    def the_drop_just_touched_is_right(self) -> None:
        if self.drops:
            self._check_drop(self.touched)

    @invariant()
    def it_holds_exactly_the_proceeds(self) -> None:
        assert [self.music.proceeds(person) for person in self.actors] == list(self.earned.values())
        assert boa.env.get_balance(self.music.address) == sum(self.earned.values()) + self.donated
        assert self.token.balanceOf(self.music) == 0

    @invariant()
    def no_drop_passes_its_maximum_supply(self) -> None:
        for identifier in range(1, len(self.drops) + 1):
            state = self.music.drop(identifier)
            assert state.minted <= state.maxSupply

    @invariant()
    def the_terms_of_a_sale_are_its_creator_s(self) -> None:
        assert self.music.totalDrops() == len(self.drops)
        if self.drops:
            assert tuple(self.music.saleOf(self.touched)) == self.drops[self.touched - 1]["sale"]

    @invariant()
    def an_exclusive_drop_is_the_only_one(self) -> None:
        for drop in self.drops:
            alike = [d for d in self.drops if (d["creator"], d["piece"]) == (drop["creator"], drop["piece"])]
            assert not drop["exclusive"] or len(alike) == 1

    def _drop(self, pick: int) -> tuple[int, dict[str, Any]]:
        index = pick % len(self.drops)
        self.touched = index + 1
        return self.touched, self.drops[index]

    def _check_drop(self, identifier: int) -> None:
        """Each edition has its owner, and balances are the editions recounted."""
        drop = self.drops[identifier - 1]
        state = self.music.drop(identifier)
        assert (state.minted, state.maxSupply) == (drop["minted"], drop["supply"])
        editions = [identifier << 128 | number for number in range(1, drop["minted"] + 1)]
        for edition in editions:
            assert self.music.ownerOf(edition) == self.owners[edition]
        with boa.reverts("erc721: invalid token ID"):
            self.music.ownerOf(identifier << 128 | drop["minted"] + 1)
        for person in self.actors:
            held = [edition for edition, owner in self.owners.items() if owner == person]
            assert self.music.balanceOf(person) == len(held)
            assert self.music.editionsHeld(person, identifier) == len(set(held) & set(editions))

    def _minted(self, identifier: int, drop: dict[str, Any], token_id: int, owner: Any) -> None:
        drop["minted"] += 1
        assert token_id == identifier << 128 | drop["minted"]
        self.owners[token_id] = owner


def test_drops_keep_their_books_whatever_is_done_to_them() -> None:
    with boa.env.anchor():
        people = [boa.env.generate_address(f"person {index}") for index in range(4)]
        registry = boa.load(str(CONTRACTS / "mocks" / "OpenRegistry.vy"))
        token = boa.load(str(CONTRACTS / "mocks" / "CallbackToken.vy"))
        music = boa.load(str(CONTRACTS / "nft" / "MusicNFT.vy"), registry, registry, "")
        for creator in people[:2]:
            music.grantRole(music.CREATOR_ROLE(), creator)
        for person in people:
            boa.env.set_balance(person, 10**30)
            token.mint(person, 10**30)
            token.approve(music, FOREVER, sender=person)
        deployed = type("DeployedDrops", (Drops,), {"music": music, "token": token, "actors": people})
        run_state_machine_as_test(deployed, settings=STATEFUL)
