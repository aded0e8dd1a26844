"""Random contract activity: a model of the contracts that emits their events and keeps the books by itself.

The books are kept in another way than the indexer's handlers keep theirs, so that the two can be compared.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import Any

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from encore.chain import amm
from encore.chain.deployments import DeployedContract, Deployment, load_abi
from tests.indexer.node import RawLog

ZERO = "0x" + "00" * 20
TOKEN = 10**18
LOCK_SECONDS = 365 * 86_400
MINIMUM_LIQUIDITY = 1_000
ODD_STRINGS = ["", "Sigur Rós", "a\0b", "🎸" * 10, "line\nbreak", "\\u0000", '{"json": 1}']
INVALID_UTF8 = b"\xff\xfe\x80"


def _address(label: str) -> str:
    return "0x" + keccak(text=label)[12:].hex()


CONTRACTS = {
    name: _address(name)
    for name in ("TokenDeploymentFactory", "CreatorMetricsManager", "IntegratedCreatorDEX", "CreatorTokenFactory")
}
ACCOUNTS = [_address(f"account {index}") for index in range(6)]
TREASURY = _address("treasury")


def deployment() -> Deployment:
    """Return the registry of the modelled contracts, all deployed by block 1."""
    contracts = {
        name: DeployedContract(
            address=address, block_number=1, transaction_hash="0x" + "11" * 32, constructor_arguments=[], code_hash="0x"
        )
        for name, address in CONTRACTS.items()
    }
    return Deployment(
        network="local", chain_id=31337, deployer=TREASURY, block_number=1, timestamp=0, contracts=contracts
    )


@cache
def _event_abi(contract: str, name: str) -> dict[str, Any]:
    return next(entry for entry in load_abi(contract) if entry["type"] == "event" and entry["name"] == name)


def encode_log(contract: str, address: str, name: str, args: dict[str, Any], transaction: int) -> RawLog:
    """Encode an event of one of our contracts as the EVM logs it."""
    return log_from_abi(_event_abi(contract, name), address, args, transaction)


def log_from_abi(abi: dict[str, Any], address: str, args: dict[str, Any], transaction: int) -> RawLog:
    """Encode an event as the EVM logs it."""
    inputs = abi["inputs"]
    signature = f"{abi['name']}({','.join(parameter['type'] for parameter in inputs)})"
    topics = ["0x" + keccak(text=signature).hex()]
    topics += ["0x" + encode([p["type"]], [args[p["name"]]]).hex() for p in inputs if p["indexed"]]
    plain = [p for p in inputs if not p["indexed"]]
    values = [args[p["name"]] for p in plain]
    types = ["bytes" if p["type"] == "string" else p["type"] for p in plain]  # the same encoding, of any bytes
    values = [
        value.encode() if isinstance(value, str) and kind == "bytes" else value
        for kind, value in zip(types, values, strict=True)
    ]
    return RawLog(address, topics, "0x" + encode(types, values).hex(), transaction)


@dataclass
class Pool:
    reserves: amm.Reserves
    shares: Counter[str]
    trades: list[tuple[int, int, int]] = field(default_factory=list)
    """(timestamp, price before, price after) of each trade."""


@dataclass
class Coin:
    balances: Counter[str]
    maximum: int
    stakes: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Amount and start by account."""
    pool: Pool | None = None

    @property
    def supply(self) -> int:
        return sum(self.balances.values())


