"""Random activity around SPARK, a governor and its timelock, and who has which role."""

from collections import Counter
from dataclasses import dataclass, field
from random import Random

from eth_utils.crypto import keccak

from tests.indexer.world import ACCOUNTS, CONTRACTS, INVALID_UTF8, ODD_STRINGS, TOKEN, TREASURY, ZERO, Emit

SPARK = CONTRACTS["SparkToken"]
DEFAULT_ADMIN_ROLE = bytes(32)
MINTER_ROLE = keccak(text="MINTER_ROLE")
STRANGE_ROLE = keccak(text="A_ROLE_OF_A_LATER_VERSION")
CONTROLLED = ("SparkToken", "MusicNFT", "ContentAccess", "SparkNFT", "CreatorTimelock")
SCALE = 2**96


@dataclass
class Proposal:
    targets: list[str]
    values: list[int]
    calldatas: list[bytes]
    votes: Counter[int] = field(default_factory=Counter)
    status: str = "active"


class Governance:
    """The state of SPARK, governor and timelock, by whose rules it emits their events."""

    def __init__(self, emit: Emit) -> None:
        self.now = 0
        self.balances: Counter[str] = Counter()
        self.stakes: Counter[str] = Counter()
        self.rewards: Counter[str] = Counter()
        """Pending, in token wei times 2**96: every staker's at once, where the indexer settles one at a time."""
        self.reserve = 0
        self.rate = 0
        self.proposals: dict[int, Proposal] = {}
        self.operations: dict[str, str] = {}
        self.roles: dict[tuple[str, str, str], bool] = {}
        self._accrued_at = 0
        self._calls: dict[str, tuple[str, int, bytes]] = {}
        self._emit = emit

    def setup(self) -> None:
        """Emit what SPARK's initialisation emits, and the timelock's and governor's constructors."""
        self._emit("SparkToken", "Upgraded", implementation=ACCOUNTS[5])
        self._emit("SparkToken", "Initialized", version=1)
        for role in (DEFAULT_ADMIN_ROLE, MINTER_ROLE):
            self._grant("SparkToken", role, TREASURY)
        self.set_reward_rate(Random(0))
        self._move(ZERO, ACCOUNTS[0], 10**8 * TOKEN)
        self._emit("CreatorTimelock", "MinimumDelayChange", old_duration=0, new_duration=3_600)
        self._emit("CreatorTimelock", "MinDelayChange", oldDuration=0, newDuration=3_600)
        self._emit("CreatorGovernor", "VotingDelaySet", oldVotingDelay=0, newVotingDelay=86_400)
        self._emit("CreatorGovernor", "VotingPeriodSet", oldVotingPeriod=0, newVotingPeriod=604_800)
        self._emit("CreatorGovernor", "ProposalThresholdSet", oldProposalThreshold=0, newProposalThreshold=0)
        self._emit("CreatorGovernor", "QuorumNumeratorUpdated", oldQuorumNumerator=0, newQuorumNumerator=4)
        self._emit("CreatorGovernor", "LateQuorumVoteExtensionSet", oldVoteExtension=0, newVoteExtension=86_400)

    def change_roles(self, random: Random) -> None:
        contract, account = random.choice(CONTROLLED), random.choice(ACCOUNTS)
        self._grant(contract, random.choice([DEFAULT_ADMIN_ROLE, MINTER_ROLE, STRANGE_ROLE]), account)
        contract, role, account = random.choice(sorted(self.roles))
        self.roles[contract, role, account] = False
        self._emit(contract, "RoleRevoked", role=bytes.fromhex(role[2:]), account=account, sender=TREASURY)
        self._emit(
            random.choice(["SparkToken", "MusicNFT"]),
            "RoleAdminChanged",
            role=MINTER_ROLE,
            previousAdminRole=DEFAULT_ADMIN_ROLE,
            newAdminRole=random.choice([MINTER_ROLE, DEFAULT_ADMIN_ROLE]),
        )

    def transfer_spark(self, random: Random) -> None:
        if holders := sorted(account for account in ACCOUNTS if self.balances[account]):
            sender = random.choice(holders)
            receiver = random.choice([*ACCOUNTS, ZERO])
            self._move(sender, receiver, random.randrange(self.balances[sender] + 1))
            self._emit("SparkToken", "Approval", owner=sender, spender=TREASURY, value=random.choice([0, 5]))

    def delegate_spark(self, random: Random) -> None:
        delegator, delegate = random.choice(ACCOUNTS), random.choice(ACCOUNTS)
        self._emit("SparkToken", "DelegateChanged", delegator=delegator, fromDelegate=ZERO, toDelegate=delegate)
        self._emit(
            "SparkToken", "DelegateVotesChanged", delegate=delegate, previousVotes=0, newVotes=random.randrange(9)
        )

    def stake_spark(self, random: Random) -> None:
        account = random.choice(ACCOUNTS)
        if self.balances[account] > 1:
            amount = random.randrange(1, self.balances[account])
            self._settle(account)
            self.stakes[account] += amount
            self._move(account, SPARK, amount)
            self._emit("SparkToken", "TokensStaked", account=account, amount=amount)

    def unstake_spark(self, random: Random) -> None:
        if stakers := sorted(+self.stakes):
            account = random.choice(stakers)
            amount = random.choice([self.stakes[account], 1])
            self._settle(account)
            self.stakes[account] -= amount
            self._move(SPARK, account, amount)
            self._emit("SparkToken", "TokensUnstaked", account=account, amount=amount)

    def claim_spark(self, random: Random) -> None:
        self._accrue()
        if due := sorted(account for account, amount in self.rewards.items() if amount >= SCALE):
            account = random.choice(due)
            reward = self.rewards[account] // SCALE
            self.rewards[account] = 0
            self._move(SPARK, account, reward)
            self._emit("SparkToken", "RewardsClaimed", account=account, reward=reward)

    def fund_rewards(self, random: Random) -> None:
        account = random.choice(ACCOUNTS)
        if amount := self.balances[account] // 10:
            self._accrue()
            self.reserve += amount
            self._move(account, SPARK, amount)
            self._emit("SparkToken", "RewardsFunded", funder=account, amount=amount)

    def set_reward_rate(self, random: Random) -> None:
        self._accrue()
        rate = random.randrange(TOKEN)
        self._emit("SparkToken", "RewardRateUpdated", previousRate=self.rate, newRate=rate)
        self.rate = rate

    def pause_spark(self, random: Random) -> None:
        self._emit("SparkToken", random.choice(["Paused", "Unpaused"]), account=TREASURY)

    def propose(self, random: Random) -> None:
        identifier = random.randrange(2**256)
        count = random.randrange(1, 4)
        proposal = Proposal(
            [random.choice(ACCOUNTS) for _ in range(count)],
            [random.randrange(2**100) for _ in range(count)],
            [random.randbytes(random.randrange(40)) for _ in range(count)],
        )
        self.proposals[identifier] = proposal
        self._emit(
            "CreatorGovernor",
            "ProposalCreated",
            proposalId=identifier,
            proposer=random.choice(ACCOUNTS),
            targets=proposal.targets,
            values=proposal.values,
            signatures=[""] * count,
            calldatas=proposal.calldatas,
            voteStart=self.now + 1,
            voteEnd=self.now + 1_000,
            description=random.choice([*ODD_STRINGS, INVALID_UTF8]),
        )

    def vote(self, random: Random) -> None:
        if found := self._proposal(random, "active"):
            identifier, proposal = found
            support, weight = random.randrange(3), random.randrange(10**26)
            proposal.votes[support] += weight
            self._emit(
                "CreatorGovernor",
                "VoteCast",
                voter=random.choice(ACCOUNTS),
                proposalId=identifier,
                support=support,
                weight=weight,
                reason=random.choice([*ODD_STRINGS, INVALID_UTF8]),
            )
            if random.random() < 0.3:
                self._emit(
                    "CreatorGovernor", "ProposalExtended", proposalId=identifier, extendedDeadline=self.now + 2_000
                )

    def queue_proposal(self, random: Random) -> None:
        if found := self._proposal(random, "active"):
            identifier, proposal = found
            proposal.status = "queued"
            self._emit("CreatorGovernor", "ProposalQueued", proposalId=identifier, etaSeconds=self.now + 3_600)
            self._schedule(random, proposal.targets, proposal.values, proposal.calldatas)

    def end_proposal(self, random: Random) -> None:
        if found := self._proposal(random, "queued"):
            identifier, proposal = found
            proposal.status = "executed"
            self._emit("CreatorGovernor", "ProposalExecuted", proposalId=identifier)
        if found := self._proposal(random, "active"):
            identifier, proposal = found
            proposal.status = "canceled"
            self._emit("CreatorGovernor", "ProposalCanceled", proposalId=identifier)

    def end_operation(self, random: Random) -> None:
        """Execute or cancel one; a cancelled one may be scheduled again."""
        if waiting := sorted(key for key, status in self.operations.items() if status == "scheduled"):
            key = random.choice(waiting)
            identifier = bytes.fromhex(key[2:])
            if random.random() < 0.5:
                self.operations[key] = "cancelled"
                self._emit("CreatorTimelock", "Cancelled", id=identifier)
            else:
                target, amount, payload = self._calls[key]
                self.operations[key] = "executed"
                call = {"target": target, "amount": amount, "payload": payload}
                self._emit("CreatorTimelock", "CallExecuted", id=identifier, index=0, **call)
        if cancelled := sorted(key for key, status in self.operations.items() if status == "cancelled"):
            target, amount, payload = self._calls[cancelled[0]]
            self._schedule_as(cancelled[0], [target], [amount], [payload])

    def _schedule(self, random: Random, targets: list[str], values: list[int], payloads: list[bytes]) -> None:
        key = "0x" + random.randbytes(32).hex()
        self._calls[key] = (targets[0], values[0], payloads[0])
        self._schedule_as(key, targets, values, payloads)
        if random.random() < 0.5:
            self._emit("CreatorTimelock", "CallSalt", id=bytes.fromhex(key[2:]), salt=random.randbytes(32))

    def _schedule_as(self, key: str, targets: list[str], values: list[int], payloads: list[bytes]) -> None:
        self.operations[key] = "scheduled"
        for index, (target, amount, payload) in enumerate(zip(targets, values, payloads, strict=True)):
            self._emit(
                "CreatorTimelock",
                "CallScheduled",
                id=bytes.fromhex(key[2:]),
                index=index,
                target=target,
                amount=amount,
                payload=payload,
                predecessor=bytes(32),
                delay=3_600,
            )

    def _proposal(self, random: Random, status: str) -> tuple[int, Proposal] | None:
        found = sorted(key for key, proposal in self.proposals.items() if proposal.status == status)
        if not found:
            return None
        identifier = random.choice(found)
        return identifier, self.proposals[identifier]

    def _grant(self, contract: str, role: bytes, account: str) -> None:
        self.roles[contract, "0x" + role.hex(), account] = True
        self._emit(contract, "RoleGranted", role=role, account=account, sender=TREASURY)

    def _move(self, sender: str, receiver: str, amount: int) -> None:
        for account, change in ((sender, -amount), (receiver, amount)):
            if account != ZERO:
                self.balances[account] += change
        self._emit("SparkToken", "Transfer", sender=sender, receiver=receiver, value=amount)

    def _accrue(self) -> None:
        elapsed, self._accrued_at = self.now - self._accrued_at, self.now
        staked = self.stakes.total()
        if elapsed and self.reserve and staked:
            growth = min(elapsed * self.rate, self.reserve) * SCALE // staked
            self.reserve -= -(-growth * staked // SCALE)
            for account, amount in self.stakes.items():
                self.rewards[account] += amount * growth

    def _settle(self, account: str) -> None:
        """Round a staker's rewards down to whole token wei, as the contract does whenever its stake changes."""
        self._accrue()
        self.rewards[account] = self.rewards[account] // SCALE * SCALE
