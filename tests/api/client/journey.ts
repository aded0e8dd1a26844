// A fan's day, by the generated client, ethers and a WebSocket alone: the API never sees the key.
//
// node journey.js <base URL of the API> <URL of the node> <private key> prints what it did as one JSON object.
import assert from "node:assert/strict";
import { Contract, JsonRpcProvider, Wallet, type TransactionReceipt } from "ethers";
import createClient from "openapi-fetch";
import type { components, operations, paths } from "./api.js";

type Schemas = components["schemas"];
type Trading = operations["prepareTransactions"]["requestBody"]["content"]["application/json"];
type Event = Schemas["FeedEvent"];
type Message = Event | Schemas["PriceTick"] | Schemas["FeedReset"] | { type: "subscribed"; after: number };

const [base, node, key] = process.argv.slice(2) as [string, string, string];
const YEAR = 365 * 86_400;
const provider = new JsonRpcProvider(node, undefined, { cacheTimeout: -1, staticNetwork: true, pollingInterval: 50 });
const wallet = new Wallet(key, provider);
const client = createClient<paths>({ baseUrl: base });
let indexed = 0;

/** The data of an answer; a problem ends the journey with its own words. */
function data<T>(answer: { data?: T; error?: Schemas["Problem"] }): T {
  if (answer.error !== undefined) throw new Error(`${answer.error.title}: ${answer.error.detail}`);
  return answer.data as T;
}

/** Signs the prepared steps in their order and sends them; reads what follows from the last one's block on. */
async function execute(prepared: Schemas["PreparedTransactions"]): Promise<TransactionReceipt> {
  let receipt: TransactionReceipt | null = null;
  for (const { transaction } of prepared.steps) {
    const { type: _, gas, nonce, ...rest } = transaction;
    const sent = await wallet.sendTransaction({ ...rest, type: 2, gasLimit: gas, nonce: Number(nonce) });
    receipt = await sent.wait();
  }
  assert(receipt !== null && receipt.status === 1);
  indexed = receipt.blockNumber;
  return receipt;
}

async function pass(seconds: number): Promise<void> {
  await provider.send("evm_increaseTime", [seconds]);
  await provider.send("evm_mine", []);
  indexed = await provider.getBlockNumber();
}

const fresh = () => ({ min_block: indexed });

async function signIn(): Promise<string> {
  const { message } = data(await client.POST("/api/v1/auth/challenges", { body: { wallet: wallet.address } }));
  const signature = await wallet.signMessage(message);
  return data(await client.POST("/api/v1/auth/sessions", { body: { message, signature } })).access_token;
}

const isPurchase = (event: Event) => event.kind === "applied" && event.name === "TokensPurchased";

/** The next purchase that the stream of events after an id tells of; asked for by the generated client. */
async function streamed(coin: string, after: number): Promise<Event> {
  const cancelled = new AbortController();
  const { response } = await client.GET("/api/v1/events", {
    params: { query: { coin: [coin], after } },
    parseAs: "stream",
    signal: cancelled.signal,
  });
  assert(response.body !== null);
  let text = "";
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const events = text.split("\n\n");
    text = events.pop() ?? "";
    for (const event of events) {
      const line = event.split("\n").find((each) => each.startsWith("data: "));
      const told: Event | undefined = line && JSON.parse(line.slice("data: ".length));
      if (told !== undefined && isPurchase(told)) {
        cancelled.abort();
        return told;
      }
    }
  }
  throw new Error("the stream ended");
}

/** The same over the WebSocket with the price that followed from it; `subscribed` is told the id to go on after. */
function pushed(coin: string, subscribed: (after: number) => void): Promise<{ event: Event; price: string }> {
  const socket = new WebSocket(`${base.replace("http", "ws")}/ws`);
  const channels = [`coin:${coin}`, `price:${coin}`];
  return new Promise((resolve, reject) => {
    let event: Event | undefined;
    let price: string | null = null;
    socket.onerror = () => reject(new Error("the WebSocket failed"));
    socket.onopen = () => socket.send(JSON.stringify({ op: "subscribe", channels }));
    socket.onmessage = ({ data: frame }) => {
      for (const message of JSON.parse(frame as string) as Message[]) {
        if (message.type === "subscribed") subscribed(message.after);
        if (message.type === "event" && isPurchase(message)) event = message;
        if (message.type === "price") price = message.price;
      }
      if (event !== undefined && price !== null) {
        socket.close();
        resolve({ event, price });
      }
    };
  });
}

const token = await signIn();
const me = data(await client.GET("/api/v1/me", { headers: { Authorization: `Bearer ${token}` } }));
assert.deepEqual(me.wallets.map((linked) => linked.address), [wallet.address]);

