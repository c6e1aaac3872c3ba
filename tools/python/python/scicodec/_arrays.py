"""numpy arrays and the flat bytes that the native half takes: C order, the machine's byte order."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ._errors import DTypeError, InvalidArgumentError

#: The dtypes that a file can have.
DTYPES = (
    "float16",
    "float32",
    "float64",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
)
_HINTS = {
    "b": "view it as uint8",
    "c": "encode its real and imaginary parts",
    "m": "view it as int64",
    "M": "view it as int64",
    "O": "give it a numeric dtype",
    "S": "only numbers can be encoded",
    "U": "only numbers can be encoded",
    "T": "only numbers can be encoded",
    "V": "encode its fields one by one",
}


def check_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype in the machine's byte order. Raises DTypeError where a file cannot have it."""
    if dtype.name not in DTYPES:
        hint = _HINTS.get(dtype.kind, "give it another dtype")
        raise DTypeError(f"arrays of {dtype} cannot be encoded, only of {', '.join(DTYPES)}: {hint}")
    return dtype.newbyteorder("=")


def flat_bytes(array: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The bytes of an array in C order and the machine's byte order; a copy only where they are not so already."""
    native = check_dtype(array.dtype)
    return np.ascontiguousarray(array, dtype=native).reshape(-1).view(np.uint8)


def prepare(array: ArrayLike, fill_value: Any | None) -> tuple[np.ndarray[Any, Any], int | None]:
    """A plain array, and the bits of its fill value: the masked elements of a masked array become fill values."""
    if np.ma.isMaskedArray(array):
        return _unmask(array, fill_value)
    plain = np.asarray(array)
    check_dtype(plain.dtype)
    return plain, fill_bits(fill_value, plain.dtype)


def _unmask(array: Any, fill_value: Any | None) -> tuple[np.ndarray[Any, Any], int | None]:
    check_dtype(array.dtype)
    mask = np.ma.getmaskarray(array)
    if not mask.any() and fill_value is None:
        return array.data, None
    fill = array.fill_value if fill_value is None else fill_value
    bits = fill_bits(fill, array.dtype)
    fill = np.asarray(fill).astype(array.dtype)
    if not np.isnan(fill) and (array.data[~mask] == fill).any():
        raise InvalidArgumentError(
            f"the fill value {fill} is also the value of an element that is not masked: give another fill_value"
        )
    return array.filled(fill), bits


def fill_bits(fill_value: Any | None, dtype: np.dtype[Any]) -> int | None:
    """The bits of the element that stands for "no value", as an integer."""
    if fill_value is None:
        return None
    given = np.asarray(fill_value)
    fits = given.ndim == 0 and given.dtype.kind in "iuf"
    if fits:
        with np.errstate(over="ignore", invalid="ignore"):
            element = given.astype(dtype.newbyteorder("="), casting="unsafe")
        fits = dtype.kind == "f" or element == given
    if not fits:
        raise InvalidArgumentError(f"fill value {fill_value!r} is not a value of {dtype.name}")
    return int(element.reshape(1).view(f"u{dtype.itemsize}")[0])


def fill_element(bits: int | None, dtype: np.dtype[Any]) -> Any:
    """The element of these bits, or None."""
    if bits is None:
        return None
    return np.array([bits], dtype=f"u{dtype.itemsize}").view(dtype)[0]


def buffer_bytes(data: Any) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Any object with the buffer protocol as a flat array of bytes."""
    if isinstance(data, np.ndarray):
        return np.ascontiguousarray(data).reshape(-1).view(np.uint8)
    return np.frombuffer(data, dtype=np.uint8)
