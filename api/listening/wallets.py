"""Wallets of imported creators on the local chain: accounts of its public mnemonic, derived in bulk (BIP-32)."""

import hashlib
import hmac
from typing import Final

from coincurve import PublicKey
from eth_hash.auto import keccak

FIRST_CREATOR_INDEX: Final = 1_000
"""Creator wallets start here, far above the funded accounts that people and processes use."""

_CURVE_ORDER: Final = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
_HARDENED: Final = 0x8000_0000
_ACCOUNT_PATH: Final = (44 | _HARDENED, 60 | _HARDENED, 0 | _HARDENED, 0)


class CreatorWallets:
    """Addresses m/44'/60'/0'/0/(1000 + creator id) of one mnemonic; only a chain whose keys are worthless may use them.

    The parent node is derived once (BIP-39, BIP-44); each address then costs one HMAC, one public key and one hash.
    """

    def __init__(self, mnemonic: str) -> None:
        seed = hashlib.pbkdf2_hmac("sha512", mnemonic.encode(), b"mnemonic", 2048)
        node = hmac.digest(b"Bitcoin seed", seed, "sha512")
        for index in _ACCOUNT_PATH:
            node = _private_child(node, index)
        self._key = int.from_bytes(node[:32], "big")
        self._chain_code = node[32:]
        self._public_key = PublicKey.from_valid_secret(node[:32]).format()

    def address(self, creator_id: int) -> str:
        """Return the lower-case address of a creator."""
        index = FIRST_CREATOR_INDEX + creator_id
        child = hmac.digest(self._chain_code, self._public_key + index.to_bytes(4, "big"), "sha512")
        secret = (int.from_bytes(child[:32], "big") + self._key) % _CURVE_ORDER
        public_key = PublicKey.from_valid_secret(secret.to_bytes(32, "big")).format(compressed=False)
        return "0x" + keccak(public_key[1:])[-20:].hex()


def _private_child(node: bytes, index: int) -> bytes:
    """Derive one child of an extended private key (32 bytes of key, 32 of chain code)."""
    key, chain_code = node[:32], node[32:]
    parent = b"\0" + key if index & _HARDENED else PublicKey.from_valid_secret(key).format()
    child = hmac.digest(chain_code, parent + index.to_bytes(4, "big"), "sha512")
    secret = (int.from_bytes(child[:32], "big") + int.from_bytes(key, "big")) % _CURVE_ORDER
    return secret.to_bytes(32, "big") + child[32:]