const coins = data(await client.GET("/api/v1/coins", { params: { query: { sort: "market_cap" } } }));
const coin = coins.items[0]!.address;
const path = { address: coin };
const amount = (10n ** 17n).toString();
const quote = data(
  await client.GET("/api/v1/coins/{address}/quote", {
    params: { path, query: { side: "buy", amount, wallet: wallet.address } },
  }),
);
assert.deepEqual(quote.refusals, []);

let overSocket!: ReturnType<typeof pushed>;
const after = await new Promise<number>((subscribed, failed) => {
  overSocket = pushed(coin, subscribed);
  overSocket.catch(failed);
});
const overSse = streamed(coin, after);

const prepare = async (body: Trading) =>
  data(await client.POST("/api/v1/coins/{address}/transactions", { params: { path, query: fresh() }, body }));

const bought = await execute(await prepare({ side: "buy", wallet: wallet.address, amount, slippage_bps: 0 }));
const [event, { event: sameEvent, price }] = await Promise.all([overSse, overSocket]);
assert.equal(event.transaction_hash, bought.hash);
assert.equal(sameEvent.transaction_hash, bought.hash);

const market = data(await client.GET("/api/v1/coins/{address}", { params: { path, query: fresh() } }));
assert.equal(market.price, price);
const candles = data(
  await client.GET("/api/v1/coins/{address}/candles", { params: { path, query: { interval: "1m", ...fresh() } } }),
);
assert.equal(candles.items.at(-1)!.close, price);

const owner = { path: { address: wallet.address } };
const holdings = data(
  await client.GET("/api/v1/wallets/{address}/holdings", { params: { ...owner, query: fresh() } }),
);
assert.equal(holdings.items[0]!.amount, quote.amount_out);
const portfolio = data(await client.GET("/api/v1/wallets/{address}/portfolio", { params: owner }));
const profits = data(await client.GET("/api/v1/wallets/{address}/profits", { params: owner }));
assert.equal(profits.items[0]!.cost_basis, amount);
assert.equal(portfolio.profit?.unrealised, profits.items[0]!.unrealised);

const staked = 100n * 10n ** 18n;
await execute(await prepare({ kind: "stake", wallet: wallet.address, amount: staked.toString() }));
await execute(await prepare({ kind: "delegate", wallet: wallet.address, delegatee: wallet.address }));
await pass(YEAR);
const stakes = () => client.GET("/api/v1/wallets/{address}/stakes", { params: { ...owner, query: fresh() } });
const pending = BigInt(data(await stakes()).items[0]!.pending_rewards);
const late = pending - staked / 10n; // the chain's clock also goes on by itself
assert(late >= 0n && late < ((staked / 10n) * 300n) / BigInt(YEAR));
await execute(await prepare({ kind: "claim", wallet: wallet.address }));
const claimed = BigInt(data(await stakes()).items[0]!.claimed_rewards);
assert(claimed >= pending);

const take = async (body: Schemas["DelegateRequest"] | Schemas["VoteRequest"]) =>
  execute(data(await client.POST("/api/v1/governance/transactions", { params: { query: fresh() }, body })));
await take({ kind: "delegate", wallet: wallet.address, delegatee: wallet.address });
const governance = data(await client.GET("/api/v1/governance", { params: { query: fresh() } }));
await pass(2);
// To propose is for those who write software: the API prepares votes alone.
const governor = new Contract(
  governance.governor,
  ["function propose(address[],uint256[],bytes[],string) returns (uint256)"],
  wallet,
);
await (await governor.propose!([governance.timelock], [0], ["0x"], "Let it be")).wait();
await pass(governance.voting_delay_seconds + 1);
const proposals = data(
  await client.GET("/api/v1/governance/proposals", { params: { query: { state: ["active"], ...fresh() } } }),
);
const proposal = proposals.items[0]!;
await take({ kind: "vote", wallet: wallet.address, proposal_id: proposal.id, support: "for" });
const voted = data(
  await client.GET("/api/v1/governance/proposals/{proposal_id}", {
    params: { path: { proposal_id: proposal.id }, query: fresh() },
  }),
);
assert(BigInt(voted.votes_for) > 0n && voted.state === "active");

provider.destroy();
console.log(
  JSON.stringify({
    account: me.id,
    bought: quote.amount_out,
    transaction: bought.hash,
    price,
    candle: candles.items.at(-1)!.close,
    total: portfolio.totals.total,
    claimed: claimed.toString(),
    votes_for: voted.votes_for,
  }),
);
