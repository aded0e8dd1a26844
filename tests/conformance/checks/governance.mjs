// The governor and its timelock as Tally and OpenZeppelin's tools read, sign for and drive them.
import assert from "node:assert/strict";
import { AbiCoder, ZeroHash, id, keccak256, parseEther } from "ethers";
import { DAY, as, check, domainOf, emitted, now, passTime, reverts } from "./harness.mjs";

const GOVERNOR = [
  "IGovernor",
  "GovernorSettings",
  "GovernorCountingSimple",
  "GovernorVotesQuorumFraction",
  "GovernorTimelockControl",
  "GovernorPreventLateQuorum",
];
const DESCRIPTION = "Raise the rewards";
const DELAY = DAY;
const PERIOD = 7 * DAY;
const [AGAINST, FOR, ABSTAIN] = [0, 1, 2];
const [PENDING, ACTIVE, CANCELED, DEFEATED, SUCCEEDED, QUEUED, , EXECUTED] = Array.from({ length: 8 }, (_, i) =>
  BigInt(i),
);
const BALLOT = {
  Ballot: [
    { name: "proposalId", type: "uint256" },
    { name: "support", type: "uint8" },
    { name: "voter", type: "address" },
    { name: "nonce", type: "uint256" },
  ],
};

/** The governor as its most powerful voter sees it through OpenZeppelin's interfaces alone. */
const governorOf = (world) => as(world.governor, GOVERNOR, world.holder);

/** A proposal of one call, as `propose` and as `queue`, `execute` and `cancel` take it. */
function proposalOf(target, data) {
  const calls = [[target], [0n], [data]];
  return { calls, proposed: [...calls, DESCRIPTION], hashed: [...calls, id(DESCRIPTION)] };
}

const aProposal = (world) => proposalOf(world.spark.target, world.spark.interface.encodeFunctionData("unpause"));

/** Propose and open the vote; return the proposal's identifier. */
async function openVote(world, governor, proposal) {
  const [[, identifier]] = await emitted(governor, governor.propose(...proposal.proposed));
  await passTime(world, DELAY + 1);
  return identifier;
}

/** Take a proposal of `calls` through vote and delay to its execution; return what the governor emitted then. */
async function carryOut(world, governor, proposal) {
  const identifier = await openVote(world, governor, proposal);
  await emitted(governor, governor.castVote(identifier, FOR));
  await passTime(world, PERIOD + 1);
  await emitted(governor, governor.queue(...proposal.hashed));
  await passTime(world, DAY);
  return emitted(governor, governor.execute(...proposal.hashed));
}

check("the governor tells the settings that Tally asks for, and whose token and timelock it is", async (world) => {
  const governor = governorOf(world);
  assert.equal(await governor.name(), "Spark Governor");
  assert.equal(await governor.version(), "1");
  assert.equal(await governor.votingDelay(), BigInt(DELAY));
  assert.equal(await governor.votingPeriod(), BigInt(PERIOD));
  assert.equal(await governor.proposalThreshold(), parseEther("1000"));
  assert.equal(await governor.lateQuorumVoteExtension(), BigInt(2 * DAY));
  assert.equal(await governor.token(), world.spark.target);
  assert.equal(await governor.timelock(), world.timelock.target);
});

check("the quorum is the told fraction of the past supply", async (world) => {
  const governor = governorOf(world);
  const then = (await governor.clock()) - 1n;
  const [numerator, denominator] = [
    await governor.getFunction("quorumNumerator()")(),
    await governor.quorumDenominator(),
  ];
  assert.deepEqual([numerator, denominator], [4n, 100n]);
  const supply = await as(world.spark.target, ["IVotes"], world.provider).getPastTotalSupply(then);
  assert.equal(await governor.quorum(then), (supply * numerator) / denominator);
  assert.equal(await governor.getFunction("quorumNumerator(uint256)")(then), numerator);
});

check("votes are counted in the mode that COUNTING_MODE names, on the token's clock", async (world) => {
  const governor = governorOf(world);
  const mode = new URLSearchParams(await governor.COUNTING_MODE());
  assert.equal(mode.get("support"), "bravo");
  assert.deepEqual(mode.get("quorum").split(","), ["for", "abstain"]);
  const token = as(await governor.token(), ["IERC6372"], world.provider);
  assert.equal(await governor.CLOCK_MODE(), await token.CLOCK_MODE());
  assert.equal(await governor.clock(), await token.clock());
});

