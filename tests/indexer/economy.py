"""Random contract activity: a model of the contracts that emits their events and keeps the books by itself.

The books are kept in another way than the indexer's handlers keep theirs, so that the two can be compared.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from random import Random
from typing import Any

from encore.chain import amm
from tests.indexer.culture import Culture
from tests.indexer.governance import Governance
from tests.indexer.node import RawLog
from tests.indexer.world import (
    ACCOUNTS,
    CONTRACTS,
    INVALID_UTF8,
    ODD_STRINGS,
    TOKEN,
    TREASURY,
    ZERO,
    address_of,
    encode_log,
)

LOCK_SECONDS = 365 * 86_400
MINIMUM_LIQUIDITY = 1_000
REVENUE_SCALE = 2**96
SAFEGUARDS = (
    *("accountDailyFlowBps", "poolDailyFlowBps", "largeTradeBps", "largeTradeCooldown"),
    *("maximumHoldingBps", "maximumImpactBps", "breakerBps", "breakerDuration"),
)


@dataclass
class Pool:
    reserves: amm.Reserves
    shares: Counter[str]
    trades: list[tuple[int, int, int]] = field(default_factory=list)
    """(timestamp, price before, price after) of each trade."""


@dataclass
class Coin:
    contract: str
    balances: Counter[str]
    maximum: int
    stakes: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Amount and start by account."""
    pool: Pool | None = None
    allowances: dict[tuple[str, str], int] = field(default_factory=dict)
    delegates: dict[str, str] = field(default_factory=dict)
    cumulative: int = 0
    undivided: int = 0
    undivided_since: int = 0
    remainder: int = 0
    revenue: Counter[str] = field(default_factory=Counter)
    """Due to each holder, in wei times 2**96: everybody's at once, where the indexer settles one at a time."""
    released: int = 0
    vested: int = 0

    @property
    def supply(self) -> int:
        return sum(self.balances.values())

    @property
    def units(self) -> Counter[str]:
        """What accounts own, staked or not, but for the token's own balance."""
        units = Counter(self.balances)
        for account, (amount, _) in self.stakes.items():
            units[account] += amount
        return units

    @property
    def votes(self) -> Counter[str]:
        votes: Counter[str] = Counter()
        for account, units in self.units.items():
            if account in self.delegates:
                votes[self.delegates[account]] += units
        return votes


