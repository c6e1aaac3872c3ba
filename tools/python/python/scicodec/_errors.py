"""Exceptions: one family, with the words of the library's errors."""


class Error(Exception):
    """Anything that goes wrong in scicodec."""


class IoError(Error, OSError):
    """The operating system refused."""


class NotFoundError(IoError, FileNotFoundError):
    """There is no such file."""


class ExistsError(IoError, FileExistsError):
    """The file is there already and may not be replaced."""


class CorruptError(Error, ValueError):
    """The bytes are not what the format says they must be."""


class TornError(CorruptError):
    """The file has no index at its end: writing it was interrupted. ``scicodec recover`` rebuilds it."""


class TruncatedError(CorruptError):
    """The bytes end before they should."""


class MissingChunkError(Error, ValueError):
    """A chunk was lost before the file was recovered; regions without it can be decoded."""


class InvalidArgumentError(Error, ValueError):
    """The arguments make no sense together."""


class UnknownVariableError(Error, KeyError):
    """The file has no variable of that name."""

    __str__ = Exception.__str__


class DTypeError(Error, TypeError):
    """Elements of a kind that cannot be encoded."""


class LimitError(Error, MemoryError):
    """A limit on memory or size would be exceeded."""


class UnsupportedError(Error, NotImplementedError):
    """Valid, but of a kind that this version does not know."""


class ModelMissingError(Error, RuntimeError):
    """A model that the data was coded with is not at hand."""


class ModelMismatchError(Error, RuntimeError):
    """A model is at hand, but not the one that the data was coded with."""


class BoundNotMetError(Error, RuntimeError):
    """The encoder could not keep the bound: a defect of the encoder, so nothing is written."""
