"""Encoding: arrays to bytes, variables to files."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike

from . import _native
from ._arrays import check_dtype, fill_bits, flat_bytes, prepare
from ._conventions import describe

Effort = Literal["fast", "default", "max"]
#: ``"none"``, ``"default"``, the file of a model, or six digits or more of the digest of one that is installed.
Model = str | os.PathLike[str]
ShippedModel = Literal["none", "default"]
#: ``"none"``, ``"auto"``, or names of variables.
ConditionOn = Literal["none", "auto"] | Sequence[str]


def encode(
    array: ArrayLike,
    error_bound: str,
    *,
    effort: Effort = "default",
    model: Model = "default",
    embed_model: bool = False,
    chunks: Sequence[int] | None = None,
    fill_value: Any | None = None,
    name: str = "",
    units: str = "",
    attributes: Mapping[str, Any] | None = None,
    dims: Sequence[str] = (),
    threads: int = 0,
    verify: bool = True,
) -> bytes:
    """Encodes an array into the bytes of a whole ``.scz`` file.

    Args:
        array: Floats of 16, 32 or 64 bits or integers of 8 to 64, of up to six axes, slowest first. Any memory layout
            and byte order; C order in the machine's byte order is read without a copy. Masked elements become fill
            values.
        error_bound: ``"abs=E"``, ``"rel=E"`` (of max − min), ``"pw_rel=E"``, ``"psnr=DB"``, ``"nrmse=E"``, ``"l2=E"``
            or ``"lossless"``: a guarantee, checked on the decoded values.
        effort: ``"fast"`` encodes some ten times faster into larger files; ``"max"`` several times slower into files
            that are mostly smaller by some per cent.
        model: ``"none"`` does without the model that ships with the package. Another one is given by its file, or by six
            digits or more of its digest where it is installed.
        embed_model: Whether a model other than that of the package goes into the file. Without it, the file decodes only
            where that model is at hand.
        chunks: Extents of a chunk, slowest axis first; by default about 2^19 values.
        fill_value: The value that stands for "no value". It comes back exactly, as NaN and ±∞ always do.
        name, units, attributes, dims: What the file says of the array: attributes are texts, numbers, 1-d arrays
            and whatever JSON can say, dims name the axes.
        threads: 0 for one per core. The bytes do not depend on it.
        verify: Whether to check the bound once more, by independent code.

    Raises:
        DTypeError: for elements that are not such numbers.
        InvalidArgumentError: for bounds, chunks and fill values that make no sense.
    """
    plain, fill = prepare(array, fill_value)
    options = _options(
        plain,
        error_bound,
        effort=effort,
        model=model,
        embed_model=embed_model,
        chunks=chunks,
        fill=fill,
        name=name,
        units=units,
        attributes=describe(attributes),
        dims=dims,
        threads=threads,
        verify=verify,
    )
    return _native.encode(flat_bytes(plain), options)


class Writer:
    """Writes a file, variable by variable; see `create` and `append`.

    It is a context manager. Left in peace it finishes the file, which only then appears under its name; left by an
    exception it leaves nothing behind.
    """

    def __init__(self, native: _native.Writer) -> None:
        self._native = native

    def add(
        self,
        name: str,
        array: Any,
        error_bound: str,
        *,
        effort: Effort = "default",
        model: Model = "default",
        embed_model: bool = False,
        condition_on: ConditionOn = "none",
        chunks: Sequence[int] | None = None,
        fill_value: Any | None = None,
        units: str = "",
        attributes: Mapping[str, Any] | None = None,
        dims: Sequence[str] = (),
        threads: int = 0,
        verify: bool = True,
    ) -> _native.Report:
        """Adds a variable; gives what encoding it came to. The arguments are those of `encode`, and one more.

        The array may also be anything that has a shape and a dtype and gives numpy arrays when it is sliced, such as a
        variable of an open netCDF, HDF5 or Zarr file: it is read chunk by chunk, by several threads. Chunks are by
        default those of a Dask array, so that each is computed once, unless they have more than 2^22 values.

        condition_on: beside which variables of the same shape and chunks, added before, chunks may be coded, each where
            that makes it smaller: ``"auto"`` for the last ones, or names. Decoding such a chunk takes decoding the same
            chunk of those variables too, and encoding takes longer.
        """
        return self._add(
            array,
            False,
            error_bound,
            effort=effort,
            model=model,
            embed_model=embed_model,
            condition_on=condition_on,
            chunks=chunks,
            fill_value=fill_value,
            name=name,
            units=units,
            attributes=describe(attributes),
            dims=dims,
            threads=threads,
            verify=verify,
        )

    def extend(
        self,
        name: str,
        array: Any,
        error_bound: str,
        *,
        effort: Effort = "default",
        model: Model = "default",
        embed_model: bool = False,
        condition_on: ConditionOn = "none",
        chunks: Sequence[int] | None = None,
        fill_value: Any | None = None,
        threads: int = 0,
        verify: bool = True,
    ) -> _native.Report:
        """Adds more indices along axis 0 of a variable: same dtype, other extents and bound. The rest is as in `add`."""
        return self._add(
            array,
            True,
            error_bound,
            effort=effort,
            model=model,
            embed_model=embed_model,
            condition_on=condition_on,
            chunks=chunks,
            fill_value=fill_value,
            name=name,
            threads=threads,
            verify=verify,
        )

    def _add(
        self,
        array: Any,
        extend: bool,
        error_bound: str,
        *,
        chunks: Sequence[int] | None = None,
        fill_value: Any | None = None,
        **asked: Any,
    ) -> _native.Report:
        lazy = not isinstance(array, np.ndarray) and all(hasattr(array, a) for a in ("shape", "dtype", "__getitem__"))
        if lazy and not isinstance(array, np.generic):
            fill = fill_bits(fill_value, check_dtype(np.dtype(array.dtype)))
            elements: Any = _boxes(array)
            chunks = _dask_chunks(array) if chunks is None else chunks
        else:
            array, fill = prepare(array, fill_value)
            elements = flat_bytes(array)
        options = _options(array, error_bound, chunks=chunks, fill=fill, **asked)
        return self._native.add(elements, options, extend)

    def _describe_group(self, name: str, attributes: list[tuple[str, str]]) -> None:
        """Adds the variable that is no array but holds a group's attributes and dimensions (SPEC.md §6.11)."""
        nothing = np.zeros((), np.uint8)
        options = _options(nothing, "lossless", effort="fast", model="none", name=name, attributes=attributes, threads=1)
        self._native.add(flat_bytes(nothing), options, False)

    def finish(self) -> int:
        """Writes the index and puts the file in its place; gives its length in bytes."""
        return self._native.finish()

    def cancel(self) -> None:
        """Gives up: a new file disappears, one that was appended to is as it was."""
        self._native.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self.finish()
        else:
            self.cancel()


