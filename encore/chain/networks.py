"""The networks that Encore runs on: chain ids, block times, and when a block counts as final."""

from dataclasses import dataclass
from typing import Final

from encore.errors import UnknownNetworkError

LOCAL_MNEMONIC: Final = "test test test test test test test test test test test junk"
"""The well-known development mnemonic of Foundry, Hardhat and Ape. Never holds value."""


@dataclass(frozen=True, slots=True)
class Network:
    """One chain.

    `finality_blocks` is the depth at which a block counts as final where the node has no `finalized` tag;
    `block_seconds` is the usual time between blocks; `ape_network` is Ape's choice, which ape-config.yaml describes.
    """

    name: str
    chain_id: int
    currency: str
    block_seconds: float
    finality_blocks: int
    has_finalized_tag: bool
    ape_network: str

    @property
    def is_local(self) -> bool:
        """Whether keys and funds on this chain are worthless, so that the development keys may be used."""
        return self.name == "local"


NETWORKS: Final[dict[str, Network]] = {
    network.name: network
    for network in (
        Network("local", 31337, "ETH", 1, 64, has_finalized_tag=True, ape_network="ethereum:local:foundry"),
        Network("filecoin", 314, "FIL", 30, 900, has_finalized_tag=True, ape_network="filecoin:mainnet:node"),
        Network(
            "filecoin-calibration",
            314159,
            "tFIL",
            30,
            900,
            has_finalized_tag=True,
            ape_network="filecoin:calibration:node",
        ),
        Network("polygon", 137, "POL", 2, 256, has_finalized_tag=True, ape_network="polygon:mainnet:node"),
        Network("polygon-amoy", 80002, "POL", 2, 256, has_finalized_tag=True, ape_network="polygon:amoy:node"),
        Network("ethereum", 1, "ETH", 12, 64, has_finalized_tag=True, ape_network="ethereum:mainnet:node"),
        Network("sepolia", 11155111, "ETH", 12, 64, has_finalized_tag=True, ape_network="ethereum:sepolia:node"),
    )
}


def network_named(name: str) -> Network:
    """Return the network called `name`.

    Raises `UnknownNetworkError` listing the known names.
    """
    try:
        return NETWORKS[name]
    except KeyError:
        raise UnknownNetworkError(f"unknown network {name!r}; known networks: {', '.join(NETWORKS)}") from None
