"""What can be wrong with the oracle in a way that a person can put right."""

from encore.errors import EncoreError


class NotAuthorisedError(EncoreError):
    """The metrics contract does not know this key as an oracle."""


class WrongChainError(EncoreError):
    """The node serves another chain than the one that was configured, or one without our contracts."""


class PausedError(EncoreError):
    """The oracle is paused, and does nothing that would reach the chain."""


class NotOwnerError(EncoreError):
    """Roles have to change that only the contracts' owner can change."""


class RotationError(EncoreError):
    """The work cannot be handed from one key to another as things stand."""


class UnknownCreatorError(EncoreError):
    """No creator has this id or slug."""