check("ProposalCreated has all nine arguments that indexers decode", async (world) => {
  const governor = governorOf(world);
  const { calls, proposed, hashed } = aProposal(world);
  const events = await emitted(governor, governor.propose(...proposed));
  const created = BigInt(await now(world));
  const [start, end] = [created + BigInt(DELAY), created + BigInt(DELAY + PERIOD)];
  const [targets, values, calldatas] = calls;
  const identifier = await governor.hashProposal(...hashed);
  assert.deepEqual(events, [
    ["ProposalCreated", identifier, world.holder.address, targets, values, [""], calldatas, start, end, DESCRIPTION],
  ]);
  assert.equal(await governor.proposalDeadline(identifier), end);
  assert.equal(await governor.proposalProposer(identifier), world.holder.address);
  assert.equal(await governor.proposalNeedsQueuing(identifier), true);
});

check("a proposal's identifier is the hash of its calls and description, as OpenZeppelin's", async (world) => {
  const governor = governorOf(world);
  const { hashed } = aProposal(world);
  const types = ["address[]", "uint256[]", "bytes[]", "bytes32"];
  assert.equal(
    await governor.hashProposal(...hashed),
    BigInt(keccak256(AbiCoder.defaultAbiCoder().encode(types, hashed))),
  );
});

check("the weight that VoteCast tells is getVotes at the proposal's snapshot", async (world) => {
  const governor = governorOf(world);
  const identifier = await openVote(world, governor, aProposal(world));
  const snapshot = await governor.proposalSnapshot(identifier);
  const weight = await governor.getVotes(world.holder, snapshot);
  assert(weight >= (await governor.quorum(snapshot)));
  const events = await emitted(governor, governor.castVoteWithReason(identifier, ABSTAIN, "undecided"));
  assert.deepEqual(events, [["VoteCast", world.holder.address, identifier, BigInt(ABSTAIN), weight, "undecided"]]);
  assert.equal(await governor.hasVoted(identifier, world.holder), true);
  assert.deepEqual((await governor.proposalVotes(identifier)).toArray(), [0n, 0n, weight]);
});

check("a proposal goes through OpenZeppelin's states and events to its execution", async (world) => {
  const governor = governorOf(world);
  const { proposed, hashed } = proposalOf(world.friend.address, "0x");
  await emitted(governor, governor.propose(...proposed));
  const identifier = await governor.hashProposal(...hashed);
  assert.equal(await governor.state(identifier), PENDING);

  await passTime(world, DELAY + 1);
  assert.equal(await governor.state(identifier), ACTIVE);
  const [cast] = await emitted(governor, governor.castVote(identifier, FOR));
  assert.equal(cast[5], "");
  await passTime(world, PERIOD);
  assert.equal(await governor.state(identifier), SUCCEEDED);

  const queued = await emitted(governor, governor.queue(...hashed));
  const eta = BigInt(await now(world)) + (await world.timelock.getMinDelay());
  assert.deepEqual(queued, [["ProposalQueued", identifier, eta]]);
  assert.equal(await governor.proposalEta(identifier), eta);
  assert.equal(await governor.state(identifier), QUEUED);

  await reverts(governor.execute(...hashed), "timelock_controller: operation is not ready");
  await passTime(world, DAY);
  assert.deepEqual(await emitted(governor, governor.execute(...hashed)), [["ProposalExecuted", identifier]]);
  assert.equal(await governor.state(identifier), EXECUTED);
});

check("a proposal voted down is defeated", async (world) => {
  const governor = governorOf(world);
  const identifier = await openVote(world, governor, aProposal(world));
  await emitted(governor, governor.castVote(identifier, AGAINST));
  await passTime(world, PERIOD);
  assert.equal(await governor.state(identifier), DEFEATED);
});

check("a proposal that its proposer takes back emits ProposalCanceled", async (world) => {
  const governor = governorOf(world);
  const { proposed, hashed } = aProposal(world);
  await emitted(governor, governor.propose(...proposed));
  const identifier = await governor.hashProposal(...hashed);
  assert.deepEqual(await emitted(governor, governor.cancel(...hashed)), [["ProposalCanceled", identifier]]);
  assert.equal(await governor.state(identifier), CANCELED);
});

check("an unknown proposal has no state", async (world) => {
  await reverts(governorOf(world).state(1n), "governor: unknown proposal");
});

check("a ballot that ethers signs for the told domain counts for its signer, once", async (world) => {
  const governor = governorOf(world).connect(world.relayer);
  const identifier = await openVote(world, governorOf(world), aProposal(world));
  const domain = await domainOf(as(world.governor, ["IERC5267"], world.provider));
  assert.equal(domain.name, await governor.name());
  const nonce = await as(world.governor, ["Nonces"], world.provider).nonces(world.holder);
  const ballot = { proposalId: identifier, support: FOR, voter: world.holder.address, nonce };
  const signature = await world.holder.signTypedData(domain, BALLOT, ballot);
  await reverts(governor.castVoteBySig(identifier, AGAINST, world.holder, signature), "governor: invalid signature");
  const [[name, voter, , support]] = await emitted(
    governor,
    governor.castVoteBySig(identifier, FOR, world.holder, signature),
  );
  assert.deepEqual([name, voter, support], ["VoteCast", world.holder.address, BigInt(FOR)]);
  await reverts(governor.castVoteBySig(identifier, FOR, world.holder, signature), "governor: invalid signature");
});

