// ERC-20, ERC-2612, ERC-5267, ERC-5805 and ERC-6372 of the three coins; SPARK's proxy, roles and pause.
import assert from "node:assert/strict";
import { Signature, TypedDataEncoder, ZeroAddress, ZeroHash, id, toBeHex } from "ethers";
import { DAY, MAXIMUM, as, check, deployPublished, domainOf, emitted, now, passTime, reverts } from "./harness.mjs";

const TOKEN = ["IERC20Metadata"];
const BURNABLE = ["ERC20Burnable"];
const PERMITTING = ["IERC20Metadata", "IERC20Permit", "IERC5267"];
const VOTING = ["IERC20Metadata", "ERC20Burnable", "IERC5805"];
const VOTING_BY_SIGNATURE = ["IERC20Metadata", "IERC20Permit", "IERC5267", "IERC5805"];
const IMPLEMENTATION_SLOT = toBeHex(BigInt(id("eip1967.proxy.implementation")) - 1n);
const PERMIT = {
  Permit: [
    { name: "owner", type: "address" },
    { name: "spender", type: "address" },
    { name: "value", type: "uint256" },
    { name: "nonce", type: "uint256" },
    { name: "deadline", type: "uint256" },
  ],
};
const DELEGATION = {
  Delegation: [
    { name: "delegatee", type: "address" },
    { name: "nonce", type: "uint256" },
    { name: "expiry", type: "uint256" },
  ],
};

/** A check that must hold for each coin, as who knows OpenZeppelin's `interfaces` alone sees it. */
const ofCoins = (interfaces, body) => async (world) => {
  for (const [name, address] of Object.entries(world.coins)) {
    const coin = as(address, interfaces, world.holder);
    await body(coin, world).catch((error) => {
      throw new Error(`${name}: ${error.message}`, { cause: error });
    });
  }
};

check(
  "a coin tells its name, its symbol, eighteen decimals, balances and their supply",
  ofCoins(TOKEN, async (coin, { holder }) => {
    assert.match(await coin.name(), /\w/);
    assert.match(await coin.symbol(), /^[A-Z]+$/);
    assert.equal(await coin.decimals(), 18n);
    const held = await coin.balanceOf(holder.address);
    assert(held > 0n && held <= (await coin.totalSupply()));
  }),
);

check(
  "a transfer returns true, moves the amount and emits Transfer, for nothing at all too",
  ofCoins(TOKEN, async (coin, { holder, friend }) => {
    const [before, had] = [await coin.balanceOf(holder), await coin.balanceOf(friend)];
    assert.equal(await coin.transfer.staticCall(friend, 5n), true);
    const events = await emitted(coin, coin.transfer(friend, 5n));
    assert.deepEqual(events, [["Transfer", holder.address, friend.address, 5n]]);
    assert.equal(await coin.balanceOf(holder), before - 5n);
    assert.equal(await coin.balanceOf(friend), had + 5n);
    const ofNothing = await emitted(coin, coin.transfer(friend, 0n));
    assert.deepEqual(ofNothing, [["Transfer", holder.address, friend.address, 0n]]);
  }),
);

check(
  "a transfer beyond the balance, or to nobody, reverts",
  ofCoins(TOKEN, async (coin, { holder, friend }) => {
    const held = await coin.balanceOf(holder);
    await reverts(coin.transfer(friend, held + 1n), "erc20: transfer amount exceeds balance");
    await reverts(coin.transfer(ZeroAddress, 1n), "erc20: transfer to the zero address");
  }),
);

check(
  "an approval is announced, read and spent, and an endless one stays",
  ofCoins(TOKEN, async (coin, { holder, friend, relayer }) => {
    assert.equal(await coin.approve.staticCall(friend, 7n), true);
    assert.deepEqual(await emitted(coin, coin.approve(friend, 7n)), [["Approval", holder.address, friend.address, 7n]]);
    const spender = coin.connect(friend);
    assert.equal(await spender.transferFrom.staticCall(holder, relayer, 3n), true);
    const events = await emitted(coin, spender.transferFrom(holder, relayer, 3n));
    assert.deepEqual(events.at(-1), ["Transfer", holder.address, relayer.address, 3n]);
    assert.equal(await coin.allowance(holder, friend), 4n);
    await reverts(spender.transferFrom(holder, relayer, 5n), "erc20: insufficient allowance");

    await emitted(coin, coin.approve(friend, MAXIMUM));
    await emitted(coin, spender.transferFrom(holder, relayer, 3n));
    assert.equal(await coin.allowance(holder, friend), MAXIMUM);
  }),
);