def create(path: str | os.PathLike[str], *, overwrite: bool = False) -> Writer:
    """Starts a new file. Raises ExistsError where there is one that may not be replaced."""
    return Writer(_native.Writer.create(os.fspath(path), overwrite))


def append(path: str | os.PathLike[str]) -> Writer:
    """Goes on with a file that is there: more variables, or more indices along axis 0 of those that it has."""
    return Writer(_native.Writer.append(os.fspath(path)))


#: Chunks of Dask arrays up to so many values are taken as they are.
_LARGE = 1 << 22


def _dask_chunks(array: Any) -> tuple[int, ...] | None:
    """Chunks of a Dask array: each is then computed once, or twice for bounds that need the range."""
    if not hasattr(array, "__dask_graph__") or 0 in array.chunksize or math.prod(array.chunksize) > _LARGE:
        return None
    return tuple(array.chunksize)


def _boxes(array: Any) -> Any:
    """A function that reads a box of anything that can be sliced."""
    native = check_dtype(np.dtype(array.dtype))

    def read(start: list[int], extent: list[int]) -> np.ndarray[Any, np.dtype[np.uint8]]:
        box = array[tuple(slice(a, a + n) for a, n in zip(start, extent))]
        return flat_bytes(np.asarray(box).astype(native, copy=False))

    return read


def _options(
    array: Any,
    error_bound: str,
    *,
    effort: str = "default",
    model: Model = "default",
    embed_model: bool = False,
    condition_on: ConditionOn = "none",
    chunks: Sequence[int] | None = None,
    fill: int | None = None,
    name: str = "",
    units: str = "",
    attributes: Sequence[tuple[str, str]] = (),
    dims: Sequence[str] = (),
    threads: int = 0,
    verify: bool = True,
) -> _native.Options:
    return {
        "dtype": np.dtype(array.dtype).name,
        "shape": list(array.shape),
        "error_bound": error_bound,
        "effort": effort,
        "model": os.fspath(model),
        "embed_model": embed_model,
        "condition_on": condition_on if isinstance(condition_on, str) else list(condition_on),
        "chunks": None if chunks is None else list(chunks),
        "fill": fill,
        "threads": threads,
        "verify": verify,
        "name": name,
        "units": units,
        "attributes": list(attributes),
        "dimensions": list(dims),
    }
