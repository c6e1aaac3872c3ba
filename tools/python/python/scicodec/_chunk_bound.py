"""Bounds of codecs that see one chunk of an array and never the whole."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import _native
from ._arrays import check_dtype
from ._errors import InvalidArgumentError

_OF_THE_WHOLE = ("rel", "psnr", "nrmse", "l2")


def chunk_bound(text: str, dtype: np.dtype[Any] | None = None) -> str:
    """The bound to ask of each chunk, from one that says by its name that it is of chunks.

    ``abs``, ``pw_rel`` and ``lossless`` mean the same for a chunk as for the whole array. ``rel``, ``psnr``, ``nrmse``
    and ``l2`` do not: they are refused, and asked for as ``chunk_rel`` and so on.
    """
    if not isinstance(text, str):
        raise InvalidArgumentError(f"error_bound is a text such as 'abs=1e-3', not {text!r}")
    kind, equals, value = text.partition("=")
    if kind in _OF_THE_WHOLE:
        raise InvalidArgumentError(
            f"{kind} would speak of each chunk here, not of the whole array: ask for chunk_{kind}{equals}{value}"
            " if that is meant, or for abs, with scicodec.absolute_bound to find it"
        )
    if kind.startswith("chunk_") and kind.removeprefix("chunk_") in _OF_THE_WHOLE:
        text = text.removeprefix("chunk_")
    name = None if dtype is None else check_dtype(dtype).name
    _native.parse_bound(text, name)
    return text


def absolute_bound(array: Any, error_bound: str) -> str:
    """The ``abs`` bound that a ``rel`` one comes to over a whole array: for codecs that see one chunk at a time.

    The array may be lazy (Dask, xarray): its smallest and largest finite value are all that is asked of it.

    >>> import numpy as np
    >>> absolute_bound(np.array([0.0, 50.0]), "rel=1e-2")
    'abs=0.5'
    """
    kind, value = _native.parse_bound(error_bound, None)
    if kind != "rel":
        return error_bound
    if isinstance(array, np.ndarray):
        finite = array[np.isfinite(array)]
        low, high = (finite.min(), finite.max()) if finite.size else (0, 0)
    else:
        low, high = array.min(), array.max()
        low, high = (np.asarray(getattr(x, "values", x)) for x in (low, high))
    width = float(high) - float(low)
    if not width > 0:
        raise InvalidArgumentError("the array has a single value or none: ask for abs or lossless")
    return f"abs={value * width!r}"
