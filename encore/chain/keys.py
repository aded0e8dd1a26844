"""Private keys from encrypted keystores (JSON V3) and Ape accounts; no error here shows a key or a passphrase."""

import json
import os
import re
from pathlib import Path
from typing import Final

from eth_account import Account

from encore.errors import KeystoreError

_PRIVATE_KEY: Final = re.compile(r"(0x)?[0-9a-fA-F]{64}")


def keystore_path(name: str) -> Path:
    """Return the file that `name` means: a path, or without a slash and a suffix the alias of an Ape account.

    Raises `KeystoreError` where it is a private key, which every later message would show.
    """
    if _PRIVATE_KEY.fullmatch(name):
        raise KeystoreError("a private key was given where the path or the alias of a keystore belongs")
    if "/" in name or name.endswith(".json"):
        return Path(name).expanduser()
    return Path(os.environ.get("APE_DATA_FOLDER", "~/.ape")).expanduser() / "accounts" / f"{name}.json"


def read_passphrase(path: Path) -> str:
    """Return the first line of a file; raises `KeystoreError` where it cannot be read."""
    try:
        return path.read_text().split("\n", 1)[0].removesuffix("\r")
    except (OSError, UnicodeDecodeError):
        raise KeystoreError(f"cannot read the passphrase from {path}") from None


def key_from_keystore(name: str, passphrase: str) -> str:
    """Decrypt a keystore, and return its private key as 0x hex; raises `KeystoreError`."""
    path = keystore_path(name)
    try:
        keystore = json.loads(path.read_text())
    except OSError:
        raise KeystoreError(f"there is no keystore at {path}") from None
    except ValueError:
        raise KeystoreError(f"{path} is no JSON keystore") from None
    try:
        return "0x" + bytes(Account.decrypt(keystore, passphrase)).hex()
    except Exception:  # noqa: BLE001 - whatever is wrong in it, its words may hold what is to stay secret
        raise KeystoreError(f"cannot open the keystore {path}: wrong passphrase, or no keystore (JSON V3)") from None
