"""How much the random tests try: little by default, as much as the environment says in `make indexer-long`."""

import os
from typing import Final

SCHEDULES: Final = int(os.environ.get("INDEXER_SCHEDULES", "50"))
"""Random schedules of reorgs, for each database."""
KILLS: Final = int(os.environ.get("INDEXER_KILLS", "3"))
"""Kills of the process during backfill, and as many while it follows the chain, for each database."""
FAULTY_RUNS: Final = int(os.environ.get("INDEXER_FAULTY_RUNS", "1"))
"""Runs through a faulty endpoint, for each database."""