class Economy:
    """The contracts' state after some block; copy it to build a branch."""

    def __init__(self) -> None:
        self.coins: dict[str, Coin] = {}
        self.creators: dict[str, str] = {}
        self.launched: set[str] = set()
        self.fees: Counter[str] = Counter()
        self.streams: dict[str, int] = {}
        self.milestones: set[tuple[str, int]] = set()
        self.creator_revenue: Counter[str] = Counter()
        self.guards: dict[str, tuple[int, bool]] = {}
        """End of the breaker's pause, and whether a guardian paused the pool."""
        self.exemptions: dict[tuple[str, str], int] = {}
        self.cooldowns: dict[tuple[str, str], int] = {}
        self.culture = Culture(self.emit)
        self.governance = Governance(self.emit)
        self._logs: list[RawLog] = []
        self._transaction = 0
        self._now = 0

    def copy(self) -> "Economy":
        return deepcopy(self)

    def setup(self) -> list[RawLog]:
        """Emit what the constructors and the deploy script's grants emit."""
        for contract, address in CONTRACTS.items():
            if contract in OWNED:
                self._emit(contract, address, "OwnershipTransferred", previous_owner=ZERO, new_owner=TREASURY)
        self._requirements(50_000, 5_000)
        self.governance.setup()
        self._authorise("CreatorMetricsManager", "OracleAuthorisationChanged", "oracle", ACCOUNTS[0], granted=True)
        return self._take_logs()

    def act(self, random: Random, timestamp: int, transactions: int) -> list[RawLog]:
        """Make some random transactions and return their logs."""
        self._now = self.culture.now = self.governance.now = timestamp
        for self._transaction in range(transactions):
            self._divide_revenue()
            random.choice(_ACTIONS)(self, random)
        return self._take_logs()

    def _take_logs(self) -> list[RawLog]:
        logs, self._logs = self._logs, []
        return logs

    def emit(self, contract: str, event: str, /, **args: Any) -> None:
        """Emit an event of a contract of the deployment."""
        self._emit(contract, CONTRACTS[contract], event, **args)

    def _emit(self, contract: str, address: str, event: str, /, **args: Any) -> None:
        self._logs.append(encode_log(contract, address, event, args, self._transaction))

    def _emit_token(self, token: str, event: str, /, **args: Any) -> None:
        self._emit(self.coins[token].contract, token, event, **args)

    def _emit_dex(self, event: str, /, **args: Any) -> None:
        self._emit("IntegratedCreatorDEX", CONTRACTS["IntegratedCreatorDEX"], event, **args)

    def _move(self, token: str, sender: str, receiver: str, value: int, *, with_votes: bool = True) -> None:
        """Move tokens; into and out of a stake without their votes."""
        coin = self.coins[token]
        before = coin.votes
        for account, change in ((sender, -value), (receiver, value)):
            if account != ZERO:
                coin.balances[account] += change
        coin.balances += Counter()  # drops what is zero
        self._emit_token(token, "Transfer", sender=sender, receiver=receiver, value=value)
        if with_votes:
            self._emit_votes(token, before)

    def _emit_votes(self, token: str, before: Counter[str]) -> None:
        after = self.coins[token].votes
        for delegate in sorted({*before, *after}):
            if before[delegate] != after[delegate]:
                votes = {"previousVotes": before[delegate], "newVotes": after[delegate]}
                self._emit_token(token, "DelegateVotesChanged", delegate=delegate, **votes)

    def _authorise(self, contract: str, event: str, role: str, account: str, *, granted: bool) -> None:
        self._emit(contract, CONTRACTS[contract], event, **{role: account, "authorised": granted})

    def _requirements(self, streams: int, followers: int) -> None:
        self._emit(
            "CreatorMetricsManager",
            CONTRACTS["CreatorMetricsManager"],
            "LaunchRequirementsUpdated",
            minMonthlyStreams=streams,
            minFollowers=followers,
            maxMetricsAge=86_400,
        )

    def _deploy(self, random: Random, creator: str, holder: str, contract: str = "CreatorToken") -> str:
        # Numbered, so that after a reorg the same address is often deployed again: CREATE2 does that.
        token = address_of(f"token {len(self.coins)}")
        supply = random.randrange(10**6, 10**9) * TOKEN
        self.coins[token] = Coin(contract, Counter(), 2 * supply)
        self.creators[token] = creator
        self._emit_token(token, "OwnershipTransferred", previous_owner=ZERO, new_owner=CONTRACTS["CreatorTokenFactory"])
        self._emit_token(token, "CreatorInfoUpdated", description="", imageUrl="", isActive=True)
        self._emit_token(token, "PlatformFeeRateUpdated", previousRate=0, newRate=250)
        self._emit_token(token, "PlatformFeeRecipientUpdated", previousRecipient=ZERO, newRecipient=TREASURY)
        self._emit_token(
            token, "OwnershipTransferred", previous_owner=CONTRACTS["CreatorTokenFactory"], new_owner=creator
        )
        self._move(token, ZERO, holder, supply)
        self._emit(
            "TokenDeploymentFactory",
            CONTRACTS["TokenDeploymentFactory"],
            "CreatorTokenDeployed",
            token=token,
            creator=holder,
            factory=CONTRACTS["CreatorTokenFactory"],
            name=random.choice([*ODD_STRINGS, INVALID_UTF8]),
            symbol=random.choice(["", "S", INVALID_UTF8]),
            description=random.choice(ODD_STRINGS),
            imageUrl="ipfs://x",
            initialSupply=supply,
            maximumSupply=2 * supply,
            platformFeeRate=250,
            platformFeeRecipient=TREASURY,
        )
        return token

    def create_token(self, random: Random) -> None:
        creator = random.choice(ACCOUNTS)
        token = self._deploy(random, creator, creator)
        self._emit_factory("CreatorTokenCreated", creator=creator, token=token, initialSupply=self.coins[token].supply)

    def launch(self, random: Random) -> None:
        candidates = sorted(set(ACCOUNTS) - self.launched)
        if not candidates:
            return
        creator = random.choice(candidates)
        factory = CONTRACTS["CreatorTokenFactory"]
        token = self._deploy(random, creator, factory, "BalancedCreatorToken")
        self.emit(
            "TokenDeploymentFactory",
            "BalancedCreatorTokenDeployed",
            token=token,
            creator=creator,
            metricsManager=CONTRACTS["CreatorMetricsManager"],
            exchange=CONTRACTS["IntegratedCreatorDEX"],
        )
        seed = self.coins[token].supply // 2
        native = random.randrange(1, 100) * TOKEN
        self._move(token, factory, creator, seed)
        self._open_pool(token, factory, native, seed, receiver=ZERO)
        self._emit_factory(
            "CreatorCoinLaunched", creator=creator, token=token, launcher=ACCOUNTS[0], nativeSeed=native, tokenSeed=seed
        )
        self.launched.add(creator)

    def _emit_factory(self, event: str, /, **args: Any) -> None:
        self._emit("CreatorTokenFactory", CONTRACTS["CreatorTokenFactory"], event, **args)

    def _open_pool(self, token: str, provider: str, native: int, tokens: int, *, receiver: str) -> None:
        self._move(token, provider, CONTRACTS["IntegratedCreatorDEX"], tokens)
        pool = Pool(amm.Reserves(native, tokens), Counter({ZERO: MINIMUM_LIQUIDITY}))
        pool.shares[receiver] += native
        self.coins[token].pool = pool
        self.guards[token] = (0, False)
        self._emit_dex("PoolCreated", token=token, provider=receiver)
        self._emit_dex("MinimumLiquidityLocked", token=token, shares=MINIMUM_LIQUIDITY)
        self._emit_liquidity("LiquidityAdded", token, receiver, native=native, tokens=tokens, shares=native)

    def _emit_liquidity(self, name: str, token: str, provider: str, *, native: int, tokens: int, shares: int) -> None:
        self._emit_dex(
            name,
            token=token,
            provider=provider,
            nativeAmount=native,
            tokenAmount=tokens,
            shares=shares,
            **self._reserves(token),
        )

    def _reserves(self, token: str) -> dict[str, int]:
        pool = self.coins[token].pool
        assert pool is not None
        return {"nativeReserve": pool.reserves.native, "tokenReserve": pool.reserves.token}

    def _holding(self, random: Random, *, pooled: bool | None = None) -> tuple[str, str, int] | None:
        """Pick a token, an account of ours that holds some, and a part of what it has."""
        holdings = [
            (token, account, coin.balances[account])
            for token, coin in self.coins.items()
            if pooled is None or pooled == (coin.pool is not None)
            for account in ACCOUNTS
            if coin.balances[account] > 1
        ]
        if not holdings:
            return None
        token, account, balance = random.choice(holdings)
        return token, account, random.choice([balance, random.randrange(1, balance)])

    def transfer(self, random: Random) -> None:
        if holding := self._holding(random):
            token, account, amount = holding
            self._move(token, account, random.choice(ACCOUNTS), random.choice([amount, 0]))

    def approve(self, random: Random) -> None:
        if holding := self._holding(random):
            token, account, amount = holding
            spender, value = random.choice([TREASURY, ZERO]), random.choice([0, amount, 2**256 - 1])
            self.coins[token].allowances[account, spender] = value
            self._emit_token(token, "Approval", owner=account, spender=spender, value=value)

    def burn(self, random: Random) -> None:
        if holding := self._holding(random):
            token, account, amount = holding
            self._move(token, account, ZERO, amount // 10)

    def stake(self, random: Random) -> None:
        if holding := self._holding(random):
            token, account, amount = holding
            coin = self.coins[token]
            if account not in coin.stakes:
                self._move(token, account, token, amount, with_votes=False)
                coin.stakes[account] = (amount, self._now)
                self._emit_token(
                    token, "TokensStaked", account=account, amount=amount, unlocksAt=self._now + LOCK_SECONDS
                )

    def claim(self, random: Random) -> None:
        if staking := self._staking(random):
            token, account = staking
            reward = random.randrange(1, TOKEN)
            self._move(token, ZERO, account, reward)
            self._emit_token(token, "RewardsClaimed", account=account, reward=reward)

    def unstake(self, random: Random) -> None:
        if staking := self._staking(random):
            token, account = staking
            reward = random.randrange(2) * TOKEN
            if reward:
                self._move(token, ZERO, account, reward)
            amount, _ = self.coins[token].stakes.pop(account)
            self._move(token, token, account, amount, with_votes=False)
            self._emit_token(token, "TokensUnstaked", account=account, amount=amount, reward=reward)

    def _staking(self, random: Random) -> tuple[str, str] | None:
        staking = [(token, account) for token, coin in self.coins.items() for account in coin.stakes]
        return random.choice(staking) if staking else None

    def change_token(self, random: Random) -> None:
        if not self.coins:
            return
        token = random.choice(list(self.coins))
        self._emit_token(
            token,
            "CreatorInfoUpdated",
            description=random.choice(ODD_STRINGS),
            imageUrl="",
            isActive=random.random() < 0.5,
        )
        self._emit_token(token, "PlatformFeeRateUpdated", previousRate=0, newRate=random.randrange(1_000))
        self._emit_token(
            token, "PlatformFeeRecipientUpdated", previousRecipient=TREASURY, newRecipient=random.choice(ACCOUNTS)
        )
        self._emit_token(token, "OwnershipTransferred", previous_owner=ZERO, new_owner=random.choice(ACCOUNTS))

    def create_pool(self, random: Random) -> None:
        if holding := self._holding(random, pooled=False):
            token, account, amount = holding
            if amount > TOKEN:
                self._open_pool(token, account, random.randrange(1, 10) * TOKEN, amount, receiver=account)

    def add_liquidity(self, random: Random) -> None:
        if holding := self._holding(random, pooled=True):
            token, account, amount = holding
            pool = self._pool(token)
            native = amount * pool.reserves.native // pool.reserves.token + 1
            shares = random.randrange(1, TOKEN)
            self._move(token, account, CONTRACTS["IntegratedCreatorDEX"], amount)
            pool.reserves = amm.Reserves(pool.reserves.native + native, pool.reserves.token + amount)
            pool.shares[account] += shares
            self._emit_liquidity("LiquidityAdded", token, account, native=native, tokens=amount, shares=shares)

    def remove_liquidity(self, random: Random) -> None:
        positions = [
            (token, account, shares)
            for token, coin in self.coins.items()
            if coin.pool is not None
            for account, shares in coin.pool.shares.items()
            if account != ZERO
        ]
        if not positions:
            return
        token, account, held = random.choice(positions)
        pool = self._pool(token)
        shares = random.choice([held, held // 2 or held])
        native, tokens = pool.reserves.native // 4, pool.reserves.token // 4
        pool.reserves = amm.Reserves(pool.reserves.native - native, pool.reserves.token - tokens)
        pool.shares[account] -= shares
        pool.shares += Counter()
        self._move(token, CONTRACTS["IntegratedCreatorDEX"], account, tokens)
        self._emit_liquidity("LiquidityRemoved", token, account, native=native, tokens=tokens, shares=shares)

    def _pool(self, token: str) -> Pool:
        pool = self.coins[token].pool
        assert pool is not None
        return pool

    def buy(self, random: Random) -> None:
        pooled = [token for token, coin in self.coins.items() if coin.pool is not None]
        if not pooled:
            return
        token, buyer = random.choice(pooled), random.choice(ACCOUNTS)
        native = random.randrange(1, 10) * TOKEN
        swap = amm.buy(self._pool(token).reserves, native, 250)
        self._guard(random, token, buyer, swap)
        self._move(token, CONTRACTS["IntegratedCreatorDEX"], buyer, swap.amount_out)
        self._trade(token, swap)
        self._emit_dex(
            "TokensPurchased",
            token=token,
            buyer=buyer,
            nativeIn=native,
            tokensOut=swap.amount_out,
            platformFee=swap.platform_fee,
            platformFeeRecipient=TREASURY,
            **self._reserves(token),
        )

    def sell(self, random: Random) -> None:
        if holding := self._holding(random, pooled=True):
            token, seller, amount = holding
            try:
                swap = amm.sell(self._pool(token).reserves, amount, 250)
            except amm.SwapError:
                return
            self._guard(random, token, seller, swap)
            self._move(token, seller, CONTRACTS["IntegratedCreatorDEX"], amount)
            self._trade(token, swap)
            self._emit_dex(
                "TokensSold",
                token=token,
                seller=seller,
                tokensIn=amount,
                nativeOut=swap.amount_out,
                platformFee=swap.platform_fee,
                platformFeeRecipient=TREASURY,
                **self._reserves(token),
            )

    def _guard(self, random: Random, token: str, trader: str, swap: amm.Swap) -> None:
        """Emit what the safeguards make of some trades."""
        pool = self._pool(token)
        if random.random() < 0.3:
            until = self.cooldowns[token, trader] = self._now + 4 * 3_600
            change = swap.reserves.native - pool.reserves.native
            self._emit_dex(
                "WhaleTrade",
                token=token,
                trader=trader,
                isPurchase=change > 0,
                nativeAmount=abs(change),
                tokenAmount=abs(swap.reserves.token - pool.reserves.token),
                cooldownUntil=until,
            )
        if random.random() < 0.2:
            until = self._now + 3_600
            self.guards[token] = (until, self.guards[token][1])
            prices = {"startPrice": pool.reserves.spot_price, "price": swap.reserves.spot_price}
            self._emit_dex("CircuitBreakerTripped", token=token, trader=trader, until=until, **prices)

    def pause_pool(self, random: Random) -> None:
        if self.guards:
            token = random.choice(sorted(self.guards))
            until, was_paused = self.guards[token]
            self.guards[token] = (until, not was_paused)
            event = "PoolUnpaused" if was_paused else "PoolPaused"
            self._emit_dex(event, token=token, guardian=TREASURY)

    def exempt(self, random: Random) -> None:
        if self.guards:
            key = (random.choice(ACCOUNTS), random.choice(sorted(self.guards)))
            until = self.exemptions[key] = self._now + random.randrange(1, 1_000)
            self._emit_dex("ExemptionGranted", account=key[0], token=key[1], until=until, guardian=TREASURY)
        if self.exemptions and random.random() < 0.5:
            account, token = random.choice(sorted(self.exemptions))
            del self.exemptions[account, token]
            self._emit_dex("ExemptionRevoked", account=account, token=token, guardian=TREASURY)

    def delegate(self, random: Random) -> None:
        if self.coins:
            token, delegator, delegate = random.choice(list(self.coins)), *random.choices(ACCOUNTS, k=2)
            coin = self.coins[token]
            before, previous = coin.votes, coin.delegates.pop(delegator, ZERO)
            if random.random() < 0.3:
                delegate = ZERO
            else:
                coin.delegates[delegator] = delegate
            parties = {"delegator": delegator, "fromDelegate": previous, "toDelegate": delegate}
            self._emit_token(token, "DelegateChanged", **parties)
            self._emit_votes(token, before)

    def distribute(self, random: Random) -> None:
        """Share revenue among a launched coin's holders, half of the times through the factory."""
        if not (token := self._balanced(random)):
            return
        coin, amount = self.coins[token], random.randrange(10**15, 10**20)
        if not self._eligible(token):
            return
        coin.undivided += amount
        coin.undivided_since = self._now
        self._emit_token(token, "RevenueReceived", distributor=TREASURY, amount=amount)
        if random.random() < 0.5:
            creator = self.creators[token]
            self.creator_revenue[creator] += 9 * amount
            shares = {"amount": 10 * amount, "holdersShare": amount, "creatorShare": 9 * amount}
            self._emit_factory("RevenueDistributed", creator=creator, token=token, distributor=TREASURY, **shares)

    def _eligible(self, token: str) -> dict[str, int]:
        exempt = {token, CONTRACTS["IntegratedCreatorDEX"]}
        return {a: units for a, units in self.coins[token].units.items() if units and a not in exempt}

    def _divide_revenue(self) -> None:
        """Divide what earlier seconds brought among who held units at their end."""
        for token, coin in self.coins.items():
            if not coin.undivided or coin.undivided_since == self._now or not (holders := self._eligible(token)):
                continue
            eligible, amount = sum(holders.values()), coin.undivided
            growth, coin.remainder = divmod(amount * REVENUE_SCALE + coin.remainder, eligible)
            coin.cumulative += growth
            coin.undivided = 0
            for account, units in holders.items():
                coin.revenue[account] += units * growth
            self._emit_token(
                token, "RevenueDivided", amount=amount, eligibleSupply=eligible, cumulativeRevenue=coin.cumulative
            )

    def claim_revenue(self, random: Random) -> None:
        due = [
            (token, account)
            for token, coin in self.coins.items()
            for account, amount in coin.revenue.items()
            if amount >= REVENUE_SCALE
        ]
        if due:
            token, account = random.choice(due)
            amount = self.coins[token].revenue[account] // REVENUE_SCALE
            self.coins[token].revenue[account] -= amount * REVENUE_SCALE
            self._emit_token(token, "RevenueClaimed", account=account, amount=amount)
        if owed := sorted(+self.creator_revenue):
            creator = random.choice(owed)
            amount = self.creator_revenue.pop(creator)
            self._emit_factory("CreatorRevenueWithdrawn", creator=creator, amount=amount)

    def release(self, random: Random) -> None:
        if token := self._balanced(random):
            creator, amount = self.creators[token], random.randrange(1, 10**6) * TOKEN
            if random.random() < 0.5:
                self.coins[token].released += amount
                self._emit_token(token, "TokensReleased", creator=creator, amount=amount, triggerGrowthBps=2_000)
            else:
                self.coins[token].vested += amount
                self._emit_token(token, "VestedTokensClaimed", creator=creator, amount=amount)
            self._move(token, ZERO, creator, amount)

    def _balanced(self, random: Random) -> str | None:
        found = [token for token, coin in self.coins.items() if coin.contract == "BalancedCreatorToken"]
        return random.choice(found) if found else None

    def _trade(self, token: str, swap: amm.Swap) -> None:
        pool = self._pool(token)
        pool.trades.append((self._now, pool.reserves.spot_price, swap.reserves.spot_price))
        pool.reserves = swap.reserves
        self.fees[TREASURY] += swap.platform_fee

    def withdraw_fees(self, _random: Random) -> None:
        if amount := self.fees.pop(TREASURY, 0):
            self._emit_dex("PlatformFeesWithdrawn", recipient=TREASURY, amount=amount)

    def report_metrics(self, random: Random) -> None:
        creator = random.choice(ACCOUNTS)
        streams = random.randrange(0, 60_000)
        self.streams[creator] = streams
        manager = CONTRACTS["CreatorMetricsManager"]
        self._emit(
            "CreatorMetricsManager",
            manager,
            "CreatorMetricsUpdated",
            creator=creator,
            monthlyStreams=streams,
            followers=random.randrange(10_000),
            monthlyRevenue=random.choice([0, 2**256 - 1]),
            engagementScore=random.randrange(10_001),
            observedAt=self._now,
            oracle=ACCOUNTS[0],
        )
        for threshold in (1_000, 5_000, 10_000, 20_000, 50_000):
            if threshold <= streams and (creator, threshold) not in self.milestones:
                self.milestones.add((creator, threshold))
                self._emit(
                    "CreatorMetricsManager",
                    manager,
                    "MilestoneReached",
                    creator=creator,
                    milestone=threshold,
                    monthlyStreams=streams,
                )

    def report_to_quorum(self, random: Random) -> None:
        self.emit(
            "CreatorMetricsManager",
            "MetricsReported",
            creator=random.choice(ACCOUNTS),
            oracle=random.choice(ACCOUNTS),
            epoch=self._now // 3_600,
            monthlyStreams=random.randrange(60_000),
            followers=random.randrange(10_000),
            monthlyRevenue=random.choice([0, 2**96 - 1]),
            engagementScore=random.randrange(10_001),
            observedAt=self._now,
        )

    def change_rules(self, random: Random) -> None:
        self.emit("CreatorMetricsManager", "QuorumUpdated", previousQuorum=1, newQuorum=random.choice([1, 3, 5]))
        self.emit("CreatorMetricsManager", "EpochLengthUpdated", previousLength=0, newLength=random.randrange(86_400))
        self._emit_factory("HoldersShareUpdated", previousShare=0, newShare=random.randrange(10_001))
        self._emit_dex("SafeguardsUpdated", **{name: random.randrange(2**32) for name in SAFEGUARDS})
        self._authorise(
            "IntegratedCreatorDEX",
            "GuardianAuthorisationChanged",
            "guardian",
            random.choice(ACCOUNTS),
            granted=random.random() < 0.5,
        )
        self._requirements(random.randrange(10**6), random.randrange(10**4))
        self._authorise(
            "CreatorMetricsManager",
            "OracleAuthorisationChanged",
            "oracle",
            random.choice(ACCOUNTS),
            granted=random.random() < 0.5,
        )
        self._authorise(
            "CreatorTokenFactory", "LauncherAuthorisationChanged", "launcher", random.choice(ACCOUNTS), granted=True
        )
        self._authorise(
            "TokenDeploymentFactory", "FactoryAuthorisationChanged", "factory", random.choice(ACCOUNTS), granted=True
        )
        self._emit_factory("MinimumSeedUpdated", previousSeed=0, newSeed=random.randrange(TOKEN))

    def live(self, random: Random) -> None:
        """Do something around NFTs or governance."""
        if random.random() < 0.6:
            random.choice(_CULTURE)(self.culture, random)
        else:
            random.choice(_GOVERNANCE)(self.governance, random)

    def candles(self, seconds: int) -> dict[tuple[str, int], tuple[int, int, int, int]]:
        """Open, high, low and close by token and start of interval."""
        prices: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
        for token, coin in self.coins.items():
            for timestamp, before, after in coin.pool.trades if coin.pool else []:
                interval = prices[token, timestamp // seconds * seconds]
                interval += [after] if interval else [before, after]
        return {key: (found[0], max(found), min(found), found[-1]) for key, found in prices.items()}


OWNED = (
    *("TokenDeploymentFactory", "CreatorMetricsManager", "IntegratedCreatorDEX", "CreatorTokenFactory"),
    "SparkMarketplace",
)
_CULTURE = [
    Culture.create_drop,
    Culture.set_sale,
    *[Culture.mint] * 4,
    Culture.withdraw_proceeds,
    *[Culture.transfer] * 2,
    Culture.approve,
    Culture.change_metadata,
    *[Culture.create_listing] * 2,
    Culture.cancel_listing,
    Culture.buy,
    *[Culture.make_offer] * 2,
    Culture.cancel_offer,
    Culture.accept_offer,
    *[Culture.create_auction] * 2,
    *[Culture.bid] * 2,
    Culture.withdraw_bid,
    Culture.settle_auction,
    Culture.withdraw_credit,
    Culture.change_market,
    Culture.set_access,
    Culture.grant_access,
    Culture.revoke_access,
]
_GOVERNANCE = [
    *[Governance.change_roles] * 3,
    *[Governance.transfer_spark] * 2,
    Governance.delegate_spark,
    *[Governance.stake_spark] * 2,
    Governance.unstake_spark,
    Governance.claim_spark,
    Governance.fund_rewards,
    Governance.set_reward_rate,
    Governance.pause_spark,
    *[Governance.propose] * 2,
    *[Governance.vote] * 2,
    Governance.queue_proposal,
    Governance.end_proposal,
    Governance.end_operation,
]
_ACTIONS: list[Callable[[Economy, Random], None]] = [
    Economy.create_token,
    *[Economy.launch] * 2,
    *[Economy.transfer] * 4,
    Economy.approve,
    Economy.burn,
    *[Economy.stake] * 2,
    Economy.claim,
    Economy.unstake,
    *[Economy.delegate] * 2,
    Economy.change_token,
    Economy.create_pool,
    Economy.add_liquidity,
    Economy.remove_liquidity,
    *[Economy.buy] * 4,
    *[Economy.sell] * 2,
    Economy.withdraw_fees,
    Economy.pause_pool,
    Economy.exempt,
    *[Economy.distribute] * 2,
    *[Economy.claim_revenue] * 2,
    Economy.release,
    Economy.report_metrics,
    Economy.report_to_quorum,
    Economy.change_rules,
    *[Economy.live] * 20,
]
