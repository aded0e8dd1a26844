"""How much the random tests try: little by default, as much as the environment says in `make oracle-long`."""

import os
from typing import Final

KILLS: Final = int(os.environ.get("ORACLE_KILLS", "3"))
"""Kills of the running oracle, for each database."""
