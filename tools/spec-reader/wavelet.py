"""SPEC.md §8.4: the wavelet base. Bands and the transform are here, the coding of runs and corrections in runs.py."""
import struct
from itertools import product

import numpy as np

import guided
import trellis
from container import need
from entropy import Counters, ONE_CONTEXT, residual_coder, clamp_code
from priors import WAVELET, WAVELET_GUIDED, WAVELET_GUIDED_RUNS, WAVELET_RUNS
from runs import (
    Field, Runs, around, around_weight, class47, decode_corrections, left_of, near_others, per16, sg,
)

# Slots of the coder of coefficients, where no network guides it.
SLOTS = [768, 1792, 816, 3072, 768, 768]
LOW = [
    1.0, 0.877374608501, 0.745345402552, 0.641693557572, 0.556501562360, 0.483697056937, 0.420666218151,
    0.365904104187, 0.318282948498, 0.276862147005, 0.240832349284, 0.209491458037, 0.182229163261,
    0.158514669212, 0.137886275383,
]
HIGH = [
    1.0, 1.127043656891, 1.016806485159, 0.853124950680, 0.729750801513, 0.631643066108, 0.548727337003,
    0.477160315751, 0.415030271971, 0.361012563094, 0.314030360032, 0.273163491293, 0.237615133218,
    0.206692940736, 0.179794837890,
]
DELTA, GAMMA = 0.443506852043971, 0.882911075530934
BETA, ALPHA = -0.052980118572961, -1.586134342059924


class Parameters:
    """§8.4.1."""

    def __init__(self, cur, normal):
        first = cur.u8()
        need(first < 64, "a bit that must be zero is set")
        self.trellis = bool(first & 32)
        self.first = [bool(first >> (3 - a) & 1) for a in range(4)]
        a, b = cur.u8(), cur.u8()
        self.levels = [a >> 4, a & 15, b >> 4, b & 15]
        need(max(self.levels) <= 14, "too many levels")
        self.edges = [0] * 4
        if first & 16:
            edges = cur.u8()
            need(edges, "edges that are all mirrored")
            self.edges = [edges >> (6 - 2 * a) & 3 for a in range(4)]
            need(3 not in self.edges, "no such edge")
        step = cur.uint(3)
        self.step = normal(step >> 1)
        self.correction = None
        if step & 1:
            correction = cur.uint(3)
            need(correction < 1 << 23, "the sign of a step is set")
            self.correction = normal(correction)
        self.shift = struct.unpack("bb", cur.take(2))
        self.mean = struct.unpack("<d", (cur.uint(3) << 40).to_bytes(8, "little"))[0]
        need(abs(self.mean) < float("inf"), "the mean is not finite")


def halved(n, times):
    for _ in range(times):
        n = (n + 1) // 2
    return n


def has(orientation, axis):
    """bit(s, a)."""
    return orientation >> (3 - axis) & 1


class Stretch:
    def __init__(self, low, high, scale, weight):
        self.low, self.high, self.scale, self.weight = low, high, scale, weight


def stretches(n, levels):
    ends = [halved(n, k) for k in range(levels + 1)]
    found = [Stretch(0, ends[levels], levels, LOW[levels])]
    for level in range(levels, 0, -1):
        if ends[level - 1] > ends[level]:
            found.append(Stretch(ends[level], ends[level - 1], level, HIGH[level]))
    return found


class Band:
    """A band: a box of coefficients."""

    def __init__(self, box, orientation, level):
        self.box, self.orientation, self.level = box, orientation, level
        self.low = [b[0] for b in box]
        self.extent = [b[1] - b[0] for b in box]
        self.weight = 1.0
        self.parent = None  # a box, and a shift for each axis
        self.scales = [0] * 4
        self.group = None
        self.is_low = False


