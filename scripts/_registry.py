"""Sends an operator's transactions and records what they deploy, so that a run killed at any moment is resumed."""

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
from scripts._common import check_on_chain


class PendingTransaction(BaseModel):
    """A signed transaction, written down before it is sent: its hash tells later whether it was mined.

    `contract` is the name that a deployment is recorded under, None for a call.
    """

    transaction_hash: str
    contract: str | None = None
    source: str | None = None
    constructor_arguments: list[str] = []


class Registry:
    """The deployment file of one network while it is being written.

    Beside it stands, from before a transaction is sent until its effect is recorded, `<network>.pending.json`. Both are
    replaced atomically. What an interrupted run left pending is waited for first. Without a `deployment` that the
    caller has checked the file is read; raises `DeploymentError` when it is of another chain, or of one that was reset.
    """

    def __init__(self, settings: Settings, account: AccountAPI, deployment: Deployment | None = None) -> None:
        self.deployed_now: list[str] = []
        self.account = account
        self._settings = settings
        self._pending_path = settings.deployment_path.with_suffix(".pending.json")
        if deployment is not None:
            self.deployment = deployment
        elif settings.deployment_path.exists():
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
        self._settle()

    def ensure_contract(self, name: str, *arguments: Any, source: str | None = None) -> str:
        """Deploy `source`, by default `name`, with its constructor `arguments` unless `name` is recorded.

        Returns its address.
        """
        source = source or name
        constructor = project.get_contract(source).constructor
        return self._ensure(
            PendingTransaction(
                transaction_hash="",
                contract=name,
                source=source,
                constructor_arguments=[_readable(argument) for argument in arguments],
            ),
            lambda: constructor.serialize_transaction(*arguments, sender=self.account),
        )

    def ensure_blueprint(self, name: str, of_contract: str) -> str:
        """Deploy the blueprint (ERC-5202) of `of_contract` unless `name` is recorded; return its address."""
        contract_type = project.get_contract(of_contract).contract_type
        ecosystem = networks.provider.network.ecosystem
        return self._ensure(
            PendingTransaction(transaction_hash="", contract=name),
            lambda: ecosystem.encode_contract_blueprint(contract_type, sender=self.account),
        )

    def call(self, contract: Any, method: str, *arguments: Any, value: int = 0) -> ReceiptAPI:
        """Call `method` of `contract` and wait until it is mined; raises Ape's error where it reverts."""
        transaction = getattr(contract, method).as_transaction(*arguments, sender=self.account, value=value)
        receipt = self._send(PendingTransaction(transaction_hash=""), transaction)
        self._pending_path.unlink()
        return receipt

    def _ensure(self, pending: PendingTransaction, encode: Callable[[], TransactionAPI]) -> str:
        name = str(pending.contract)
        if name not in self.deployment.contracts:
            self._record(pending, self._send(pending, encode()))
        return self.deployment.address(name)

    def _send(self, pending: PendingTransaction, transaction: TransactionAPI) -> ReceiptAPI:
        signed = self.account.sign_transaction(self.account.prepare_transaction(transaction))
        if signed is None:
            raise DeploymentError("the transaction was not signed")
        pending.transaction_hash = Web3.to_hex(signed.txn_hash)
        replace_file(self._pending_path, pending)
        return networks.provider.send_transaction(signed)

    def _settle(self) -> None:
        """Wait for what an interrupted run sent, and record it if it is a deployment."""
        if not self._pending_path.exists():
            return
        pending = PendingTransaction.model_validate_json(self._pending_path.read_bytes())
        receipt = _receipt_of(pending.transaction_hash)
        if receipt is not None and pending.contract is not None and pending.contract not in self.deployment.contracts:
            self._record(pending, receipt)
        else:
            self._pending_path.unlink()

    def _record(self, pending: PendingTransaction, receipt: ReceiptAPI) -> None:
        address = Web3.to_checksum_address(receipt.contract_address)
        if not self.deployment.contracts:
            self.deployment.block_number = receipt.block_number
            self.deployment.timestamp = receipt.timestamp
        name = str(pending.contract)
        self.deployment.contracts[name] = DeployedContract(
            address=address,
            block_number=receipt.block_number,
            transaction_hash=pending.transaction_hash,
            constructor_arguments=pending.constructor_arguments,
            code_hash=Web3.to_hex(Web3.keccak(networks.provider.get_code(address))),
            source=pending.source,
        )
        replace_file(self._settings.deployment_path, self.deployment)
        self._pending_path.unlink()
        self.deployed_now.append(name)


def replace_file(path: Path, content: BaseModel) -> None:
    """Write `content` so that a reader, or a crash, sees the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("w") as file:
        file.write(content.model_dump_json(indent=2) + "\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _receipt_of(transaction_hash: str) -> ReceiptAPI | None:
    """Return the receipt of a transaction that reached the chain, waiting for it to be mined; None if it never did."""
    try:
        networks.provider.web3.eth.get_transaction(transaction_hash)
    except TransactionNotFound:
        return None
    receipt = networks.provider.get_receipt(transaction_hash)
    return None if receipt.failed else receipt


def _readable(argument: Any) -> str:
    return Web3.to_hex(argument) if isinstance(argument, bytes) else str(argument)
