"""SPEC.md §2: elements from ordered integers."""
from container import SIZES

FLOATS = 3  # dtypes below this are floats


def element(v, dtype):
    """The bits of the element that has this ordered integer, modulo 2^64."""
    width = 8 * SIZES[dtype]
    low = (1 << width) - 1
    top = 1 << (width - 1)
    if dtype == 10:
        v ^= 1 << 63
    v &= low
    if dtype < FLOATS and v & top:
        v ^= low ^ top
    return v
