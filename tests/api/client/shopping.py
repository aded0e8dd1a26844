"""Use every module of the generated Python client, and read with it: `shopping.py <base URL> <coin>` prints JSON."""

import importlib
import json
import pkgutil
import sys

import encore_client
from encore_client import Client
from encore_client.api.coins import get_coin, list_coins
from encore_client.api.trading import quote_trade
from encore_client.models import CoinPage, Problem, Quote, Side

base, coin = sys.argv[1:]
modules = [found.name for found in pkgutil.walk_packages(encore_client.__path__, "encore_client.")]
for module in modules:
    importlib.import_module(module)
client = Client(base_url=base)
page = list_coins.sync(client=client, limit=1)
quote = quote_trade.sync(coin, client=client, side=Side.BUY, amount="1000000")
unknown = get_coin.sync("0x" + "0" * 40, client=client)
assert isinstance(page, CoinPage)
assert isinstance(quote, Quote)
assert isinstance(unknown, Problem)
told = {
    "modules": len(modules),
    "coin": page.items[0].address,
    "has_more": page.next_cursor is not None,
    "amount_out": quote.amount_out,
    "at": quote.indexed_block.timestamp.isoformat(),
    "unknown": unknown.type_,
}
sys.stdout.write(json.dumps(told))
