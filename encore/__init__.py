"""The shared floor: settings, chain access and the database. It knows nothing of the packages above it."""

from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parents[1]
"""The checkout: where `contracts/`, `deployments/` and `ape-config.yaml` are."""
