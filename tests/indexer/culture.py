"""Random activity around NFTs: drops and editions, the marketplace, and who may have which content."""

from collections import Counter
from random import Random
from typing import Any

from eth_utils.crypto import keccak

from tests.indexer.world import ACCOUNTS, CONTRACTS, INVALID_UTF8, ODD_STRINGS, TREASURY, ZERO, Emit

DAY = 86_400
MUSIC, SPARKS = CONTRACTS["MusicNFT"], CONTRACTS["SparkNFT"]
CURRENCIES = [ZERO, CONTRACTS["SparkToken"]]
COLLECTIONS = {MUSIC: "MusicNFT", SPARKS: "SparkNFT"}
LISTING, OFFER, AUCTION = 1, 2, 3

Token = tuple[str, int]
"""A collection and a token's ID."""


class Culture:
    """The state of the NFT contracts, by whose rules it emits their events."""

    def __init__(self, emit: Emit) -> None:
        self.now = 0
        self.owners: dict[Token, str] = {}
        self.approved: dict[Token, str] = {}
        self.operators: dict[tuple[str, str, str], bool] = {}
        self.drops: dict[int, dict[str, Any]] = {}
        self.proceeds: Counter[str] = Counter()
        self.listings: dict[Token, tuple[str, str, int]] = {}
        self.offers: dict[tuple[Token, str], tuple[str, int]] = {}
        self.auctions: dict[Token, dict[str, Any]] = {}
        self.credits: Counter[tuple[str, str]] = Counter()
        self.rules: dict[str, tuple[str, int, str, int]] = {}
        self.grants: dict[tuple[str, str], int] = {}
        self._emit = emit

    def create_drop(self, random: Random) -> None:
        drop = len(self.drops) + 1
        creator = random.choice(ACCOUNTS)
        self.drops[drop] = {"creator": creator, "minted": 0, "currency": ZERO, "price": 0}
        self._emit(
            "MusicNFT",
            "DropCreated",
            dropId=drop,
            creator=creator,
            title=random.choice([*ODD_STRINGS, INVALID_UTF8]),
            audioPieceCid=f"bafy{drop}",
            royaltyBps=random.randrange(1_001),
            maxSupply=2**32 - 1,
            isExclusive=random.random() < 0.5,
        )
        self.set_sale(random, drop)

    def set_sale(self, random: Random, drop: int | None = None) -> None:
        if drop := drop or self._drop(random):
            currency, price = random.choice([ZERO, ACCOUNTS[0]]), random.choice([0, random.randrange(1, 10**18)])
            self.drops[drop] |= {"currency": currency, "price": price}
            self._emit("MusicNFT", "SaleUpdated", dropId=drop, paymentToken=currency, price=price)

    def mint(self, random: Random) -> None:
        if random.random() < 0.3 or not (drop := self._drop(random)):
            token_id = sum(collection == SPARKS for collection, _ in self.owners) + 1
            self._transfer((SPARKS, token_id), ZERO, random.choice(ACCOUNTS))
            return
        state = self.drops[drop]
        state["minted"] += 1
        buyer, token_id = random.choice(ACCOUNTS), drop << 128 | state["minted"]
        self._transfer((MUSIC, token_id), ZERO, buyer)
        if state["price"]:
            if state["currency"] == ZERO:
                self.proceeds[state["creator"]] += state["price"]
            self._emit(
                "MusicNFT",
                "EditionSold",
                dropId=drop,
                tokenId=token_id,
                buyer=buyer,
                paymentToken=state["currency"],
                price=state["price"],
            )

    def withdraw_proceeds(self, random: Random) -> None:
        if due := +self.proceeds:
            creator = random.choice(sorted(due))
            self._emit(
                "MusicNFT",
                "ProceedsWithdrawn",
                creator=creator,
                receiver=random.choice(ACCOUNTS),
                amount=self.proceeds.pop(creator),
            )

    def transfer(self, random: Random) -> None:
        if owned := self._owned(random):
            token, owner = owned
            self._transfer(token, owner, random.choice(ACCOUNTS))

    def approve(self, random: Random) -> None:
        if owned := self._owned(random):
            token, owner = owned
            collection, token_id = token
            self.approved[token] = random.choice([ZERO, *ACCOUNTS])
            name = COLLECTIONS[collection]
            self._emit(name, "Approval", owner=owner, approved=self.approved[token], token_id=token_id)
            operator, approved = random.choice(ACCOUNTS), random.random() < 0.5
            self.operators[collection, owner, operator] = approved
            self._emit(name, "ApprovalForAll", owner=owner, operator=operator, approved=approved)

    def change_metadata(self, random: Random) -> None:
        text = random.choice(["ipfs://a/", "https://b/"])
        for contract, event, parameter in (
            ("MusicNFT", "MediaBaseUriUpdated", "mediaBaseUri"),
            ("SparkNFT", "BaseUriUpdated", "baseUri"),
        ):
            self._emit(contract, event, **{parameter: text})
            self._emit(contract, "BatchMetadataUpdate", _fromTokenId=0, _toTokenId=2**256 - 1)
        self._emit("SparkNFT", "RoyaltyUpdated", receiver=random.choice(ACCOUNTS), royaltyBps=random.randrange(1_001))

    def create_listing(self, random: Random) -> None:
        if owned := self._owned(random):
            (collection, token_id), seller = owned
            currency, price = random.choice(CURRENCIES), random.randrange(10_000, 2**128)
            self.listings[collection, token_id] = (seller, currency, price)
            self._market(
                "ListingCreated",
                (collection, token_id),
                seller=seller,
                currency=currency,
                price=price,
                feeBps=250,
                expiresAt=self.now + DAY,
            )

    def cancel_listing(self, random: Random) -> None:
        if self.listings:
            self._drop_listing(random.choice(sorted(self.listings)))

    def buy(self, random: Random) -> None:
        sellable = sorted(token for token, (seller, *_) in self.listings.items() if self.owners[token] == seller)
        if sellable:
            token = random.choice(sellable)
            seller, currency, price = self.listings.pop(token)
            buyer = random.choice(ACCOUNTS)
            self._sell(random, token, buyer=buyer, seller=seller, method=LISTING, currency=currency, price=price)
            self._transfer(token, seller, buyer)

    def make_offer(self, random: Random) -> None:
        buyer = random.choice(ACCOUNTS)
        if (owned := self._owned(random)) and (owned[0], buyer) not in self.offers:
            currency, amount = random.choice(CURRENCIES), random.randrange(10_000, 10**20)
            self.offers[owned[0], buyer] = (currency, amount)
            self._market(
                "OfferMade",
                owned[0],
                buyer=buyer,
                currency=currency,
                amount=amount,
                feeBps=250,
                expiresAt=self.now + DAY,
            )

    def cancel_offer(self, random: Random) -> None:
        if self.offers:
            token, buyer = random.choice(sorted(self.offers))
            currency, amount = self.offers.pop((token, buyer))
            self.credits[buyer, currency] += amount
            self._market("OfferCancelled", token, buyer=buyer, currency=currency, refund=amount)

    def accept_offer(self, random: Random) -> None:
        offers = sorted(key for key in self.offers if key[0] not in self.auctions)
        if offers:
            token, buyer = random.choice(offers)
            currency, amount = self.offers.pop((token, buyer))
            seller = self.owners[token]
            self._drop_listing(token)
            self._sell(random, token, buyer=buyer, seller=seller, method=OFFER, currency=currency, price=amount)
            self._transfer(token, seller, buyer)

    def create_auction(self, random: Random) -> None:
        if owned := self._owned(random):
            token, seller = owned
            self._drop_listing(token)
            currency, reserve = random.choice(CURRENCIES), random.randrange(10_000, 10**20)
            self.auctions[token] = {"seller": seller, "bidder": ZERO, "currency": currency, "amount": reserve}
            self._market(
                "AuctionCreated",
                token,
                seller=seller,
                currency=currency,
                reservePrice=reserve,
                feeBps=250,
                endsAt=self.now + DAY,
            )
            self._transfer(token, seller, CONTRACTS["SparkMarketplace"])

    def bid(self, random: Random) -> None:
        if self.auctions:
            token = random.choice(sorted(self.auctions))
            auction, bidder = self.auctions[token], random.choice(ACCOUNTS)
            outbid = auction["bidder"]
            refund = 0 if outbid == ZERO else auction["amount"]
            if refund:
                self.credits[outbid, auction["currency"]] += refund
            auction |= {"bidder": bidder, "amount": auction["amount"] * 2}
            self._market(
                "BidPlaced",
                token,
                bidder=bidder,
                currency=auction["currency"],
                amount=auction["amount"],
                endsAt=self.now + DAY,
                outbidBidder=outbid,
                refund=refund,
            )

    def withdraw_bid(self, random: Random) -> None:
        if bids := sorted(token for token, auction in self.auctions.items() if auction["bidder"] != ZERO):
            token = random.choice(bids)
            auction = self.auctions[token]
            bidder, currency = auction["bidder"], auction["currency"]
            auction["bidder"] = ZERO
            self.credits[bidder, currency] += auction["amount"]
            self._market("BidWithdrawn", token, bidder=bidder, currency=currency, refund=auction["amount"])

    def settle_auction(self, random: Random) -> None:
        if self.auctions:
            token = random.choice(sorted(self.auctions))
            auction = self.auctions.pop(token)
            winner = auction["bidder"]
            if winner == ZERO:
                winner = auction["seller"]
                self._market("AuctionClosedUnsold", token, seller=winner)
            else:
                terms = {"currency": auction["currency"], "price": auction["amount"]}
                self._sell(random, token, buyer=winner, seller=auction["seller"], method=AUCTION, **terms)
            self._transfer(token, CONTRACTS["SparkMarketplace"], winner)

    def withdraw_credit(self, random: Random) -> None:
        if due := +self.credits:
            account, currency = random.choice(sorted(due))
            amount = self.credits.pop((account, currency))
            self._emit(
                "SparkMarketplace",
                "CreditWithdrawn",
                account=account,
                currency=currency,
                receiver=random.choice(ACCOUNTS),
                amount=amount,
            )

    def change_market(self, random: Random) -> None:
        self._emit("SparkMarketplace", "FeeUpdated", previousFeeBps=0, newFeeBps=random.randrange(1_001))
        self._emit(
            "SparkMarketplace", "FeeRecipientUpdated", previousRecipient=ZERO, newRecipient=random.choice(ACCOUNTS)
        )

    def set_access(self, random: Random) -> None:
        cid, creator, holding = f"bafy{random.randrange(5)}", random.choice(ACCOUNTS), random.randrange(10**20)
        piece = "0x" + keccak(text=cid).hex()
        gate = self.rules[piece][2:] if piece in self.rules else (ZERO, 0)
        self._emit(
            "ContentAccess",
            "ContentAccessSet",
            pieceHash=bytes.fromhex(piece[2:]),
            creator=creator,
            pieceCid=cid,
            minimumCoinHolding=holding,
        )
        if random.random() < 0.5:
            gate = (random.choice([ZERO, MUSIC]), random.randrange(3))
            collection, drop = gate
            self._emit(
                "ContentAccess", "NftGateSet", pieceHash=bytes.fromhex(piece[2:]), collection=collection, dropId=drop
            )
        self.rules[piece] = (creator, holding, *gate)

    def grant_access(self, random: Random) -> None:
        cid, user, until = f"bafy{random.randrange(5)}", random.choice(ACCOUNTS), random.choice([2**256 - 1, self.now])
        piece = "0x" + keccak(text=cid).hex()
        self.grants[user, piece] = until
        self._emit(
            "ContentAccess",
            "AccessGranted",
            user=user,
            pieceHash=bytes.fromhex(piece[2:]),
            pieceCid=cid,
            expiresAt=until,
        )

    def revoke_access(self, random: Random) -> None:
        if self.grants:
            user, piece = random.choice(sorted(self.grants))
            del self.grants[user, piece]
            self._emit("ContentAccess", "AccessRevoked", user=user, pieceHash=bytes.fromhex(piece[2:]))

    def _drop(self, random: Random) -> int | None:
        return random.choice(sorted(self.drops)) if self.drops else None

    def _owned(self, random: Random) -> tuple[Token, str] | None:
        """Pick a token that is not in an auction, and its owner."""
        free = sorted(item for item in self.owners.items() if item[0] not in self.auctions)
        return random.choice(free) if free else None

    def _transfer(self, token: Token, sender: str, receiver: str) -> None:
        collection, token_id = token
        self.owners[token] = receiver
        self.approved.pop(token, None)
        self._emit(COLLECTIONS[collection], "Transfer", sender=sender, receiver=receiver, token_id=token_id)

    def _market(self, event: str, token: Token, /, **args: Any) -> None:
        collection, token_id = token
        self._emit("SparkMarketplace", event, collection=collection, tokenId=token_id, **args)

    def _drop_listing(self, token: Token) -> None:
        if token in self.listings:
            seller, *_ = self.listings.pop(token)
            self._market("ListingCancelled", token, seller=seller)

    def _sell(
        self, random: Random, token: Token, *, buyer: str, seller: str, method: int, currency: str, price: int
    ) -> None:
        fee, royalty = price // 40, random.choice([0, price // 10])
        royalty_receiver = ACCOUNTS[0] if royalty else ZERO
        for account, amount in ((seller, price - fee - royalty), (TREASURY, fee), (royalty_receiver, royalty)):
            if amount:
                self.credits[account, currency] += amount
        self._market(
            "TokenSold",
            token,
            buyer=buyer,
            seller=seller,
            method=method,
            currency=currency,
            price=price,
            fee=fee,
            feeRecipient=TREASURY,
            royalty=royalty,
            royaltyReceiver=royalty_receiver,
        )
