"""What an index with ints, slices and an ellipsis means, and how to read no more than it needs."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

#: Decodes a box, from its start to its stop along each axis, into a new array.
ReadBox = Callable[[tuple[int, ...], tuple[int, ...]], np.ndarray[Any, Any]]


def normalise(key: Any, shape: tuple[int, ...]) -> tuple[list[range], tuple[int, ...]]:
    """The indices along each axis, and the axes that go because an int selected on them.

    Raises IndexError, as numpy does, for ints outside the shape and for more indices than axes.
    """
    keys = list(key) if isinstance(key, tuple) else [key]
    dots = [i for i, k in enumerate(keys) if k is Ellipsis]
    if len(dots) > 1:
        raise IndexError("an index can only have a single ellipsis ('...')")
    if not dots:
        keys.append(Ellipsis)
        dots = [len(keys) - 1]
    missing = len(shape) - (len(keys) - 1)
    if missing < 0:
        raise IndexError(
            f"too many indices: the variable is {len(shape)}-dimensional, but {len(keys) - 1} were indexed"
        )
    keys[dots[0] : dots[0] + 1] = [slice(None)] * missing
    ranges, dropped = [], []
    for axis, (k, n) in enumerate(zip(keys, shape)):
        if isinstance(k, slice):
            ranges.append(range(n)[k])
            continue
        if isinstance(k, (bool, np.bool_)) or not hasattr(k, "__index__"):
            raise IndexError(
                f"axis {axis}: only ints, slices and an ellipsis can be used to read from a file, not {k!r};"
                " read a region and index the array"
            )
        i = operator.index(k)
        if not -n <= i < n:
            raise IndexError(f"index {i} is out of bounds for axis {axis} with size {n}")
        ranges.append(range(i % n, i % n + 1))
        dropped.append(axis)
    return ranges, tuple(dropped)


def read(
    key: Any,
    shape: tuple[int, ...],
    chunks: tuple[int, ...],
    dtype: np.dtype[Any],
    read_box: ReadBox,
) -> Any:
    """What ``array[key]`` would be. Chunks that no index meets are not read, however large the steps."""
    ranges, dropped = normalise(key, shape)
    kept = tuple(len(r) for axis, r in enumerate(ranges) if axis not in dropped)
    if 0 in kept:
        return np.empty(kept, dtype)
    if all(r.step == 1 for r in ranges):
        box = read_box(tuple(r.start for r in ranges), tuple(r.stop for r in ranges))
        return box.reshape(kept) if kept or not dropped else box.reshape(-1)[0]
    # With steps: chunk by chunk along the axes that have them, so that memory holds what is asked and a few chunks.
    out = np.empty([len(r) for r in ranges], dtype)
    for parts in itertools.product(*map(_pieces, ranges, chunks)):
        picked = [r[first:last] for r, (first, last) in zip(ranges, parts)]
        low = tuple(min(r[0], r[-1]) for r in picked)
        box = read_box(low, tuple(max(r[0], r[-1]) + 1 for r in picked))
        steps = tuple(slice(None, None, r.step) for r in picked)
        out[tuple(slice(*p) for p in parts)] = box[steps]
    return out.reshape(kept)


def _pieces(indices: range, chunk: int) -> list[tuple[int, int]]:
    """Cuts a range of indices where chunks end, if it has a step: (first, last) positions in the range."""
    if indices.step == 1:
        return [(0, len(indices))]
    pieces = []
    first = 0
    while first < len(indices):
        low = indices[first] // chunk * chunk
        if indices.step > 0:
            last = first + len(range(indices[first], min(low + chunk, indices.stop), indices.step))
        else:
            last = first + len(range(indices[first], max(low - 1, indices.stop), indices.step))
        pieces.append((first, last))
        first = last
    return pieces
