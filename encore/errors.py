"""The errors that a person can do something about; everything else is a bug and keeps its traceback."""


class EncoreError(Exception):
    """Base of every error that ends a command with one clear line and a non-zero exit code."""


class SettingsError(EncoreError):
    """One or more settings are wrong; the message lists all of them."""


class KeystoreError(EncoreError):
    """An encrypted keystore, or the passphrase to it, cannot be read."""


class UnknownNetworkError(EncoreError):
    """The named network is not one that Encore knows."""


class DeploymentError(EncoreError):
    """The registry of deployed contracts is missing, unreadable, or of another chain."""


class DatabaseError(EncoreError):
    """The database cannot be reached, or its schema is not the one this version needs."""


class RpcError(EncoreError):
    """A node answered a JSON-RPC request with an error object.

    `code` and `data` are the node's own (EIP-1474).
    """

    def __init__(self, method: str, code: int, message: str, data: object = None) -> None:
        super().__init__(f"{method}: {message} (code {code})")
        self.method = method
        self.code = code
        self.message = message
        self.data = data


class RpcUnavailableError(EncoreError):
    """No configured node answered within the retries allowed."""
