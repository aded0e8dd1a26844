"""SparkNFT: the platform's collection, with one royalty for all of it."""

from typing import Final

from indexer.contract import Contract
from indexer.erc721 import erc721
from indexer.roles import access_control
from indexer.settings import settings, settings_of

CONTRACT: Final = Contract(
    name="SparkNFT",
    handlers=erc721()
    | access_control()
    | {
        "RoyaltyUpdated": settings_of("royalty", receiver="receiver", bps="royaltyBps"),
        "BaseUriUpdated": settings(baseUri="baseUri"),
    },
)
