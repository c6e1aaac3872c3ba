"""SPEC.md §8.10: coding beside other chunks."""
from itertools import product

import numpy as np

import bases
from container import DTYPES, SIZES, need
from entropy import Counters

DAMPINGS = (0.25, 1.0, 0.0625, 4.0)


class Reference:
    """A decoded chunk that another needs: its elements' bits."""

    def __init__(self, dtype, bits, fill):
        self.dtype, self.bits, self.fill = dtype, bits, fill

    def numbers(self, n):
        """§8.10.1: values, and where they say nothing."""
        raw = np.array(self.bits, "u%d" % SIZES[self.dtype])
        values = raw.view(DTYPES[self.dtype]).astype(np.float64).tolist()
        missing = [not abs(v) < 1e150 or b == self.fill for v, b in zip(values, self.bits)]
        first = next((v for v, m in zip(values, missing) if not m), 0.0)
        width = n[3]
        for start in range(0, len(values), width):
            row = range(start, start + width)
            last = next((values[i] for i in row if not missing[i]), None)
            for i in row:
                if last is None:
                    values[i] = values[i - width] if start else first
                elif missing[i]:
                    values[i] = last
                else:
                    last = values[i]
        return values, missing


def scaled(reference, n, exponent):
    """§8.10.1: values times a power of two, and where they are missing."""
    values, missing = reference.numbers(n)
    scale = 2.0 ** min(500, max(-500, exponent))
    return [v * scale for v in values], missing


def int16(cur):
    return (cur.uint(2) ^ 32768) - 32768


class LeftOut:
    """§8.10.4: what a wavelet does not code."""

    def __init__(self, cur, references, n):
        need(cur.u8() == 0 and references, "no such kind, or no companions")
        self.terms = []
        for reference in references:
            values, _ = scaled(reference, n, int16(cur))
            self.terms.append((int16(cur) * 2.0**-14, values))

    def added(self, numbers):
        for weight, values in self.terms:
            numbers = [v + weight * c for v, c in zip(numbers, values)]
        return numbers


class Companions:
    """What companions say to a run of interpolation."""

    def __init__(self, cur, references, n):
        kind = cur.u8()
        need(kind < 32 and references, "no such kind, or no companions")
        self.damping, self.told_levels = DAMPINGS[kind & 3], kind >> 2
        self.some = Counters(2, 30)
        self.fields = []
        for reference in references:
            self.fields.append(scaled(reference, n, int16(cur)))
        count = n[0] * n[1] * n[2] * n[3]
        self.distances = [[0.0] * count for _ in self.fields]
        self.missed = [0.0] * count

    def enter(self, d, s, start, steps, n, o, step, linear, skip):
        """§8.10.2: distances at the points of a pass."""
        self.start, self.steps, self.n, self.o, self.step = start, steps, n, o, step
        for index in product(*(range(start[a], n[a], steps[a]) for a in range(4))):
            at = sum(i * k for i, k in zip(index, o))
            for (values, missing), distances in zip(self.fields, self.distances):
                if not missing[at] and not skip[at]:
                    distances[at] = values[at] - bases.plain_of(values, index, at, d, s, s * o[d], n, linear)[0]

    def read_weights(self, dec, level):
        """§8.10.2: fitted weights of distances."""
        self.weights = []
        if level > self.told_levels:
            return
        for _ in self.fields:
            weights = []
            for k in range(9):
                axis = 3 - (k - 1) // 2
                there = k == 0 or self.n[axis] > self.steps[axis]
                some = there and self.some.bit(dec, min(k, 1))
                weights.append((dec.raw(8) - 128) * 2.0**-5 if some else 0.0)
            self.weights.append(weights)

    def fitted(self, p, at, index):
        """§8.10.2: a prediction with the weighted distances."""
        for weights, d in zip(self.weights, self.distances):
            p = p + weights[0] * d[at]
            for k in range(1, 9):
                axis = 3 - (k - 1) // 2
                t = self.steps[axis] * (-1 if k % 2 else 1)
                inside = self.start[axis] <= index[axis] + t < self.n[axis]
                p = p + weights[k] * (d[at + t * self.o[axis]] if inside else 0.0)
        return p

    def correction(self, at, index):
        """§8.10.2: what is added to a prediction."""
        near = [(0, 0, 0, -1), (0, 0, 0, -2), (0, 0, -1, 0), (0, 0, -1, -1), (0, 0, -1, 1), (0, -1, 0, 0), (-1, 0, 0, 0)]
        places = []
        for offset in near:
            there = [i + k * t for i, k, t in zip(index, offset, self.steps)]
            inside = all(b <= i < m for i, b, m in zip(there, self.start, self.n))
            places.append(sum(i * k for i, k in zip(there, self.o)) if inside else None)
        missed = [0.0 if p is None else self.missed[p] for p in places]
        total = 0.0
        for distances in self.distances:
            around = [0.0 if p is None else distances[p] for p in places]
            xy, xx = 0.0, self.step * self.step * self.damping
            for r, d in zip(missed, around):
                xy = xy + r * d
                xx = xx + d * d
            slope = xy / xx if xx else float("nan")
            slope = 0.0 if slope != slope else min(4.0, max(-4.0, slope))
            missed = [r - slope * d for r, d in zip(missed, around)]
            total = total + slope * distances[at]
        return total

    def told(self, at, inverse):
        """§8.10.3: own, and which way the first companion leans."""
        own = 0.0
        for distances in self.distances:
            own = own + abs(distances[at])
        return bases.fine(own, inverse), bases.sg(self.distances[0][at])


def contexts(slots, told, ke, kx, scale, rel, s):
    """§8.10.3: slots, the third sign, and what slots of the last two contexts start from."""
    own, lean = told
    k = bases.k63(own)
    d = max(-8, min(8, k - ke))
    shift = (abs(d) + 1) // 2 * (1 if d > 0 else -1)
    expected = min(63, max(0, ke + shift))
    slot = 64 + min(63, max(1, scale + shift)) if scale else expected
    slots = (*slots[:4], 16 * kx + rel(own), 16 * min(63, kx) + min(31, k) // 2)
    return slots, (lean * 32 + min(31, k)) * 27 + s, (slot, expected)
