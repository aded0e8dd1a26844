// The contracts under check: the launched economy as Python deployed it, with SPARK, the collections and the governor.
import { Contract, HDNodeWallet, JsonRpcProvider, Mnemonic, Wallet, ZeroAddress, parseEther } from "ethers";
import { DAY, deploy, mined, passTime } from "./harness.mjs";

const ACCOUNTS = 7;

/** Sends with room: a second later than the estimate, a checkpoint of votes can take another slot. */
class RoomyWallet extends Wallet {
  async estimateGas(transaction) {
    return 2n * (await super.estimateGas(transaction));
  }
}

/** Connect and deploy; `given` is what the test wrote: url, mnemonic, contracts (ABI and bytecode) and addresses. */
export async function buildWorld(given) {
  const provider = new JsonRpcProvider(given.url, undefined, {
    staticNetwork: true,
    batchMaxCount: 1, // nothing waits for others to be sent with
    cacheTimeout: -1, // the chain is set back after every check
  });
  const mnemonic = Mnemonic.fromPhrase(given.mnemonic);
  const wallets = Array.from({ length: ACCOUNTS }, (_, index) => {
    const { privateKey } = HDNodeWallet.fromMnemonic(mnemonic, `m/44'/60'/0'/0/${index}`);
    return new RoomyWallet(privateKey, provider);
  });
  const [owner, , creator, holder, friend, relayer, stranger] = wallets;

  const at = (name, address, runner) => new Contract(address, given.contracts[name].abi, runner);
  const deployOurs = (name, ...args) => deploy(given.contracts[name], owner, ...args);

  const {
    TokenDeploymentFactory: registry,
    CreatorTokenFactory: factory,
    IntegratedCreatorDEX: exchange,
  } = given.addresses;
  const launched = given.addresses.BalancedCreatorToken;
  const buy = at("IntegratedCreatorDEX", exchange, holder).getFunction("buyTokens(address,uint256)");
  await mined(buy(launched, 0, { value: parseEther("0.01") }));

  const terms = ["Plain Coin", "PLAIN", "", "", parseEther("1000"), holder.address, owner.address];
  const launcher = at("CreatorTokenFactory", factory, holder);
  const plain = await launcher.createCreatorToken.staticCall(...terms);
  await mined(launcher.createCreatorToken(...terms));

  const timelock = await deployOurs("CreatorTimelock", DAY, [], [ZeroAddress], owner.address);
  const implementation = await deployOurs("SparkToken");
  const initialise = implementation.interface.encodeFunctionData("initialize", [
    owner.address,
    timelock.target,
    holder.address,
  ]);
  const spark = await deployOurs("ERC1967Proxy", implementation.target, initialise);
  const settings = [DAY, 7 * DAY, parseEther("1000"), 4, 2 * DAY];
  await mined(at("SparkToken", spark.target, holder).getFunction("delegate")(holder.address));
  const governor = await deployOurs("CreatorGovernor", spark.target, timelock.target, "Spark Governor", ...settings);
  for (const role of [await timelock.PROPOSER_ROLE(), await timelock.CANCELLER_ROLE()]) {
    await mined(timelock.grantRole(role, governor.target));
  }

  const music = await deployOurs("MusicNFT", registry, factory, "https://media.example/");
  const track = [holder.address, "Song", "bafy-song", 10, 5];
  const drops = music.connect(creator);
  const musicId = await drops.mintExclusiveTrack.staticCall(...track);
  await mined(drops.mintExclusiveTrack(...track));
  const collectables = await deployOurs("SparkNFT", "Collectables", "SC", "https://nft.example/", owner.address, 500);
  await mined(collectables.mint(holder.address));
  const contentAccess = await deployOurs("ContentAccess", factory, music.target);

  const world = {
    provider,
    owner,
    creator,
    holder, // of every coin and of one token of each collection
    friend,
    relayer,
    stranger,
    coins: { CreatorToken: plain, BalancedCreatorToken: launched, SparkToken: spark.target },
    collections: {
      MusicNFT: { address: music.target, tokenId: musicId, royaltyReceiver: creator.address, royaltyBps: 1_000n },
      SparkNFT: { address: collectables.target, tokenId: 1n, royaltyReceiver: owner.address, royaltyBps: 500n },
    },
    music,
    collectables,
    contentAccess,
    spark: at("SparkToken", spark.target, owner),
    sparkImplementation: implementation.target,
    sparkInitialisation: initialise,
    timelock,
    governor: governor.target,
    deployOurs,
  };
  await passTime(world, 1); // votes count from the second after
  return world;
}
