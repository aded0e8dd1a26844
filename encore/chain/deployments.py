"""The registry of deployed contracts and their ABIs: plain data that `ape run deploy` and `export_abis` write."""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from encore import PROJECT_ROOT
from encore.errors import DeploymentError

ABI_DIR = PROJECT_ROOT / "deployments" / "abi"

Abi = list[dict[str, Any]]


class DeployedContract(BaseModel):
    """One contract on chain. `address` is checksummed, `code_hash` is keccak256 of the runtime code.

    `source` names the contract that was compiled to this code, as ERC1967Proxy for what stands behind a proxy; None for
    a blueprint, which is no running code.
    """

    address: str
    block_number: int
    transaction_hash: str
    constructor_arguments: list[Any]
    code_hash: str
    source: str | None = None


class Deployment(BaseModel):
    """What `deployments/<network>.json` holds: one chain's contracts by contract name."""

    network: str
    chain_id: int
    deployer: str
    block_number: int
    timestamp: int
    contracts: dict[str, DeployedContract]

    def address(self, contract: str) -> str:
        """Return the checksummed address of `contract`, or raise `DeploymentError` naming what is missing."""
        try:
            return self.contracts[contract].address
        except KeyError:
            raise DeploymentError(
                f"{contract} is not deployed on {self.network}; finish the deployment with `ape run deploy`"
            ) from None


def load_deployment(path: Path) -> Deployment:
    """Read the registry file at `path`; raises `DeploymentError` when it is missing or malformed."""
    try:
        return Deployment.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise DeploymentError(f"no deployment at {path}; run `encore up` (local) or `ape run deploy` first") from None
    except ValidationError as error:
        raise DeploymentError(f"{path} is not a deployment registry: {error.errors()[0]['msg']}") from error


def load_abi(contract: str) -> Abi:
    """Read the exported ABI of `contract`; raises `DeploymentError` when it was never exported."""
    path = ABI_DIR / f"{contract}.json"
    try:
        abi: Abi = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise DeploymentError(f"no ABI for {contract} in {ABI_DIR}; run `ape run export_abis`") from None
    return abi