check(
  "burning lowers balance and supply and emits Transfer to nobody",
  ofCoins(BURNABLE, async (coin, { holder, friend }) => {
    const supply = await coin.totalSupply();
    const events = await emitted(coin, coin.burn(5n));
    assert.deepEqual(
      events.find(([name]) => name === "Transfer"),
      ["Transfer", holder.address, ZeroAddress, 5n],
    );
    await emitted(coin, coin.approve(friend, 5n));
    await emitted(coin, coin.connect(friend).burnFrom(holder, 5n));
    assert.equal(await coin.totalSupply(), supply - 10n);
  }),
);

check(
  "OpenZeppelin's vesting wallet takes a coin and pays it out through its safe transfer",
  ofCoins(TOKEN, async (coin, world) => {
    const begin = await now(world);
    const address = await deployPublished("VestingWallet", world.owner, world.friend.address, begin, DAY);
    const wallet = as(address, ["VestingWallet"], world.relayer);
    await emitted(coin, coin.transfer(address, 1_000n));
    await passTime(world, DAY);
    const had = await coin.balanceOf(world.friend);
    const events = await emitted(wallet, wallet.getFunction("release(address)")(coin.target));
    assert.deepEqual(events, [["ERC20Released", coin.target, 1_000n]]);
    assert.equal(await coin.balanceOf(world.friend), had + 1_000n);
  }),
);

check(
  "the domain that a coin tells is the one that its separator hashes",
  ofCoins(PERMITTING, async (coin) => {
    const domain = await domainOf(coin);
    assert.equal(domain.verifyingContract, coin.target);
    assert.equal(domain.name, await coin.name());
    assert.equal(TypedDataEncoder.hashDomain(domain), await coin.DOMAIN_SEPARATOR());
  }),
);

check(
  "a permit that ethers signs for the told domain gives the allowance once, to whoever sends it",
  ofCoins(PERMITTING, async (coin, world) => {
    const { holder, friend, relayer } = world;
    const nonce = await coin.nonces(holder);
    const deadline = (await now(world)) + DAY;
    const message = { owner: holder.address, spender: friend.address, value: 9n, nonce, deadline };
    const { v, r, s } = Signature.from(await holder.signTypedData(await domainOf(coin), PERMIT, message));
    const permit = [holder, friend, 9n, deadline, v, r, s];
    const asRelayer = coin.connect(relayer);
    await reverts(asRelayer.permit(holder, friend, 10n, deadline, v, r, s), "erc20: invalid signature");
    assert.deepEqual(await emitted(coin, asRelayer.permit(...permit)), [
      ["Approval", holder.address, friend.address, 9n],
    ]);
    assert.equal(await coin.allowance(holder, friend), 9n);
    assert.equal(await coin.nonces(holder), nonce + 1n);
    await reverts(asRelayer.permit(...permit), "erc20: invalid signature");
  }),
);

check(
  "a permit past its deadline reverts",
  ofCoins(PERMITTING, async (coin, world) => {
    const { holder, friend } = world;
    const deadline = (await now(world)) - 1;
    const message = {
      owner: holder.address,
      spender: friend.address,
      value: 9n,
      nonce: await coin.nonces(holder),
      deadline,
    };
    const { v, r, s } = Signature.from(await holder.signTypedData(await domainOf(coin), PERMIT, message));
    await reverts(coin.permit(holder, friend, 9n, deadline, v, r, s), "erc20: expired deadline");
  }),
);

check(
  "the clock is the block's time and CLOCK_MODE says so",
  ofCoins(VOTING, async (coin, world) => {
    assert.equal(await coin.clock(), BigInt(await now(world)));
    assert.deepEqual([...new URLSearchParams(await coin.CLOCK_MODE())], [["mode", "timestamp"]]);
  }),
);

check(
  "a delegation moves all votes and says from whom to whom",
  ofCoins(VOTING, async (coin, { holder, friend }) => {
    const units = await coin.balanceOf(holder);
    const before = await coin.delegates(holder);
    const events = await emitted(coin, coin.getFunction("delegate")(friend));
    assert.deepEqual(events[0], ["DelegateChanged", holder.address, before, friend.address]);
    assert.deepEqual(events.at(-1), ["DelegateVotesChanged", friend.address, 0n, units]);
    assert.equal(await coin.delegates(holder), friend.address);
    assert.equal(await coin.getVotes(friend), units);
    assert.equal(await coin.getVotes(holder), 0n);
  }),
);

check(
  "a delegation that ethers signs for the told domain works once, with permit's nonces",
  ofCoins(VOTING_BY_SIGNATURE, async (coin, world) => {
    const { holder, friend, relayer } = world;
    const nonce = await coin.nonces(holder);
    const expiry = (await now(world)) + DAY;
    const message = { delegatee: friend.address, nonce, expiry };
    const { v, r, s } = Signature.from(await holder.signTypedData(await domainOf(coin), DELEGATION, message));
    const delegation = [friend, nonce, expiry, v, r, s];
    const asRelayer = coin.connect(relayer);
    const [changed] = await emitted(coin, asRelayer.delegateBySig(...delegation));
    assert.equal(changed[1], holder.address);
    assert.equal(changed[3], friend.address);
    assert.equal(await coin.getVotes(friend), await coin.balanceOf(holder));
    assert.equal(await coin.nonces(holder), nonce + 1n);
    await reverts(asRelayer.delegateBySig(...delegation), "votes: invalid nonce");
  }),
);

