"""What the operators' scripts share."""

from typing import Final

EXPORTED_CONTRACTS: Final = (
    "CreatorToken",
    "CreatorMetricsManager",
    "TokenDeploymentFactory",
    "CreatorTokenFactory",
    "IntegratedCreatorDEX",
)
"""The contracts whose ABIs the other parts read from `deployments/abi/`."""
