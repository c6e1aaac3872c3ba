"""SPEC.md §8.9: the Tucker base."""
import struct
from itertools import product
from math import isqrt

import numpy as np

from bases import Chunk, near_code
from container import need
from entropy import clamp_code
from priors import CORE, FACTORS
from runs import decode_corrections

LARGEST = 1 << 40


class Parameters:
    """§8.9.1."""

    def __init__(self, cur, n, read_step):
        axes = cur.u8()
        need(axes < 32, "a bit that must be zero is set")
        self.ranks = [cur.u8() + 1 if axes >> a & 1 else 0 for a in range(4)]
        for r, extent in zip(self.ranks, n):
            need(r == 0 or (r <= extent <= 256), "too many factors")
        self.fineness = cur.u8()
        need(self.fineness, "factors without a step")
        self.step = read_step(cur)
        self.correction = read_step(cur) if axes & 16 else None
        self.mean = struct.unpack("<d", (cur.uint(3) << 40).to_bytes(8, "little"))[0]
        need(abs(self.mean) < float("inf"), "the mean is not finite")


def clamp(q):
    return max(-LARGEST, min(LARGEST, q))


def integers(chunk, place):
    """§8.9.2: an array of integers, in C order."""
    n, o, codes = chunk.n, chunk.o, chunk.codes
    numbers = []
    zero, one = (0, 0, 0, 0), (1, 1, 1, 1)
    for index in product(*map(range, n)):
        at = len(numbers)
        near, w, u, b = near_code(codes, at, o, index, zero, one, n)
        parents = abs(codes[at - 2]) if index[3] >= 2 else 0
        if index[2] and index[3]:
            parents += abs(codes[at - o[2] - 1])
        q = chunk.code(near, 256 * parents, 0, 0, place, 4, w, u, b)
        codes[at] = clamp_code(q)
        numbers.append(clamp(q))
    return numbers


def predict(order, f):
    order = min(order, len(f))
    if order == 0:
        return 0
    if order == 1:
        return f[-1]
    if order == 2:
        return 2 * f[-1] - f[-2]
    return 3 * (f[-1] - f[-2]) + f[-3]


def factors(dec, extent, rank, place, coder, coding):
    orders = [dec.raw(2) for _ in range(rank)]
    chunk = Chunk(dec, [1, 1, rank, extent], None, False, coding, FACTORS)
    if coder is not None:
        chunk.coder = coder
    errors = integers(chunk, place)
    rows = []
    for k, order in enumerate(orders):
        f = []
        for d in errors[k * extent : (k + 1) * extent]:
            f.append(clamp(predict(order, f) + d))
        rows.append(f)
    return rows, chunk.coder


def decode(dec, n, skip, parameters, lattice, coding):
    """§8.9: the values of a chunk, flat, in C order."""
    need(not lattice, "a Tucker base on a lattice")
    ranks = parameters.ranks
    m = [r or extent for r, extent in zip(ranks, n)]
    core = np.array(integers(Chunk(dec, m, None, False, coding, CORE), 0), object).reshape(m)
    rows, coder = {}, None
    for a in range(4):
        if ranks[a]:
            rows[a], coder = factors(dec, n[a], ranks[a], a + 1, coder, coding)
    with np.errstate(all="ignore"):
        values = parameters.step * core.astype(np.float64)
        for a in (3, 2, 1, 0):
            if ranks[a]:
                values = expand(values, core, a, rows[a], parameters.fineness)
        values = values + parameters.mean
        values = values.ravel().tolist()
    if parameters.correction is not None:
        nothing = [0] * len(values)
        codes = decode_corrections(dec, n, skip, nothing, nothing, coding.primed({}, {}))
        values = [v if s else v + parameters.correction * float(c) for v, c, s in zip(values, codes, skip)]
    return values


def expand(values, core, a, rows, fineness):
    """Step 2 of §8.9.3 for one axis."""
    values = np.moveaxis(values, a, -1)
    slabs = np.moveaxis(core, a, 0)
    total = np.zeros(values.shape[:-1] + (len(rows[0]),))
    for k, f in enumerate(rows):
        s = max(1, isqrt(sum(int(q) * int(q) for q in slabs[k].ravel())))
        w = (fineness * 0.0625) / float(s)
        u = np.array([float(x) * w for x in f])
        total = total + u * values[..., k : k + 1]
    return np.moveaxis(total, -1, a)
