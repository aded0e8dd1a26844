// What every check stands on: its registration, its run on a chain set back after each, and OpenZeppelin's artefacts.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { Contract, ContractFactory, Interface } from "ethers";

const require = createRequire(import.meta.url);
const checks = new Map();

export const DAY = 86_400;
export const MAXIMUM = 2n ** 256n - 1n;

/** Register a check; `name` is also the name of its test. */
export function check(name, body) {
  assert(!checks.has(name), `two checks are called "${name}"`);
  checks.set(name, body);
}

/** Run every check on `world`; return name -> null, or what went wrong. */
export async function runChecks(world) {
  const outcomes = {};
  for (const [name, body] of checks) {
    const snapshot = await world.provider.send("evm_snapshot", []);
    outcomes[name] = await body(world).then(
      () => null,
      (error) => String(error.stack),
    );
    await world.provider.send("evm_revert", [snapshot]);
  }
  return outcomes;
}

/** What OpenZeppelin published as `name`: its ABI and, where it can be deployed, its bytecode. */
export function artifact(name) {
  return require(`@openzeppelin/contracts/build/contracts/${name}.json`);
}

/** The contract at `address` as whoever only knows OpenZeppelin's `names` sees it. */
export function as(address, names, runner) {
  return new Contract(address, new Interface(names.flatMap((name) => artifact(name).abi)), runner);
}

/** Return the receipt of the transaction that `sent` promises, once it is mined. */
export async function mined(sent) {
  const { hash, provider } = await sent;
  // Not `wait`: it waits for a next block if this one comes between its first look and its subscription.
  for (;;) {
    const receipt = await provider.getTransactionReceipt(hash);
    if (receipt === null) continue;
    assert.equal(receipt.status, 1, `${hash} reverted`);
    return receipt;
  }
}

/** Deploy a contract of this ABI and bytecode. */
export async function deploy({ abi, bytecode }, runner, ...args) {
  const contract = await new ContractFactory(abi, bytecode, runner).deploy(...args);
  await mined(contract.deploymentTransaction());
  return contract;
}

/** Deploy a contract of OpenZeppelin's; return its address. */
export async function deployPublished(name, runner, ...args) {
  return (await deploy(artifact(name), runner, ...args)).target;
}

/** Send the transaction that `sent` promises; return what `contract` emitted, decoded by the ABI it is seen through. */
export async function emitted(contract, sent) {
  const { logs } = await mined(sent);
  return logs
    .filter((log) => log.address === contract.target)
    .map((log) => contract.interface.parseLog(log))
    .filter((event) => event !== null)
    .map((event) => [event.name, ...event.args.toArray(true)]);
}

/** Assert that the call or transaction that `sent` promises reverts for `reason`. */
export async function reverts(sent, reason) {
  await assert.rejects(sent, (error) => {
    assert.equal(error.code, "CALL_EXCEPTION", error.message);
    assert.equal(error.reason, reason);
    return true;
  });
}

/** The ERC-165 identifier of OpenZeppelin's interface `name`, without what it inherits from `parent`. */
export function interfaceId(name, parent) {
  const inherited = new Set(parent ? selectors(parent) : []);
  const own = selectors(name).filter((selector) => !inherited.has(selector));
  const id = own.reduce((sum, selector) => sum ^ BigInt(selector), 0n);
  return `0x${id.toString(16).padStart(8, "0")}`;
}

function selectors(name) {
  const found = [];
  new Interface(artifact(name).abi).forEachFunction((fragment) => found.push(fragment.selector));
  return found;
}

/** The EIP-712 domain that a contract tells by ERC-5267, ready to sign with. */
export async function domainOf(contract) {
  const told = await contract.eip712Domain();
  assert.equal(told.fields, "0x0f", "name, version, chain and contract, no salt");
  assert.deepEqual(told.extensions.toArray(), []);
  const { name, version, chainId, verifyingContract } = told;
  return { name, version, chainId, verifyingContract };
}

/** The time of the latest block. */
export async function now(world) {
  return (await world.provider.getBlock("latest")).timestamp;
}

/** Mine a block `seconds` after the latest one. */
export async function passTime(world, seconds) {
  await world.provider.send("evm_setNextBlockTimestamp", [(await now(world)) + seconds]);
  await world.provider.send("evm_mine", []);
}