check("settings change by proposals written with OpenZeppelin's ABI, and announce it in its events", async (world) => {
  const governor = governorOf(world);
  for (const [change, value, [event, before, after]] of [
    ["setVotingDelay", 2 * DAY, ["VotingDelaySet", BigInt(DELAY), BigInt(2 * DAY)]],
    ["setVotingPeriod", 3 * DAY, ["VotingPeriodSet", BigInt(PERIOD), BigInt(3 * DAY)]],
    ["setProposalThreshold", 5n, ["ProposalThresholdSet", parseEther("1000"), 5n]],
    ["updateQuorumNumerator", 5, ["QuorumNumeratorUpdated", 4n, 5n]],
    ["setLateQuorumVoteExtension", DAY, ["LateQuorumVoteExtensionSet", BigInt(2 * DAY), BigInt(DAY)]],
  ]) {
    const snapshot = await world.provider.send("evm_snapshot", []);
    const proposal = proposalOf(world.governor, governor.interface.encodeFunctionData(change, [value]));
    const events = await carryOut(world, governor, proposal);
    assert.deepEqual(events.at(-1), [event, before, after]);
    await world.provider.send("evm_revert", [snapshot]);
  }
});

check("the timelock schedules, executes and cancels through OpenZeppelin's TimelockController", async (world) => {
  const { owner, friend } = world;
  const timelock = as(world.timelock.target, ["TimelockController"], owner);
  for (const role of [await timelock.PROPOSER_ROLE(), await timelock.CANCELLER_ROLE()]) {
    await emitted(timelock, timelock.grantRole(role, owner));
  }
  const call = [friend.address, 0n, "0x1234"];
  const operation = [...call, ZeroHash, id("salt")];
  const identifier = await timelock.hashOperation(...operation);
  const types = ["address", "uint256", "bytes", "bytes32", "bytes32"];
  assert.equal(identifier, keccak256(AbiCoder.defaultAbiCoder().encode(types, operation)));
  assert.deepEqual(await emitted(timelock, timelock.schedule(...operation, DAY)), [
    ["CallScheduled", identifier, 0n, ...call, ZeroHash, BigInt(DAY)],
    ["CallSalt", identifier, id("salt")],
  ]);
  assert.equal(await timelock.isOperationPending(identifier), true);
  assert.equal(await timelock.isOperationReady(identifier), false);
  const scheduled = await world.provider.send("evm_snapshot", []);
  assert.deepEqual(await emitted(timelock, timelock.cancel(identifier)), [["Cancelled", identifier]]);
  assert.equal(await timelock.isOperation(identifier), false);
  await world.provider.send("evm_revert", [scheduled]);

  await passTime(world, DAY);
  assert.equal(await timelock.isOperationReady(identifier), true);
  assert.deepEqual(await emitted(timelock, timelock.execute(...operation)), [
    ["CallExecuted", identifier, 0n, ...call],
  ]);
  assert.equal(await timelock.isOperationDone(identifier), true);
});

check("an operation's state is counted as OpenZeppelin counts it", async (world) => {
  const timelock = as(world.timelock.target, ["TimelockController"], world.owner);
  await emitted(timelock, timelock.grantRole(await timelock.PROPOSER_ROLE(), world.owner));
  const operation = [world.friend.address, 0n, "0x", ZeroHash, ZeroHash];
  const identifier = await timelock.hashOperation(...operation);
  const states = [await timelock.getOperationState(identifier)];
  await emitted(timelock, timelock.schedule(...operation, DAY));
  states.push(await timelock.getOperationState(identifier));
  await passTime(world, DAY);
  states.push(await timelock.getOperationState(identifier));
  await emitted(timelock, timelock.execute(...operation));
  states.push(await timelock.getOperationState(identifier));
  assert.deepEqual(states, [0n, 1n, 2n, 3n]); // unset, waiting, ready, done
});

check("another delay of the timelock is announced in OpenZeppelin's event", async (world) => {
  const governor = governorOf(world);
  const timelock = as(world.timelock.target, ["TimelockController"], world.owner);
  const data = timelock.interface.encodeFunctionData("updateDelay", [2 * DAY]);
  await carryOut(world, governor, proposalOf(timelock.target, data));
  const [change] = await timelock.queryFilter("MinDelayChange", "latest");
  assert.deepEqual(change.args.toArray(), [BigInt(DAY), BigInt(2 * DAY)]);
  assert.equal(await timelock.getMinDelay(), BigInt(2 * DAY));
});
