"""How much the random tests try: little by default, what the environment says in a part of `make indexer-long`."""

import os
from typing import Final

SEED: Final = int(os.environ.get("INDEXER_SEED", "0"))
"""What tells the parts of a long run apart."""
SCHEDULES: Final = int(os.environ.get("INDEXER_SCHEDULES", "12"))
"""Random schedules of reorgs, for each database."""
KILLS: Final = int(os.environ.get("INDEXER_KILLS", "3"))
"""Kills of the process, in turn during backfill and while it follows the chain, for each database."""
