"""Every mutant."""

from typing import Final

from . import coins, exchange, governance, launch, nfts
from .mutant import Mutant

MUTANTS: Final[tuple[Mutant, ...]] = (
    *coins.MUTANTS,
    *launch.MUTANTS,
    *exchange.MUTANTS,
    *nfts.MUTANTS,
    *governance.MUTANTS,
)