check(
  "past votes and past supply stay what they were, and the present moment is refused",
  ofCoins(VOTING, async (coin, world) => {
    const { holder, friend } = world;
    await emitted(coin, coin.getFunction("delegate")(holder));
    const [then, units, supply] = [await coin.clock(), await coin.balanceOf(holder), await coin.totalSupply()];
    await passTime(world, 1);
    await emitted(coin, coin.transfer(friend, 5n));
    await emitted(coin, coin.burn(5n));
    assert.equal(await coin.getVotes(holder), units - 10n);
    assert.equal(await coin.getPastVotes(holder, then), units);
    assert.equal(await coin.getPastTotalSupply(then), supply);
    await reverts(coin.getPastVotes(holder, await coin.clock()), "votes: timepoint not in the past");
    await reverts(coin.getPastTotalSupply(await coin.clock()), "votes: timepoint not in the past");
  }),
);

check("SPARK's implementation stands in the slot of ERC-1967, and says so by ERC-1822", async (world) => {
  const slot = await world.provider.getStorage(world.spark.target, IMPLEMENTATION_SLOT);
  assert.equal(BigInt(slot), BigInt(world.sparkImplementation));
  const implementation = as(world.sparkImplementation, ["IERC1822Proxiable"], world.provider);
  assert.equal(await implementation.proxiableUUID(), IMPLEMENTATION_SLOT);
});

check(
  "SPARK lives behind OpenZeppelin's own proxy too, and is upgraded there through its UUPS interface",
  async (world) => {
    const { owner, holder, sparkImplementation, sparkInitialisation } = world;
    const address = await deployPublished("ERC1967Proxy", owner, sparkImplementation, sparkInitialisation);
    const names = ["IERC20Metadata", "UUPSUpgradeable", "IAccessControl", "ERC1967Proxy"];
    const spark = as(address, names, holder);
    assert.equal(await spark.balanceOf(holder), await spark.totalSupply());
    assert.equal(await spark.UPGRADE_INTERFACE_VERSION(), "5.0.0");

    const next = (await world.deployOurs("SparkToken")).target;
    await reverts(spark.upgradeToAndCall(next, "0x"), "access_control: account is missing role");
    await world.provider.send("anvil_impersonateAccount", [world.timelock.target]);
    await world.provider.send("anvil_setBalance", [world.timelock.target, toBeHex(10n ** 18n)]);
    const timelock = await world.provider.getSigner(world.timelock.target);
    const events = await emitted(spark, spark.connect(timelock).upgradeToAndCall(next, "0x"));
    assert.deepEqual(events, [["Upgraded", next]]);
    assert.equal(BigInt(await world.provider.getStorage(address, IMPLEMENTATION_SLOT)), BigInt(next));
    assert.equal(await spark.balanceOf(holder), await spark.totalSupply());
  },
);

check("SPARK's roles are granted, read, revoked and renounced through OpenZeppelin's IAccessControl", async (world) => {
  const { owner, friend, spark } = world;
  const roles = as(spark.target, ["IAccessControl"], owner);
  const [minter, admin] = [id("MINTER_ROLE"), ZeroHash];
  assert.equal(await roles.getRoleAdmin(minter), admin);
  assert.deepEqual(await emitted(roles, roles.grantRole(minter, friend)), [
    ["RoleGranted", minter, friend.address, owner.address],
  ]);
  assert.equal(await roles.hasRole(minter, friend), true);
  assert.deepEqual(await emitted(roles, roles.revokeRole(minter, friend)), [
    ["RoleRevoked", minter, friend.address, owner.address],
  ]);
  assert.deepEqual(await emitted(roles, roles.renounceRole(minter, owner)), [
    ["RoleRevoked", minter, owner.address, owner.address],
  ]);
  await reverts(roles.connect(friend).grantRole(minter, friend), "access_control: account is missing role");
});

check("SPARK pauses and goes on through OpenZeppelin's Pausable", async ({ owner, holder, friend, spark }) => {
  const pausable = as(spark.target, ["Pausable", "IERC20"], holder);
  assert.equal(await pausable.paused(), false);
  assert.deepEqual(await emitted(pausable, spark.pause()), [["Paused", owner.address]]);
  assert.equal(await pausable.paused(), true);
  await reverts(pausable.transfer(friend, 1n), "pausable: contract is paused");
  assert.deepEqual(await emitted(pausable, spark.unpause()), [["Unpaused", owner.address]]);
});
