// ERC-721 and its metadata, ERC-2981 and ERC-4906 of the two collections; ERC-165 of whoever answers it.
import assert from "node:assert/strict";
import { ZeroAddress } from "ethers";
import { DAY, as, check, deployPublished, emitted, interfaceId, reverts } from "./harness.mjs";

const STANDARD = ["IERC721Metadata", "IERC2981", "IERC4906"];
const ERC4906 = "0x49064906"; // assigned by the standard, for it has no functions
const MAXIMUM_ID = 2n ** 256n - 1n;
const NOT_APPROVED = "erc721: caller is not token owner or approved";
const NO_REASON = "require(false)"; // what ethers makes of none
const MAXIMUM_PROBE_GAS = 30_000n; // ERC-165
const SAFE = "safeTransferFrom(address,address,uint256)";
const SAFE_WITH_DATA = "safeTransferFrom(address,address,uint256,bytes)";

/** A check that must hold for each collection, as who knows OpenZeppelin's interfaces alone sees it. */
const ofCollections = (body) => async (world) => {
  for (const [name, { address, ...terms }] of Object.entries(world.collections)) {
    const collection = as(address, STANDARD, world.holder);
    await body(collection, world, terms).catch((error) => {
      throw new Error(`${name}: ${error.message}`, { cause: error });
    });
  }
};

check(
  "a collection tells names, holders and where a token's metadata are",
  ofCollections(async (collection, { holder }, { tokenId }) => {
    assert.match(await collection.name(), /\w/);
    assert.match(await collection.symbol(), /^[A-Z]+$/);
    assert.equal(await collection.balanceOf(holder), 1n);
    assert.equal(await collection.ownerOf(tokenId), holder.address);
    assert.match(new URL(await collection.tokenURI(tokenId)).protocol, /^(data|https):$/);
  }),
);

check("a track's metadata are JSON with a name, as marketplaces read them", async ({ collections, provider }) => {
  const { address, tokenId } = collections.MusicNFT;
  const metadata = await (await fetch(await as(address, STANDARD, provider).tokenURI(tokenId))).json();
  assert.match(metadata.name, /Song/);
});

check(
  "what belongs to nobody, and nobody's balance, revert",
  ofCollections(async (collection, world) => {
    await reverts(collection.ownerOf(MAXIMUM_ID), "erc721: invalid token ID");
    await reverts(collection.getApproved(MAXIMUM_ID), "erc721: invalid token ID");
    await reverts(collection.tokenURI(MAXIMUM_ID), "erc721: invalid token ID");
    await reverts(collection.balanceOf(ZeroAddress), "erc721: zero address is not a valid owner");
  }),
);

check("minting emits Transfer from nobody", async ({ collections, collectables, friend }) => {
  const collection = as(collections.SparkNFT.address, STANDARD, friend);
  assert.deepEqual(await emitted(collection, collectables.mint(friend)), [
    ["Transfer", ZeroAddress, friend.address, 2n],
  ]);
});

check(
  "a token's approval lets one account move it once",
  ofCollections(async (collection, { holder, friend, relayer }, { tokenId }) => {
    await reverts(collection.connect(friend).transferFrom(holder, relayer, tokenId), NOT_APPROVED);
    assert.deepEqual(await emitted(collection, collection.approve(friend, tokenId)), [
      ["Approval", holder.address, friend.address, tokenId],
    ]);
    assert.equal(await collection.getApproved(tokenId), friend.address);
    assert.deepEqual(await emitted(collection, collection.connect(friend).transferFrom(holder, relayer, tokenId)), [
      ["Transfer", holder.address, relayer.address, tokenId],
    ]);
    assert.equal(await collection.ownerOf(tokenId), relayer.address);
    assert.equal(await collection.getApproved(tokenId), ZeroAddress);
  }),
);

check(
  "an operator moves all tokens until it is withdrawn",
  ofCollections(async (collection, { holder, friend }, { tokenId }) => {
    assert.deepEqual(await emitted(collection, collection.setApprovalForAll(friend, true)), [
      ["ApprovalForAll", holder.address, friend.address, true],
    ]);
    assert.equal(await collection.isApprovedForAll(holder, friend), true);
    await collection.connect(friend).transferFrom.staticCall(holder, friend, tokenId);
    await emitted(collection, collection.setApprovalForAll(friend, false));
    await reverts(collection.connect(friend).transferFrom.staticCall(holder, friend, tokenId), NOT_APPROVED);
  }),
);

