"""Against the real coin on a real chain: pending revenue is what its view says at the indexed block, to the wei."""

from random import Random

from encore.settings import local_account_address
from tests.api.mirrored import Market
from tests.factories import ETHER

HOLDERS = (3, 4, 5)
STEPS = 12


async def test_pending_revenue_is_what_the_contracts_view_says_in_the_same_block(market: Market) -> None:
    random = Random(6)
    coin, chain, exchange = market.coin, market.chain, market.exchange
    claimed = dict.fromkeys(HOLDERS, 0)
    for holder in HOLDERS:
        await exchange.send("buyTokens", coin.address, 0, sender=holder, value=10**17)
    await coin.send("stake", 777 * ETHER + 7, sender=3)
    for step in range(STEPS):
        sender, receiver = random.sample(HOLDERS, 2)
        if step % 3 == 0:
            await coin.send("distribute", sender=6, value=random.randrange(10**15, 10**18))
        elif step % 3 == 1:
            amount = random.randrange(await market.tokens(sender))
            await coin.send("transfer", local_account_address(receiver), amount, sender=sender)
            await coin.send("transfer", random.choice([coin.address, exchange.address]), 10**9, sender=sender)
        elif await coin.call("pendingRevenue", local_account_address(sender)):
            before = await market.native(sender)
            receipt = await coin.send("claimRevenue", sender=sender)
            gas = int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16)
            claimed[sender] += await market.native(sender) - before + gas
        if random.random() < 0.5:
            await chain.wait(random.randrange(1, 100))
        block = await market.mirror()
        for holder in HOLDERS:
            wallet = local_account_address(holder)
            due = await coin.call("pendingRevenue", wallet, block=block)
            page = await market.get(f"/api/v1/wallets/{wallet}/revenue")
            assert sum(int(share["pending"]) for share in page["items"]) == due
            assert sum(int(share["claimed"]) for share in page["items"]) == claimed[holder]
            totals = (await market.get(f"/api/v1/wallets/{wallet}/portfolio"))["totals"]
            assert int(totals["pending_revenue"]) == due
    assert all(claimed.values())
    everything = await market.tokens(4)
    await coin.send("transfer", local_account_address(3), everything, sender=4)
    await market.mirror()
    assert await coin.call("pendingRevenue", local_account_address(4)) > 0
    (share,) = (await market.get(f"/api/v1/wallets/{local_account_address(4)}/revenue"))["items"]
    assert int(share["pending"]) == await coin.call("pendingRevenue", local_account_address(4))
    for exempt in (coin.address, exchange.address):
        assert (await market.get(f"/api/v1/wallets/{exempt}/revenue"))["items"] == []
