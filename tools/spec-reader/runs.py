"""SPEC.md §8.4.4 to §8.4.6: what surrounds coefficients, runs of them, and corrections."""
from itertools import combinations, product

from entropy import Counters, Mixer, ONE_CONTEXT, clamp_code, magnitude_class, residual_coder
from priors import CORRECTION_RUNS, CORRECTIONS
from trellis import half


def class47(v):
    return min(47, magnitude_class(v))


def per16(w):
    return (1 << 20) // max(w, 1)


def sg(x):
    return 2 if x > 0 else 1 if x == 0 else 0


class Field:
    """The codes of all coefficients of a chunk."""

    def __init__(self, n):
        self.n = n
        self.o = [n[1] * n[2] * n[3], n[2] * n[3], n[3], 1]
        self.codes = [0] * (n[0] * self.o[0])
        # §8.4.4.3: codes are in halves of a step.
        self.halves = False

    def steps(self, code):
        return half(code) if self.halves else code

    def holds(self, box, i0, i1, i2, run):
        """What a run of a box holds; 0 outside."""
        (l0, h0), (l1, h1), (l2, h2), (l3, h3) = box
        i0, i1, i2 = i0 + l0, i1 + l1, i2 + l2
        start = l3 + 16 * run
        if i0 >= h0 or i1 >= h1 or i2 >= h2 or start >= h3:
            return 0
        at = i0 * self.o[0] + i1 * self.o[1] + i2 * self.o[2]
        total = sum(map(abs, self.codes[at + start : at + min(h3, start + 16)]))
        return amount((total + 1) // 2 if self.halves else total)


def amount(total):
    return 0 if total == 0 else 1 if total <= 2 else 2 if total <= 8 else 3


def around(field, box, index):
    """Twice the magnitude of a code, plus those of its neighbours in the box."""
    codes, o = field.codes, field.o
    at = sum((i + b[0]) * k for i, b, k in zip(index, box, o))
    total = 2 * abs(codes[at])
    for i, b, k in zip(index, box, o):
        if i:
            total += abs(codes[at - k])
        if i + 1 < b[1] - b[0]:
            total += abs(codes[at + k])
    return total


def around_weight(box):
    return 2 + 2 * sum(high - low > 1 for low, high in box)


def left_of(numbers, index):
    """§8.4.4: the prediction of an integer of the low band."""
    axes = [a for a in range(4) if index[a]]
    total = 0
    for count in range(1, len(axes) + 1):
        for some in combinations(axes, count):
            q = numbers[tuple(i - (a in some) for a, i in enumerate(index))]
            total += q if count % 2 else -q
    return total


class Runs:
    """§8.4.4.1: the bits that tell whether runs hold something."""

    def __init__(self, dec, slots, coding, place):
        self.dec = dec
        self.zeros = [Counters(n) for n in slots]
        self.mixer = Mixer(4, 29491)
        self.signs, self.parts, self.weights = [], [], {}
        coding.start(place, self)

    def bit(self, weight_set, slots):
        return self.mixer.bit(self.dec, weight_set, self.zeros, slots)


def decode_corrections(dec, n, skip, fine, coarse, coding):
    """§8.4.6: the integers of all points, in C order; 0 at masked ones."""
    n0, n1, n2, n3 = n
    field = Field(n)
    codes, o = field.codes, field.o
    box = [(0, e) for e in n]
    coder = residual_coder(dec, [640, 544, 512, 1536, 400, 512], coding, CORRECTIONS)
    runs = Runs(dec, (192, 256, 400, 120), coding, CORRECTION_RUNS)
    scale = per16(6 + 4 * sum(e > 1 for e in n[:3]) + (4 if n2 > 1 else 0) + (4 if n1 > 1 else 0))
    integers = [0] * len(codes)
    per_row = (n3 + 15) // 16
    for i0, i1, i2 in product(range(n0), range(n1), range(n2)):
        row_at = i0 * o[0] + i1 * o[1] + i2 * o[2]
        for run in range(per_row):
            columns = range(16 * run, min(n3, 16 * run + 16))
            others = [near_others(codes, o, row_at + i3, i0, i1, i2, i3, n) for i3 in columns]
            place = 16
            if n3 >= 8 and not all(skip[row_at + i3] for i3 in columns):
                much = class47(sum((x * scale) >> 16 for x in others))
                left = field.holds(box, i0, i1, i2, run - 1) if run else 1
                up = field.holds(box, i0, i1, i2 - 1, run) if i2 else 1
                right = field.holds(box, i0, i1, i2 - 1, run + 1) if i2 and run + 1 < per_row else 1
                plane = field.holds(box, i0, i1 - 1, i2, run) if i1 else 1
                ahead = min(5, (left + up + plane + 1) // 2)
                f = max(fine[row_at + i3] for i3 in columns[::2])
                q = max(coarse[row_at + i3] for i3 in columns[::4])
                slots = (4 * much + left, 64 * left + 16 * up + 4 * right + plane, 20 * f + q, 20 * ahead + f)
                if not runs.bit(ahead, slots):
                    continue
                place = 0
            for i3, other in zip(columns, others):
                at = row_at + i3
                if skip[at]:
                    continue
                w = codes[at - 1] if i3 else 0
                v = codes[at - 2] if i3 > 1 else 0
                near = ((other + 4 * abs(w) + 2 * abs(v)) * scale) >> 16
                e = min(31, class47(near))
                start = class47((10 * near) >> 8)
                here = i3 - 16 * run if place < 16 else 16
                u = codes[at - o[2]] if i2 else 0
                t = codes[at - o[1]] if i1 else 0
                z = codes[at - o[0]] if i0 else 0
                parity = (i3 & 1) + 2 * (i2 & 1) + 4 * (i1 & 1)
                f1, f2 = fine[at], coarse[at]
                if start < 3:
                    fourth = ((min(abs(w), 4) * 5 + min(abs(u), 4)) * 5 + min(abs(t), 4)) * 3 + start
                else:
                    fourth = 1024 + 16 * e + min(15, max(0, class47(16 * abs(w)) + 8 - e))
                slots = (
                    20 * e + f1, 17 * e + here, 16 * e + parity, fourth, 20 * f1 + f2,
                    16 * e + min(15, class47(abs(v) + abs(z))),
                )
                signs = (
                    (9 * sg(w) + 3 * sg(u) + sg(t)) * 16 + parity,
                    (3 * sg(v) + sg(w)) * 9 + 3 * sg(z) + sg(u),
                    0,
                )
                q = coder.integer(slots, start, e + 32 if here < 16 and coding != ONE_CONTEXT else e, signs, e + 8)
                integers[at] = q
                codes[at] = clamp_code(q)
                if q:
                    place = 16
    return integers


def near_others(codes, o, at, i0, i1, i2, i3, extent):
    """The part of near that does not come from the same row."""
    total = 0
    if i2:
        up = at - o[2]
        total = 4 * abs(codes[up])
        if i3 + 1 < extent[3]:
            total += 2 * abs(codes[up + 1])
        if i3:
            total += 2 * abs(codes[up - 1])
    if i1:
        back = at - o[1]
        total += 4 * abs(codes[back])
        if i3 + 1 < extent[3]:
            total += abs(codes[back + 1])
        if i3:
            total += abs(codes[back - 1])
        if i2:
            total += abs(codes[back - o[2]])
        if i2 + 1 < extent[2]:
            total += abs(codes[back + o[2]])
    if i0:
        total += 4 * abs(codes[at - o[0]])
    return total
