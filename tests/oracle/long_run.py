"""How much the random tests try: little by default, what the environment says in a part of `make oracle-long`."""

import os
from typing import Final

SEED: Final = int(os.environ.get("ORACLE_SEED", "0"))
"""What tells the parts of a long run apart."""
KILLS: Final = int(os.environ.get("ORACLE_KILLS", "2"))
"""Kills of the running oracle, for each database."""

LASTFM_FOLDER: Final = os.environ.get("ORACLE_LASTFM", "")
"""A folder with the Last.fm data set (HetRec 2011) to simulate on, instead of a made-up one of that format."""
