"""Signs EIP-2612 permits with the local chain's keys."""

from typing import Any

from eth_account import Account

from encore.settings import local_account_key

PERMIT_TYPES = {
    "Permit": [
        {"name": "owner", "type": "address"},
        {"name": "spender", "type": "address"},
        {"name": "value", "type": "uint256"},
        {"name": "nonce", "type": "uint256"},
        {"name": "deadline", "type": "uint256"},
    ]
}


def sign_permit(
    token: Any, account_index: int, spender: Any, value: int, *, deadline: int, nonce: int = 0, chain_id: int = 31337
) -> tuple[int, bytes, bytes]:
    """Return v, r, s of the permit by which account `account_index` allows `spender` to take `value` token wei."""
    key = local_account_key(account_index)
    signed = Account.sign_typed_data(
        key,
        domain_data={
            "name": token.name(),
            "version": "1",
            "chainId": chain_id,
            "verifyingContract": token.address,
        },
        message_types=PERMIT_TYPES,
        message_data={
            "owner": Account.from_key(key).address,
            "spender": spender.address,
            "value": value,
            "nonce": nonce,
            "deadline": deadline,
        },
    )
    return signed.v, signed.r.to_bytes(32, "big"), signed.s.to_bytes(32, "big")
