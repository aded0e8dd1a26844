"""What gas has cost, hour by hour."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from encore.db import ReadSession
from encore.db.models.oracle import GasPrice

KEPT: Final = timedelta(days=30)


async def save_gas_price(connection: AsyncConnection, chain_id: int, now: datetime, price: int) -> None:
    """Add a look at the price (wei per gas) to its hour, and forget hours of more than 30 days ago."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    this_hour = (GasPrice.chain_id == chain_id, GasPrice.hour == hour)
    row = (await connection.execute(select(GasPrice.samples, GasPrice.total).where(*this_hour))).first()
    samples, total = (0, 0) if row is None else (row.samples, row.total)
    await connection.execute(
        delete(GasPrice).where(GasPrice.chain_id == chain_id, (GasPrice.hour == hour) | (GasPrice.hour < hour - KEPT))
    )
    await connection.execute(
        insert(GasPrice).values(chain_id=chain_id, hour=hour, samples=samples + 1, total=total + price)
    )


async def hourly_gas_prices(session: ReadSession, chain_id: int, since: datetime) -> list[int]:
    """Return the mean price of each hour from `since` on, in wei per gas, the oldest first."""
    rows = await session.all(
        select(GasPrice.samples, GasPrice.total)
        .where(GasPrice.chain_id == chain_id, GasPrice.hour >= since)
        .order_by(GasPrice.hour)
    )
    return [row.total // row.samples for row in rows]
