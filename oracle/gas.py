"""What gas costs and usually costs, so that what is not urgent can wait for a cheaper hour."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median_low
from typing import Final

from encore.chain.outbox import Node
from encore.db import Database
from oracle.repository.gas_prices import hourly_gas_prices, save_gas_price
from oracle.repository.state import State

TYPICAL_OVER: Final = timedelta(hours=24)
LEAST_HOURS: Final = 3
"""Of fewer hours nothing is typical yet."""
DEAR_NUMERATOR: Final = 5
DEAR_DENOMINATOR: Final = 4


@dataclass(frozen=True, slots=True)
class GasOutlook:
    """The price now, and the median of the hours of the last day, both in wei per gas; None without enough hours."""

    price: int
    typical: int | None

    @property
    def is_dear(self) -> bool:
        """Whether gas costs more than a quarter above what it usually does."""
        return self.typical is not None and self.price * DEAR_DENOMINATOR > self.typical * DEAR_NUMERATOR


class GasPrices:
    """Follows the price of gas on one chain. `patience` is how long what is not urgent may wait for a cheaper hour."""

    def __init__(self, database: Database, node: Node, patience: timedelta, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._node = node
        self._patience = patience
        self._clock = clock

    async def note(self) -> GasOutlook:
        """Look at the price, and keep it."""
        price = (await self._node.head()).gas_price
        async with self._database.transaction() as connection:
            await save_gas_price(connection, self._node.network.chain_id, self._clock(), price)
        return await self._outlook(price)

    async def outlook(self) -> GasOutlook:
        """Look at the price."""
        return await self._outlook((await self._node.head()).gas_price)

    def should_wait(self, outlook: GasOutlook, state: State) -> bool:
        """Whether what is not urgent should wait: gas is dear, and nothing has waited longer than `patience` yet."""
        return outlook.is_dear and state.synced_at is not None and self._clock() - state.synced_at < self._patience

    async def _outlook(self, price: int) -> GasOutlook:
        async with self._database.read() as session:
            hours = await hourly_gas_prices(session, self._node.network.chain_id, self._clock() - TYPICAL_OVER)
        return GasOutlook(price, median_low(hours) if len(hours) >= LEAST_HOURS else None)
