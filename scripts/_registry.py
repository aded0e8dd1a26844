"""Deploys contracts once each and records them, so that a deployment killed at any moment resumes where it stopped."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ape import networks, project
from ape.api import AccountAPI, ReceiptAPI, TransactionAPI
from pydantic import BaseModel
from web3 import Web3
from web3.exceptions import TransactionNotFound

from encore.chain.deployments import DeployedContract, Deployment, load_deployment
from encore.errors import DeploymentError
from encore.settings import Settings


class PendingDeployment(BaseModel):
    """A signed deployment, written down before it is sent: its hash tells later whether it was mined."""

    contract: str
    transaction_hash: str
    constructor_arguments: list[str]


class Registry:
    """The deployment file of one network while it is being written.

    Beside it stands, from before a deployment is sent until it is recorded, `<network>.pending.json`. Both are
    replaced atomically. Raises `DeploymentError` when the file is of another chain, or of one that was reset.
    """

    def __init__(self, settings: Settings, account: AccountAPI) -> None:
        self.deployed_now: list[str] = []
        self._settings = settings
        self._account = account
        self._pending_path = settings.deployment_path.with_suffix(".pending.json")
        if settings.deployment_path.exists():
            self.deployment = load_deployment(settings.deployment_path)
            check_on_chain(settings, self.deployment)
        else:
            self.deployment = Deployment(
                network=settings.network,
                chain_id=settings.chain.chain_id,
                deployer=account.address,
                block_number=0,
                timestamp=0,
                contracts={},
            )

    def ensure_contract(self, name: str, *arguments: Any) -> str:
        """Deploy `name` with its constructor `arguments` unless it is recorded; return its address."""
        constructor = project.get_contract(name).constructor
        return self._ensure(
            name, lambda: constructor.serialize_transaction(*arguments, sender=self._account), arguments
        )

    def ensure_blueprint(self, name: str, of_contract: str) -> str:
        """Deploy the blueprint (ERC-5202) of `of_contract` unless `name` is recorded; return its address."""
        contract_type = project.get_contract(of_contract).contract_type
        ecosystem = networks.provider.network.ecosystem
        return self._ensure(name, lambda: ecosystem.encode_contract_blueprint(contract_type, sender=self._account), ())

    def _ensure(self, name: str, encode: Callable[[], TransactionAPI], arguments: tuple[Any, ...]) -> str:
        if name in self.deployment.contracts:
            return self.deployment.address(name)
        pending = self._pending(name)
        receipt = _receipt_of(pending) if pending else None
        if pending is None or receipt is None:
            transaction = self._account.sign_transaction(self._account.prepare_transaction(encode()))
            if transaction is None:
                raise DeploymentError(f"the deployment of {name} was not signed")
            pending = PendingDeployment(
                contract=name,
                transaction_hash=Web3.to_hex(transaction.txn_hash),
                constructor_arguments=[str(argument) for argument in arguments],
            )
            _replace(self._pending_path, pending)
            receipt = networks.provider.send_transaction(transaction)
        return self._record(pending, receipt)

    def _pending(self, name: str) -> PendingDeployment | None:
        if not self._pending_path.exists():
            return None
        pending = PendingDeployment.model_validate_json(self._pending_path.read_bytes())
        return pending if pending.contract == name else None

    def _record(self, pending: PendingDeployment, receipt: ReceiptAPI) -> str:
        address = Web3.to_checksum_address(receipt.contract_address)
        if not self.deployment.contracts:
            self.deployment.block_number = receipt.block_number
            self.deployment.timestamp = receipt.timestamp
        self.deployment.contracts[pending.contract] = DeployedContract(
            address=address,
            block_number=receipt.block_number,
            transaction_hash=pending.transaction_hash,
            constructor_arguments=pending.constructor_arguments,
            code_hash=Web3.to_hex(Web3.keccak(networks.provider.get_code(address))),
        )
        _replace(self._settings.deployment_path, self.deployment)
        self._pending_path.unlink()
        self.deployed_now.append(pending.contract)
        return address


def check_on_chain(settings: Settings, deployment: Deployment) -> None:
    """Raise `DeploymentError` unless the connected chain has the very code that `deployment` records."""
    path = settings.deployment_path
    if deployment.chain_id != settings.chain.chain_id:
        raise DeploymentError(f"{path} is of chain {deployment.chain_id}, not {settings.chain.chain_id}; move it away")
    for name, contract in deployment.contracts.items():
        if Web3.to_hex(Web3.keccak(networks.provider.get_code(contract.address))) != contract.code_hash:
            remedy = "run `make reset` to start over" if settings.chain.is_local else "connect to the right node"
            raise DeploymentError(
                f"{path} names {name} at {contract.address}, which this chain does not have; {remedy}"
            )


def _receipt_of(pending: PendingDeployment) -> ReceiptAPI | None:
    """Return the receipt of a deployment that reached the chain, waiting for it to be mined; None if it never did."""
    try:
        networks.provider.web3.eth.get_transaction(pending.transaction_hash)
    except TransactionNotFound:
        return None
    receipt = networks.provider.get_receipt(pending.transaction_hash)
    return None if receipt.failed else receipt


def _replace(path: Path, content: BaseModel) -> None:
    """Write `content` so that a reader, or a crash, sees the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("w") as file:
        file.write(content.model_dump_json(indent=2) + "\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