class Economy:
    """The contracts' state after some block; copy it to build a branch."""

    def __init__(self) -> None:
        self.coins: dict[str, Coin] = {}
        self.creators: dict[str, str] = {}
        self.launched: set[str] = set()
        self.fees: Counter[str] = Counter()
        self.streams: dict[str, int] = {}
        self.milestones: set[tuple[str, int]] = set()
        self._logs: list[RawLog] = []
        self._transaction = 0
        self._now = 0

    def copy(self) -> "Economy":
        return deepcopy(self)

    def setup(self) -> list[RawLog]:
        """Emit what the constructors and the deploy script's grants emit."""
        for contract, address in CONTRACTS.items():
            if contract != "IntegratedCreatorDEX":
                self._emit(contract, address, "OwnershipTransferred", previous_owner=ZERO, new_owner=TREASURY)
        self._requirements(50_000, 5_000)
        self._authorise("CreatorMetricsManager", "OracleAuthorisationChanged", "oracle", ACCOUNTS[0], granted=True)
        return self._take_logs()

    def act(self, random: Random, timestamp: int, transactions: int) -> list[RawLog]:
        """Make some random transactions and return their logs."""
        self._now = timestamp
        for self._transaction in range(transactions):
            random.choice(_ACTIONS)(self, random)
        return self._take_logs()

    def _take_logs(self) -> list[RawLog]:
        logs, self._logs = self._logs, []
        return logs

    def _emit(self, contract: str, address: str, event: str, /, **args: Any) -> None:
        self._logs.append(encode_log(contract, address, event, args, self._transaction))

    def _emit_token(self, token: str, event: str, /, **args: Any) -> None:
        self._emit("CreatorToken", token, event, **args)

    def _emit_dex(self, event: str, /, **args: Any) -> None:
        self._emit("IntegratedCreatorDEX", CONTRACTS["IntegratedCreatorDEX"], event, **args)

    def _move(self, token: str, sender: str, receiver: str, value: int) -> None:
        coin = self.coins[token]
        for account, change in ((sender, -value), (receiver, value)):
            if account != ZERO:
                coin.balances[account] += change
        coin.balances += Counter()  # drops what is zero
        self._emit_token(token, "Transfer", sender=sender, receiver=receiver, value=value)

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

    def _deploy(self, random: Random, creator: str, holder: str) -> str:
        # Numbered, so that after a reorg the same address is often deployed again: CREATE2 does that.
        token = _address(f"token {len(self.coins)}")
        supply = random.randrange(10**6, 10**9) * TOKEN
        self.coins[token] = Coin(Counter(), 2 * supply)
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
        token = self._deploy(random, creator, factory)
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
            self._emit_token(token, "Approval", owner=account, spender=TREASURY, value=amount)

    def burn(self, random: Random) -> None:
        if holding := self._holding(random):
            token, account, amount = holding
            self._move(token, account, ZERO, amount // 10)

    def stake(self, random: Random) -> None:
        if holding := self._holding(random):
            token, account, amount = holding
            coin = self.coins[token]
            if account not in coin.stakes:
                coin.stakes[account] = (amount, self._now)
                self._move(token, account, token, amount)
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
            amount, _ = self.coins[token].stakes.pop(account)
            reward = random.randrange(2) * TOKEN
            if reward:
                self._move(token, ZERO, account, reward)
            self._move(token, token, account, amount)
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

    def change_rules(self, random: Random) -> None:
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

    def candles(self, seconds: int) -> dict[tuple[str, int], tuple[int, int, int, int]]:
        """Open, high, low and close by token and start of interval."""
        prices: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
        for token, coin in self.coins.items():
            for timestamp, before, after in coin.pool.trades if coin.pool else []:
                interval = prices[token, timestamp // seconds * seconds]
                interval += [after] if interval else [before, after]
        return {key: (found[0], max(found), min(found), found[-1]) for key, found in prices.items()}


_ACTIONS: list[Callable[[Economy, Random], None]] = [
    Economy.create_token,
    Economy.launch,
    *[Economy.transfer] * 4,
    Economy.approve,
    Economy.burn,
    *[Economy.stake] * 2,
    Economy.claim,
    Economy.unstake,
    Economy.change_token,
    Economy.create_pool,
    Economy.add_liquidity,
    Economy.remove_liquidity,
    *[Economy.buy] * 4,
    *[Economy.sell] * 2,
    Economy.withdraw_fees,
    Economy.report_metrics,
    Economy.change_rules,
]