class Layout:
    """§8.4.3: the bands of a chunk."""

    def __init__(self, n, parameters):
        self.n, self.parameters = n, parameters
        self.t = [0 if f else k for f, k in zip(parameters.first, parameters.levels)]
        self.d = max(self.t)
        self.axes = [stretches(n[a], parameters.levels[a]) if parameters.first[a] else [None] for a in range(4)]
        places = list(product(*(range(len(s)) for s in self.axes)))
        self.bands = []
        group = 0
        for place in places:
            self.bands.append(self.band(place, 0, self.d + 1, group))
            group += 1
        order = sorted(range(1, 16), key=lambda o: (bin(o).count("1"), o))
        for level in range(self.d, 0, -1):
            for place in places:
                for o in order:
                    if self.exists(o, level):
                        self.bands.append(self.band(place, o, level, group))
                group += 1
        self.bands[0].is_low = True

    def m(self, level, a):
        return halved(self.n[a], min(level - 1, self.t[a]))

    def exists(self, o, level):
        return all(not has(o, a) or (self.t[a] >= level and self.m(level, a) >= 2) for a in range(4))

    def box(self, place, o, level):
        box = []
        for a in range(4):
            if self.parameters.first[a]:
                s = self.axes[a][place[a]]
                box.append((s.low, s.high))
            elif o == 0:
                box.append((0, self.m(self.d + 1, a)))
            elif has(o, a):
                box.append((self.m(level + 1, a), self.m(level, a)))
            else:
                box.append((0, self.m(level + 1, a)))
        return box

    def band(self, place, o, level, group):
        band = Band(self.box(place, o, level), o, level)
        band.group = group
        weight = 1.0
        for a in range(4):
            k = min(self.d if o == 0 else level, self.t[a])
            if k > 0:
                weight = weight * (HIGH[k] if has(o, a) else LOW[k])
        for a in range(4):
            if self.parameters.first[a]:
                weight = weight * self.axes[a][place[a]].weight
                band.scales[a] = self.axes[a][place[a]].scale
            else:
                band.scales[a] = min(level, self.t[a])
        band.weight = weight
        band.parent = self.parent(band, place)
        return band

    def parent(self, band, place):
        level = band.level
        p = band.orientation
        for a in range(4):
            if self.t[a] < level + 1 or self.m(level + 1, a) < 2:
                p &= ~(8 >> a)
        if p:
            return self.box(place, p, level + 1), [1 if t >= level + 1 else 0 for t in self.t]
        for a in (3, 2, 1, 0):
            if self.parameters.first[a] and place[a] >= 2:
                here, before = self.axes[a][place[a]], self.axes[a][place[a] - 1]
                box = list(band.box)
                box[a] = (before.low, before.high)
                shift = [0] * 4
                shift[a] = before.scale - here.scale
                return box, shift
        return None


def decode(dec, n, skip, parameters, lattice, coding):
    """§8.4: the values of a chunk, flat, in C order."""
    layout = Layout(n, parameters)
    field = Field(n)
    coefficients = np.zeros(n, np.float64)
    told = Counters(2, 30)
    last = 1
    guide = guided.guide(coding, field)
    slots, sets, place = (guided.SLOTS, 224, WAVELET_GUIDED) if guide else (SLOTS, 96, WAVELET)
    field.halves = parameters.trellis
    if parameters.trellis:
        coder = residual_coder(dec, *trellis.both(slots, sets, coding, place), place)
    else:
        coder = residual_coder(dec, slots, coding, place)
    # What the shifted quantiser of a trellis adds to slots and sets.
    shifted = [n if k in trellis.DOUBLED else 0 for k, n in enumerate(slots)], sets
    runs = Runs(dec, (324, 256, 512, 384), coding, WAVELET_GUIDED_RUNS if guide else WAVELET_RUNS)
    group, before = None, []
    for band in layout.bands:
        if band.group != group:
            group, before = band.group, []
        coded = True
        if not band.is_low:
            last = told.bit(dec, last)
            coded = bool(last)
        if coded:
            q = decode_band(field, coder, runs, band, before, coding, guide, shifted)
            values = dequantise(q, band, parameters)
            box = tuple(slice(*b) for b in band.box)
            coefficients[box] = np.array(values, np.float64).reshape(band.extent)
        before.append(band)
    with np.errstate(all="ignore"):
        inverse(coefficients, n, layout.t, parameters)
        coefficients += parameters.mean
    values = coefficients.ravel().tolist()
    if field.halves:
        field.codes, field.halves = [trellis.half(c) for c in field.codes], False
    if parameters.correction is not None:
        fine, coarse = (activity(field, layout, k) for k in (1, 2))
        codes = decode_corrections(dec, n, skip, fine, coarse, coding)
        values = [v if m else v + parameters.correction * float(c) for v, c, m in zip(values, codes, skip)]
    return values


def dequantise(q, band, parameters):
    unit = parameters.step * band.weight
    one, more = (0.0, 0.0) if band.is_low else (k * 2.0**-7 for k in parameters.shift)
    states = trellis.states(q) if parameters.trellis and not band.is_low else [0] * len(q)
    values = []
    for c, state in zip(q, states):
        s = (one if abs(c) == 1 else more) - (0.5 if state % 2 else 0.0)
        values.append(0.0 if c == 0 else (float(c) + s) * unit if c > 0 else (float(c) - s) * unit)
    return values


def limited(q):
    """§8.4.4: what an integer is taken for."""
    q = (q + (1 << 63)) % (1 << 64) - (1 << 63)
    return max(-(1 << 30), min(1 << 30, q))