check(
  "a safe transfer reaches wallets and contracts that know tokens, OpenZeppelin's and ours",
  ofCollections(async (collection, { owner, holder, friend, timelock }, { tokenId }) => {
    const admin = owner.address;
    const theirs = await deployPublished("TimelockController", owner, DAY, [], [], admin);
    for (const receiver of [friend.address, theirs, timelock.target]) {
      await collection.getFunction(SAFE).staticCall(holder, receiver, tokenId);
      await collection.getFunction(SAFE_WITH_DATA).staticCall(holder, receiver, tokenId, "0x1234");
    }
    assert.deepEqual(await emitted(collection, collection.getFunction(SAFE)(holder, theirs, tokenId)), [
      ["Transfer", holder.address, theirs, tokenId],
    ]);
    assert.equal(await collection.ownerOf(tokenId), theirs);
  }),
);

check(
  "a safe transfer to a contract that knows nothing of tokens reverts",
  ofCollections(async (collection, { owner, holder, friend }, { tokenId }) => {
    const wallet = await deployPublished("VestingWallet", owner, friend.address, 0, DAY);
    await reverts(collection.getFunction(SAFE)(holder, wallet, tokenId), NO_REASON);
    await reverts(collection.getFunction(SAFE_WITH_DATA)(holder, wallet, tokenId, "0x1234"), NO_REASON);
    assert.equal(await collection.ownerOf(tokenId), holder.address);
  }),
);

check(
  "a royalty is the same part of every price, for the told receiver",
  ofCollections(async (collection, _world, { tokenId, royaltyReceiver, royaltyBps }) => {
    for (const price of [0n, 1n, 10_000n, 10n ** 30n + 7n]) {
      const expected = [royaltyReceiver, (price * royaltyBps) / 10_000n];
      assert.deepEqual((await collection.royaltyInfo(tokenId, price)).toArray(), expected);
    }
  }),
);

check("new places for metadata are announced by ERC-4906", async ({ collections, music, collectables, provider }) => {
  for (const [name, send] of [
    ["MusicNFT", music.setMediaBaseUri],
    ["SparkNFT", collectables.setBaseUri],
  ]) {
    const events = await emitted(as(collections[name].address, STANDARD, provider), send("https://new.example/"));
    assert.deepEqual(events, [["BatchMetadataUpdate", 0n, MAXIMUM_ID]], name);
  }
});

check("ERC-165 answers yes to what OpenZeppelin's interfaces hash to and no to the rest, cheaply", async (world) => {
  const [erc165, roles] = [interfaceId("IERC165"), interfaceId("IAccessControl")];
  const tokens = [interfaceId("IERC721", "IERC165"), interfaceId("IERC721Metadata", "IERC721")];
  const collection = [erc165, roles, ...tokens, interfaceId("IERC2981", "IERC165"), ERC4906];
  const claims = {
    MusicNFT: [world.collections.MusicNFT.address, collection],
    SparkNFT: [world.collections.SparkNFT.address, collection],
    SparkToken: [world.spark.target, [erc165, roles]],
    ContentAccess: [world.contentAccess.target, [erc165, roles]],
    CreatorTimelock: [world.timelock.target, [erc165, roles, interfaceId("IERC1155Receiver", "IERC165")]],
  };
  for (const [name, [address, supported]] of Object.entries(claims)) {
    const contract = as(address, ["IERC165"], world.provider);
    for (const identifier of supported) {
      assert.equal(await contract.supportsInterface(identifier), true, `${name} denies ${identifier}`);
      assert((await contract.supportsInterface.estimateGas(identifier)) < 21_000n + MAXIMUM_PROBE_GAS);
    }
    for (const identifier of ["0xffffffff", "0x00000000", interfaceId("IERC20")]) {
      assert.equal(await contract.supportsInterface(identifier), false, `${name} claims ${identifier}`);
    }
  }
});
