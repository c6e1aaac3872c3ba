"""Decoding what is in memory, and saying what files hold."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from ._conventions import Meaning, plain
from ._file import File, Variable, from_bytes, open_file


def decode(
    data: Any,
    variable: str | None = None,
    *,
    region: Any = ...,
    masked: bool = False,
    threads: int = 0,
    model: str | os.PathLike[str] | None = None,
) -> np.ndarray[Any, Any]:
    """Decodes an array out of the bytes of a ``.scz`` file.

    Args:
        data: The bytes: anything with the buffer protocol.
        variable: Which variable; needed where there are several.
        region: Only this part of it: ints, slices and an ellipsis, for instance ``numpy.s_[0:4, ..., 7]``.
        masked: Whether to give a masked array, in which fill values are masked.
        threads: 0 for one per core.
        model: The file of a model that the bytes name and that is neither embedded in them nor installed.

    Returns:
        A new array in C order and the machine's byte order.

    Raises:
        CorruptError: for bytes that are not what the format says they must be.
        UnknownVariableError: where there is no such variable.
        ModelMissingError: where a model is needed that is not at hand.
    """
    with from_bytes(data, threads, model=model) as file:
        found = file.only(variable)
        values = found.masked(region) if masked else found[region]
        return np.asanyarray(values)


def info(file: str | os.PathLike[str] | bytes | File) -> dict[str, Any]:
    """Says what a file holds, as ``scicodec info --json`` does. Takes a path, the bytes of a file or an open file."""
    if isinstance(file, File):
        return _describe(file)
    if isinstance(file, (bytes, bytearray, memoryview)):
        with from_bytes(file) as opened:
            return _describe(opened)
    with open_file(file) as opened:
        return {"file": os.fspath(file), **_describe(opened)}


def _describe(file: File) -> dict[str, Any]:
    return {
        "file_bytes": file.nbytes,
        "format_version": file.format_version,
        "models": file.models,
        "variables": [_describe_variable(v) for v in file.values()],
        "groups": [_describe_group(name, meaning) for name, meaning in file._groups.items()],
    }


def _describe_variable(v: Variable) -> dict[str, Any]:
    kind, _, value = v.error_bound.partition("=")
    raw, compressed = v.nbytes, v.compressed_nbytes
    return {
        "name": v.name,
        "shape": list(v.shape),
        "dtype": v.dtype.name,
        "error_bound": {"kind": kind, "value": float(value) if value else None},
        "achieved_max_error": v.max_error,
        "raw_bytes": raw,
        "compressed_bytes": compressed,
        "ratio": 1.0 if raw == compressed else raw / max(compressed, 1),
        "chunk_shape": list(v.chunks),
        "chunks": sum(v.bases.values()),
        "bases": v.bases,
        "conditioned_on": v.conditioned_on,
        "conditioned_chunks": v.conditioned_chunks,
        "units": v.units,
        "dimensions": list(v.dims),
        "attributes": {key: plain(value) for key, value in v.attributes.items()},
        "text": v._text is not None,
    }


def _describe_group(name: str, meaning: Meaning) -> dict[str, Any]:
    return {
        "path": name.removesuffix("/"),
        "format": meaning.format,
        "dimensions": [{"unlimited": False, **d} for d in meaning.dimensions or []],
        "attributes": {key: plain(value) for key, value in meaning.attributes.items()},
    }
