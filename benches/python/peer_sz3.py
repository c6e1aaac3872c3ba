"""SZ3 through `pysz`, in memory, one thread."""

import time

import numpy as np
from pysz import sz, szAlgorithm, szConfig, szErrorBoundMode


def config(field, bound):
    """SZ3's default algorithm under the absolute bound `bound`, without its threads."""
    made = szConfig(field.shape)
    made.cmprAlgo = szAlgorithm.INTERP_LORENZO
    made.errorBoundMode = szErrorBoundMode.ABS
    made.absErrorBound = bound
    made.openmp = False
    return made


def encode(field, bound):
    """The stream, and the seconds that making it took. The bound is absolute."""
    settings = config(field, bound)
    start = time.perf_counter()
    stream, _ = sz.compress(field, settings)
    return stream, time.perf_counter() - start


def decode(stream, field):
    """The decoded values, and the seconds that it took."""
    start = time.perf_counter()
    values, _ = sz.decompress(stream, field.dtype, field.shape)
    return values, time.perf_counter() - start


def error_bound(field, kind, value):
    """The absolute bound that stands for `rel=value`; for `nrmse=value` the one whose error just meets it."""
    spread = float(np.max(field)) - float(np.min(field))
    if kind == "rel":
        return value * spread
    if kind != "nrmse":
        raise ValueError(f"no such kind of bound: {kind}")
    low, high = value * spread, 64.0 * value * spread  # the root mean square is never above the maximum
    for _ in range(12):
        middle = (low * high) ** 0.5
        stream, _ = encode(field, middle)
        decoded, _ = decode(stream, field)
        rmse = float(np.sqrt(np.mean((decoded.astype(np.float64) - field.astype(np.float64)) ** 2)))
        low, high = (middle, high) if rmse <= value * spread else (low, middle)
    return low
