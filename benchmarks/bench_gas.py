"""Gas of every operation of every contract, on anvil with one transaction a block, beside the best known figures.

    make gas

Writes docs/contracts/gas-table.md, which a test compares with what the contracts use.
"""

import asyncio
import json
import sys

import structlog
from rich.console import Console
from rich.table import Table

from encore.chain.local_node import find_anvil
from tests.gas.meter import Measured
from tests.gas.table import TABLE, as_markdown
from tests.gas.world import measure


def shown(rows: list[Measured]) -> Table:
    """Return the table for a terminal."""
    table = Table(box=None)
    table.add_column("contract", no_wrap=True)
    table.add_column("operation", no_wrap=True)
    for heading in ("gas", "reference", "ratio"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("goal", no_wrap=True)
    table.add_column("whose reference", no_wrap=True)
    previous = ""
    for row in rows:
        contract = "" if row.contract == previous else row.contract
        previous = row.contract
        if row.reference is None:
            table.add_row(contract, row.operation, f"{row.gas:,}")
            continue
        goal = "[green]met[/]" if row.met else "[red]missed[/]"
        ratio = f"{row.gas / row.reference.gas:.2f}"
        table.add_row(
            contract, row.operation, f"{row.gas:,}", f"{row.reference.gas:,}", ratio, goal, row.reference.source
        )
    return table


def compared(rows: list[Measured]) -> list[dict[str, object]]:
    """Return each comparison as a benchmark reports it."""
    return [
        {
            "name": f"{row.contract}: {row.operation}, gas",
            "ours": row.gas,
            "reference": row.reference.gas,
            "ratio": round(row.gas / row.reference.gas, 3),
            "goal": 1,
            "met": row.met,
        }
        for row in rows
        if row.reference is not None
    ]


def main() -> None:
    """Measure, write the table, print it, and as the last line the comparisons as JSON."""
    if find_anvil() is None:
        sys.exit("anvil is not installed: `make env` brings it where there is Node.js")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    meter = asyncio.run(measure())
    if missing := meter.missing():
        sys.exit(f"no row for {', '.join(missing)}")
    TABLE.write_text(as_markdown(meter.rows))
    Console(width=160).print(shown(meter.rows))
    print(json.dumps(compared(meter.rows)))


if __name__ == "__main__":
    main()
