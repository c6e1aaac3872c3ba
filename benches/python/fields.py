"""The fields that the speed benches run on: stored ones of at least 4 MB, and one synthetic one made here."""

import pathlib

import numpy as np

SMALLEST = 4_000_000
SYNTHETIC = "synthetic-power-law"


def power_law(shape=(128, 256, 256), slope=-5.0 / 3.0, seed=20260401):
    """A real float32 field of random phases whose energy spectrum falls as k**slope, of unit standard deviation.

    The energy in a shell of radius k in three dimensions is k² times the squared amplitude of a mode, so the amplitude
    of a mode falls as k**((slope - 2) / 2).
    """
    rng = np.random.default_rng(seed)
    # The spectrum of white noise has random phases, and the symmetry that makes the field real.
    modes = np.fft.rfftn(rng.standard_normal(shape))
    axes = [np.fft.fftfreq(n, 1.0 / n) for n in shape[:-1]] + [np.fft.rfftfreq(shape[-1], 1.0 / shape[-1])]
    k2 = sum(k.reshape([-1 if i == j else 1 for j in range(len(shape))]) ** 2 for i, k in enumerate(axes))
    k2.flat[0] = 1.0
    modes *= k2 ** ((slope - (len(shape) - 1)) / 4.0)
    modes.flat[0] = 0.0
    field = np.fft.irfftn(modes, s=shape, axes=range(len(shape)))
    return (field / field.std()).astype(np.float32)


def fill_nearest(field):
    """Every non-finite value replaced by a nearest finite one in its [H, W] plane (city-block distance).

    SZ3 has no notion of missing values. A plane without any finite value becomes 0.
    """
    bad = ~np.isfinite(field)
    if not bad.any():
        return field
    out = np.where(bad, 0, field).reshape((-1,) + field.shape[-2:])
    holes = bad.reshape(out.shape).copy()
    for plane, hole in zip(out, holes):
        if hole.all():
            continue
        while hole.any():
            before, known = plane.copy(), ~hole
            for to, of in _NEIGHBOURS:
                take = hole[to] & known[of]
                plane[to][take] = before[of][take]
                hole[to] &= ~take
    return np.ascontiguousarray(out.reshape(field.shape))


_A, _B, _ALL = slice(1, None), slice(None, -1), slice(None)
_NEIGHBOURS = [((_A, _ALL), (_B, _ALL)), ((_B, _ALL), (_A, _ALL)), ((_ALL, _A), (_ALL, _B)), ((_ALL, _B), (_ALL, _A))]


def large_fields(folders, smallest=SMALLEST):
    """The .npy files of at least `smallest` bytes of values in these folders, as (name, path), sorted by name."""
    found = []
    for folder in folders:
        for path in sorted(pathlib.Path(folder).glob("*.npy")):
            values = np.load(path, mmap_mode="r")
            if values.dtype in (np.float32, np.float64) and values.nbytes >= smallest:
                found.append((path.stem, path))
    return sorted(found)
