"""scicodec: gridded scientific fields, compressed under a guaranteed error bound.

>>> import numpy as np, scicodec
>>> field = np.linspace(0, 1, 6000, dtype="float32").reshape(20, 30, 10)
>>> data = scicodec.encode(field, "abs=1e-3")
>>> bool(abs(scicodec.decode(data) - field).max() <= 1e-3)
True

`encode` and `decode` work in memory. `create` and `append` write files, `open` reads them region by region, `info` says
what they hold, `compare` how far arrays are apart. `scicodec.zarr` and `scicodec.numcodecs` are codecs for Zarr,
`scicodec.xarray` lets xarray open files. Shapes are slowest axis first, as everywhere in numpy. Exceptions are of the
family of `scicodec.Error`.
"""

from ._chunk_bound import absolute_bound
from ._compare import Metrics, compare
from ._errors import (
    BoundNotMetError,
    CorruptError,
    DTypeError,
    Error,
    ExistsError,
    InvalidArgumentError,
    IoError,
    LimitError,
    MissingChunkError,
    ModelMismatchError,
    ModelMissingError,
    NotFoundError,
    TornError,
    TruncatedError,
    UnknownVariableError,
    UnsupportedError,
)
from ._file import File, Variable
from ._file import open_file as open
from ._native import __version__
from ._read import decode, info
from ._write import Writer, append, create, encode

__all__ = [
    "BoundNotMetError",
    "CorruptError",
    "DTypeError",
    "Error",
    "ExistsError",
    "File",
    "InvalidArgumentError",
    "IoError",
    "LimitError",
    "Metrics",
    "MissingChunkError",
    "ModelMismatchError",
    "ModelMissingError",
    "NotFoundError",
    "TornError",
    "TruncatedError",
    "UnknownVariableError",
    "UnsupportedError",
    "Variable",
    "Writer",
    "__version__",
    "absolute_bound",
    "append",
    "compare",
    "create",
    "decode",
    "encode",
    "info",
    "open",
]
