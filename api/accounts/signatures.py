"""Whether a wallet signed a message: one with a key (EIP-191), or a contract that answers for itself (EIP-1271)."""

from typing import Final

from eth_abi.abi import encode
from eth_account import Account
from eth_account.messages import defunct_hash_message, encode_defunct
from eth_keys.exceptions import BadSignature

from encore.chain.rpc import RpcClient
from encore.errors import RpcError

IS_VALID_SIGNATURE: Final = "0x1626ba7e"
"""isValidSignature(bytes32,bytes), and what it returns where the signature is good."""
CALL_GAS: Final = 5_000_000
KEY_SIGNATURE_LENGTH: Final = 65


async def is_signed_by(rpc: RpcClient, address: str, message: str, signature: bytes) -> bool:
    """Whether `address` signed `message` (personal_sign).

    A node is asked only where no key gives the address. Raises `RpcUnavailableError` when none answers.
    """
    if len(signature) == KEY_SIGNATURE_LENGTH and _signer(message, signature) == address.lower():
        return True
    digest = bytes(defunct_hash_message(text=message))
    data = IS_VALID_SIGNATURE + encode(["bytes32", "bytes"], [digest, signature]).hex()
    try:
        answer = await rpc.call("eth_call", {"to": address, "data": data, "gas": hex(CALL_GAS)}, "latest")
    except RpcError:
        return False  # it reverts: not a signature that it knows
    return isinstance(answer, str) and answer == IS_VALID_SIGNATURE + "00" * 28


def _signer(message: str, signature: bytes) -> str | None:
    try:
        return str(Account.recover_message(encode_defunct(text=message), signature=signature)).lower()
    except (BadSignature, ValueError):
        return None
