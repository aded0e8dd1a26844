"""What can go wrong between the chain and its mirror."""

from encore.errors import EncoreError


class OtherChainError(EncoreError):
    """The database mirrors another chain than the one the node serves."""


class ReorgBelowFinalityError(EncoreError):
    """The chain replaced a block that counted as final; the mirror stays as it was."""


class MirrorError(EncoreError):
    """The mirror and the events contradict each other: a log is missing, or something else wrote to the mirror."""


class LogFormatError(EncoreError):
    """A log does not have the shape that the exported ABI says."""


class AlreadyRunningError(EncoreError):
    """Another indexer is writing to the same database."""


class InconsistentNodeError(EncoreError):
    """A node's answers contradict each other (it lags or lies, or a reorg came in between); asking again may help."""
