"""How far arrays are apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from . import _native
from ._arrays import flat_bytes
from ._errors import InvalidArgumentError


@dataclass(frozen=True)
class Metrics:
    """Differences between two arrays, over the points where both are finite.

    Attributes:
        points: Points where both are finite.
        equal_specials: Points where both are NaN, or both the same infinity.
        mismatches: Points where one is NaN or infinite, and the other something else.
        max_abs: max |a − b|.
        max_rel: max |a − b| / |a| over nonzero a.
        rmse: Root of the mean of (a − b)².
        nrmse: rmse / range; 0 for equal arrays.
        psnr: 20·log10(range / rmse), in decibels; infinite for equal arrays.
        l2: Root of the sum of (a − b)².
        range: max a − min a.
        ssim: Mean structural similarity over the last two axes, in windows of 7²; None where no window fits.
    """

    points: int
    equal_specials: int
    mismatches: int
    max_abs: float
    max_rel: float
    rmse: float
    nrmse: float
    psnr: float
    l2: float
    range: float
    ssim: float | None


def compare(a: ArrayLike, b: ArrayLike) -> Metrics:
    """Compares ``b`` with the reference ``a``: arrays of one shape, or variables of open files.

    Raises InvalidArgumentError where shapes differ, DTypeError where there are no numbers to compare.
    """
    first, second = np.asarray(a), np.asarray(b)
    if first.shape != second.shape:
        raise InvalidArgumentError(f"shapes differ: {list(first.shape)} and {list(second.shape)}")
    found = _native.compare(
        flat_bytes(first), first.dtype.name, flat_bytes(second), second.dtype.name, list(first.shape)
    )
    return Metrics(**found)