def decode_band(field, coder, runs, band, before, coding, guide, shifted):
    """§8.4.4: the integers of one band, in C order."""
    e0, e1, e2, e3 = extent = band.extent
    codes, o = field.codes, field.o
    l0, l1, l2, l3 = band.low
    orientation = band.orientation
    lv = min(band.level, 4) - 1
    w_near = per16(5 + 4 * sum(e > 1 for e in extent[:3]) + (4 if e2 > 1 else 0) + (4 if e1 > 1 else 0))
    divisor = 8
    halves = int(field.halves)
    w_near >>= halves
    state = 0
    if band.parent:
        parent_box, shift = band.parent
        parent_last = [b[1] - b[0] - 1 for b in parent_box]
        w_parent = per16(around_weight(parent_box)) >> halves
        divisor += 1
    if before:
        w_cousin = per16(sum(around_weight(b.box) for b in before)) >> halves
        divisor += 2
    expected_scale = 65536 // divisor
    with_runs = not band.is_low and e3 >= 8
    integers = []
    numbers = {}
    held = {}
    per_row = (e3 + 15) // 16
    if guide:
        guide.enter(band, before)

    for i0, i1, i2 in product(range(e0), range(e1), range(e2)):
        row_at = (l0 + i0) * o[0] + (l1 + i1) * o[1] + (l2 + i2) * o[2] + l3
        for run in range(per_row):
            columns = range(16 * run, min(e3, 16 * run + 16))
            known = []
            for i3 in columns:
                parent = cousin = 0
                if band.parent:
                    at = [min(i >> s, m) for i, s, m in zip((i0, i1, i2, i3), shift, parent_last)]
                    parent = (around(field, parent_box, at) * w_parent) >> 16
                if before:
                    total = 0
                    for b in before:
                        x = b.extent
                        if i0 < x[0] and i1 < x[1] and i2 < x[2] and i3 < x[3]:
                            total += around(field, b.box, (i0, i1, i2, i3))
                    cousin = (total * w_cousin) >> 16
                known.append((i3, parent, cousin, near_others(codes, o, row_at + i3, i0, i1, i2, i3, extent)))
            place = 16
            if with_runs:
                least = []
                for _, parent, cousin, others in known:
                    near = (others * w_near) >> 16
                    least.append(((8 * near + parent + 2 * cousin) * expected_scale) >> 16)
                much = class47(sum(least))
                left = held.get((i0, i1, i2, run - 1), 1)
                up = held.get((i0, i1, i2 - 1, run), 1)
                right = held.get((i0, i1, i2 - 1, run + 1), 1)
                plane = held.get((i0, i1 - 1, i2, run), 1)
                above = beside = after = 1
                if band.parent:
                    at = [min(i >> s, m) for i, s, m in zip((i0, i1, i2, 16 * run), shift, parent_last)]
                    above = field.holds(parent_box, at[0], at[1], at[2], at[3] >> 4)
                if before:
                    beside = max(field.holds(b.box, i0, i1, i2, run) for b in before)
                    if run + 1 < per_row:
                        after = max(field.holds(b.box, i0, i1, i2, run + 1) for b in before)
                ahead = min(5, (left + up + plane + 1) // 2)
                slots = (
                    4 * much + left,
                    64 * left + 16 * up + 4 * right + plane,
                    8 * (16 * lv + orientation) + min(7, much // 2),
                    64 * ahead + 16 * above + 4 * beside + after,
                )
                if guide:
                    bits = None
                    if any(class47((10 * x) >> 8) == 0 for x in least):
                        asked = [guide.ask((i0, i1, i2, i3), p, c, 16, alone=True) for i3, p, c, _ in known]
                        bits = sum(guided.BITS[z] for z, _ in asked)
                    slots = guided.run_slots(bits, slots)
                if not runs.bit(ahead, slots):
                    held[i0, i1, i2, run] = 0
                    integers.extend([0] * len(known))
                    for _ in known:
                        state = trellis.NEXT[state][0]
                    continue
                place = 0
            for i3, parent, cousin, others in known:
                at = row_at + i3
                w = codes[at - 1] if i3 else 0
                near = others + 4 * abs(w) + (abs(codes[at - 2]) if i3 > 1 else 0)
                near = (near * w_near) >> 16
                expected = ((8 * near + parent + 2 * cousin) * expected_scale) >> 16
                here = i3 - 16 * run if place < 16 else 16
                start = class47((10 * expected) >> 8)
                e = class47(expected)
                w = field.steps(w)
                u = field.steps(codes[at - o[2]]) if i2 else 0
                t = field.steps(codes[at - o[1]]) if i1 else 0
                v = field.steps(codes[at - o[0]]) if i0 else 0

                def rel(x):
                    return min(15, max(0, class47(x) + 8 - e))

                if start < 3:
                    second = ((min(abs(w), 4) * 5 + min(abs(u), 4)) * 5 + min(abs(t), 4)) * 3 + start
                else:
                    second = 1024 + 16 * e + rel(16 * abs(w))
                slots = (
                    16 * e + rel(near), second, 17 * e + here, (4 * e + lv) * 16 + orientation,
                    16 * e + rel(parent), 16 * e + rel(cousin),
                )
                signs = (
                    (9 * sg(w) + 3 * sg(u) + sg(t)) * 16 + orientation,
                    9 * sg(w) + 3 * sg(u) + sg(v),
                    0,
                )
                weight_set = e + 48 if here < 16 and coding != ONE_CONTEXT else e
                if guide and start == 0:
                    z, y = guide.ask((i0, i1, i2, i3), parent, cousin, here)
                    slots = (slots[0], *guided.slots(z, y, here, lv, orientation), *slots[4:])
                    weight_set = guided.weight_set(z, here)
                if state % 2:
                    slots = [s + more for s, more in zip(slots, shifted[0])]
                    weight_set += shifted[1]
                q = coder.integer(slots, start, weight_set, signs, e + 8)
                codes[at] = clamp_code(q)
                if field.halves:
                    codes[at] = trellis.code(codes[at], state % 2)
                if codes[at]:
                    place = 16
                if band.is_low:
                    q += left_of(numbers, (i0, i1, i2, i3))
                q = limited(q)
                if band.is_low:
                    numbers[i0, i1, i2, i3] = q
                elif field.halves:
                    state = trellis.NEXT[state][abs(q) % 2]
                integers.append(q)
            held[i0, i1, i2, run] = field.holds(band.box, i0, i1, i2, run)
    return integers


def inverse(values, n, t, parameters):
    """§8.4.2, number 2."""
    for level in range(max(t), 0, -1):
        box = [halved(n[a], min(level - 1, t[a])) for a in range(4)]
        for a in range(4):
            if t[a] >= level:
                inverse_step(values[tuple(map(slice, box))], a, parameters.edges[a])
    for a in range(4):
        if parameters.first[a]:
            for level in range(parameters.levels[a], 0, -1):
                box = list(n)
                box[a] = halved(n[a], level - 1)
                inverse_step(values[tuple(map(slice, box))], a, parameters.edges[a])


def inverse_step(box, axis, edge):
    """One inverse step along an axis of a box."""
    lines = np.moveaxis(box, axis, 0)
    m = len(lines)
    if m < 2:
        return
    h = (m + 1) // 2
    g = m - h
    s, d = lines[:h].copy(), lines[h:].copy()
    even = m % 2 == 0

    def to_s(k, outside):
        wrap = edge == 1 and even
        before = np.concatenate([d[g - 1 :] if wrap else d[:1], d])[:h]
        after = d if even else np.concatenate([d, d[g - 1 :]])
        new = s + (-k) * (before + after)
        if edge == 2:
            new[0] = s[0] * outside
            if not even:
                new[h - 1] = s[h - 1] * outside
        s[:] = new

    def to_d(k):
        after = s[1:]
        if even:
            after = np.concatenate([after, s[:1] if edge == 1 else s[h - 1 :]])
        new = d + (-k) * (s[:g] + after[:g])
        if even and edge == 2 and h > 1:
            new[g - 1] = d[g - 1] + (-k) * (((s[h - 1] + s[h - 1]) + s[h - 1]) - s[h - 2])
        d[:] = new

    to_s(DELTA, 1.0)
    to_d(GAMMA)
    to_s(BETA, 0.8128930661159611)
    to_d(ALPHA)
    lines[0::2] = s
    lines[1::2] = d


def activity(field, layout, level):
    """§8.4.5: the activity of every point, in C order."""
    n, t, first = layout.n, layout.t, layout.parameters.first
    shift = [min(layout.parameters.levels[a], 1) if first[a] else min(t[a], level) for a in range(4)]
    extent = [((n[a] - 1) >> shift[a]) + 1 for a in range(4)]
    flat = max(t) == 0
    taken = []
    for band in layout.bands:
        if flat or (band.level == level and band.orientation):
            if all(not first[a] or band.scales[a] <= level + 1 for a in range(4)):
                taken.append(band)
    scale = per16(sum(around_weight(b.box) for b in taken))
    cells = np.zeros(extent, np.int64)
    for cell in product(*map(range, extent)):
        total = 0
        for b in taken:
            at = [min(i >> (k - s), e - 1) for i, k, s, e in zip(cell, b.scales, shift, b.extent)]
            total += around(field, b.box, at)
        cells[cell] = min(19, class47((total * scale) >> 16))
    at = [np.minimum(np.arange(n[a]) >> shift[a], extent[a] - 1) for a in range(4)]
    return cells[np.ix_(*at)].ravel().tolist()
