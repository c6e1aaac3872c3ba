"""SPEC.md §7.5 and §8.1 to §8.3: interpolation, lorenzo, linear, centred and copies."""
import math
import struct
from itertools import product

import beside
from container import need
from entropy import Counters, residual_coder, clamp_code, log_class, magnitude_class
from priors import GUIDED, INTERPOLATION, RASTER

MAGIC = 6755399441055744.0
SCHEDULES = [(16, 16), (18, 24), (20, 32), (24, 48), (24, 64), (28, 96), (32, 64), (32, 128)]
TAPS = [
    (0, 0, 0, -1), (0, 0, -1, 0), (0, 0, -1, -1), (0, 0, -1, 1), (0, 0, 0, -2), (0, 0, -2, 0),
    (0, 0, -1, 2), (0, 0, -1, -2), (0, 0, -2, -1), (0, 0, -2, 1), (0, 0, 0, -3), (0, -1, 0, 0),
    (0, -1, 0, -1), (0, -1, 0, 1), (0, -1, -1, 0), (0, -1, 1, 0), (0, -1, -1, -1), (0, -1, -1, 1),
    (0, -1, 1, 1), (0, -1, 1, -1), (0, -2, 0, 0), (-1, 0, 0, 0), (-1, 0, 0, 1), (-1, 0, 1, 0),
]


def round_even(x):
    return (x + MAGIC) - MAGIC


def fine(v, inverse):
    """§7.5: a difference in units of 1/256 step."""
    x = (v * inverse) * 256.0
    if x != x or x >= 268435456.0:
        return 1 << 28
    return int(x)


def sg(x):
    return 2 if x > 0 else 1 if x == 0 else 0


def k63(v):
    return min(63, magnitude_class(v))


class Chunk:
    """Values and codes of a chunk, and the coder of §7.5."""

    def __init__(self, dec, n, skip, lattice, coding, place, slots=(1024, 64, 1024, 4096, 1024, 4096), companions=False):
        self.dec, self.n, self.skip, self.lattice = dec, n, skip, lattice
        self.o = [n[1] * n[2] * n[3], n[2] * n[3], n[3], 1]
        count = n[0] * self.o[0]
        self.values = [0.0] * count
        self.codes = [0] * count
        self.row_bits = Counters(128)
        self.coder = residual_coder(dec, list(slots), coding, place, companions)
        d = 3 if n[1] > 1 else 2
        t = 10 * d + 7
        self.a, self.b, self.c, self.m = 40960 // t, 28672 // t, 12288 // t, 4096 // d

    def put(self, at, prediction, step, q):
        """The value of a point; q is None where nothing is coded."""
        p = round_even(prediction) if self.lattice else prediction
        self.values[at] = p if q is None else p + step * float(q)
        self.codes[at] = clamp_code(q or 0)

    def code(self, near, parents, curve, grad, place, signs, w, u, b, scale=0, told=None):
        """The integer of a point, from its surroundings."""
        e = (near * self.a + parents * self.b + curve * self.c) >> 12
        if scale:
            e = (1419, 1688, 2007, 2387)[scale % 4] << scale // 4 >> 6
        ke = k63(e)
        kx = 64 + scale if scale else ke

        def rel(v):
            return min(15, max(0, k63(v) + 8 - ke))

        scaled = (near * self.m) >> 12
        start = magnitude_class((10 * e) >> 12)
        if start < 3:
            last = ((min(abs(w), 4) * 5 + min(abs(u), 4)) * 5 + min(abs(b), 4)) * 3 + start
        else:
            last = 1024 + 16 * kx + rel(grad)
        e16 = 16 * kx
        slots = (e16 + rel(scaled), kx, e16 + rel(curve), last, e16 + rel(parents >> 1), 64 * kx + place)
        s = 9 * sg(w) + 3 * sg(u) + sg(b)
        third, more = 0, ()
        if told:
            slots, third, aside = beside.contexts(slots, told, ke, kx, scale, rel, s)
            more = (aside,)
        signs = (64 * s + place, 9 * s + signs, third)
        return self.coder.integer(slots, start, min(48, k63(scaled)) >> 1, signs, ke, *more)


def near_code(codes, at, o, index, start, steps, n):
    """near, in units of 1/256, and the codes w, u, b."""
    i0, i1, i2, i3 = index
    before3 = i3 - steps[3] >= start[3]
    before2 = i2 - steps[2] >= start[2]
    before1 = i1 - steps[1] >= start[1]
    d3, d2, d1 = steps[3], steps[2] * o[2], steps[1] * o[1]
    w = codes[at - d3] if before3 else 0
    u = codes[at - d2] if before2 else 0
    b = codes[at - d1] if before1 else 0
    c0 = codes[at - steps[0] * o[0]] if i0 - steps[0] >= start[0] else 0
    c1 = codes[at - d2 + d3] if before2 and i3 + steps[3] < n[3] else 0
    c2 = codes[at - d1 + d2] if before1 and i2 + steps[2] < n[2] else 0
    return 256 * (abs(u) + abs(b) + abs(c0) + abs(w)) + 128 * (abs(c1) + abs(c2)), w, u, b


def interpolation(dec, n, skip, parameters, lattice, coding, guide=None, companions=None):
    """§8.2, §8.8 with a guide, and §8.10 with companions."""
    base_step, order, kind, fitted = parameters
    listed = kind & 7
    need(listed <= 4 and kind < 128, "no such kind of interpolation")
    axes = [order >> 2 * k & 3 for k in range(listed)]
    need(len(set(axes)) == listed, "an axis is listed twice")
    alpha, beta = SCHEDULES[kind >> 3 & 7]
    linear_kind = bool(kind & 64)
    widest = max((n[a] for a in axes), default=1)
    levels = 0
    while 1 << levels < widest:
        levels += 1

    def level_step(level):
        f = 1.0
        for _ in range(level - 1):
            f = f * (alpha / 16)
            if f > beta / 16:
                f = beta / 16
                break
        step = float(base_step) / f
        if lattice:
            step = max(1, int(step))
            if base_step % 2 == 1 and step % 2 == 0:
                step -= 1
        return float(step)

    slots = (2048, 128, 2048, 4096, 2048, 8192) if guide else (1024, 64, 1024, 4096, 1024, 4096)
    chunk = Chunk(dec, n, skip, lattice, coding, GUIDED if guide else INTERPOLATION, slots, bool(companions))
    step = level_step(max(levels, 1))
    prediction, t = 0.0, 0
    o = chunk.o
    for index in product(*(range(1) if a in axes else range(n[a]) for a in range(4))):
        at = sum(i * k for i, k in zip(index, o))
        q = None
        if skip[at]:
            t = 0
        else:
            q = chunk.coder.integer((t,) * 6, max(0, t - 16), 0, (0, 0, 0), t)
            t = min(63, log_class(256 * abs(q)))
        chunk.put(at, prediction, step, q)
        prediction = chunk.values[at]
    for level in range(levels, 0, -1):
        s = 1 << (level - 1)
        for k, d in enumerate(axes):
            if n[d] > s:
                start, steps = [0] * 4, [1] * 4
                start[d] = s
                for j, a in enumerate(axes):
                    steps[a] = s if j < k else 2 * s
                asked = guide if guide and level <= guide.levels else None
                if asked:
                    asked.enter(level, d, s, start, steps, level_step(level), axes, n, o, chunk.values, chunk.codes)
                step = level_step(level)
                run_pass(chunk, level, d, s, start, steps, step, level <= fitted, linear_kind, asked, companions)
    return chunk.values


def run_pass(chunk, level, d, s, start, steps, step, fitted, linear_kind, guide, companions):
    """One pass of §8.2."""
    dec, n, o = chunk.dec, chunk.n, chunk.o
    values, codes, skip = chunk.values, chunk.codes, chunk.skip
    weights = [(dec.raw(8) - 128) * 2.0**-6 for _ in range(10)] if fitted else None
    inverse = 1.0 / step
    plain = {}
    x, ys = 1, {}
    so = s * o[d]
    place = 4 * min(level, 15) + d
    columns = range(start[3], n[3], steps[3])
    if companions:
        companions.enter(d, s, start, steps, n, o, step, linear_kind, skip)
        companions.read_weights(dec, level)
    for i0, i1, i2 in product(*(range(start[a], n[a], steps[a]) for a in range(3))):
        row = []
        for i3 in columns:
            index = (i0, i1, i2, i3)
            at = i0 * o[0] + i1 * o[1] + i2 * o[2] + i3
            p, bend, grad, curve, has_p1 = plain_of(values, index, at, d, s, so, n, linear_kind)
            plain[at] = p
            if weights:
                if weights[0]:
                    p = p + weights[0] * bend
                p = correct(p, weights, values, plain, at, index, d, so, start, steps, n, o, has_p1)
            if companions:
                p = companions.fitted(p, at, index)
            # The correction by the point before in the row waits until that point has its value.
            row.append((at, index, p, curve, grad, has_p1))
        empty = False
        if len(row) >= 16:
            r = None
            z = 0
            for at, _, _, curve, _, _ in row:
                if curve == curve and (r is None or curve > r):
                    r = curve
                if codes[at - so]:
                    z = 1
            y = ys.get(i2, 1)
            c = ((2 * x + y) * 2 + z) * 16 + min(47, magnitude_class(fine(0.0 if r is None else r, inverse))) // 3
            x = chunk.row_bits.bit(dec, c)
            ys[i2] = x
            empty = bool(x)
        left = None
        for at, index, p, curve, grad, has_p1 in row:
            if weights:
                p = p + weights[7] * (0.0 if left is None else values[left] - plain[left])
            q = None
            scale = 0
            without, told = p, None
            if companions and not empty:
                p = p + companions.correction(at, index)
                told = companions.told(at, inverse)
            if guide and not empty:
                correction, scale = guide.point(at, index, lambda i: values[i] - plain[i], p - plain[at])
                p = p + correction
            if not empty and not skip[at]:
                near, w, u, b = near_code(codes, at, o, index, start, steps, n)
                before = codes[at - so]
                if has_p1:
                    after = codes[at + so]
                    parents, signs = 256 * (abs(before) + abs(after)), 3 * sg(before) + sg(after)
                else:
                    parents, signs = 512 * abs(before), 4 * sg(before)
                q = chunk.code(near, parents, fine(curve, inverse), fine(grad, inverse), place, signs, w, u, b, scale, told)
            chunk.put(at, p, step, q)
            if companions and not empty:
                companions.missed[at] = values[at] - without
            left = at


def plain_of(values, index, at, d, s, so, n, linear_kind):
    """Step 1 of §8.2: plain interpolation, bend, grad and curve, and whether there is a point at s."""
    i = index[d]
    v1 = values[at - so]
    has_p1, has_m3, has_p3 = i + s < n[d], i - 3 * s >= 0, i + 3 * s < n[d]
    m3 = values[at - 3 * so] if has_m3 else 0.0
    p1 = values[at + so] if has_p1 else 0.0
    p3 = values[at + 3 * so] if has_p3 else 0.0
    bend = 0.0
    if not has_p1:
        p = 1.5 * v1 - 0.5 * m3 if has_m3 else v1
        grad = curve = 0.0
    else:
        grad = curve = abs(v1 - p1)
        if has_m3 and has_p3:
            bend = (m3 + p3) - (v1 + p1)
            curve = abs(bend)
        if linear_kind or not (has_m3 or has_p3):
            p = 0.5 * (v1 + p1)
        elif has_m3 and has_p3:
            p = (9.0 * (v1 + p1) - (m3 + p3)) * 0.0625
        elif has_m3:
            p = ((6.0 * v1 + 3.0 * p1) - m3) * 0.125
        else:
            p = ((3.0 * v1 + 6.0 * p1) - p3) * 0.125
    return p, bend, grad, curve, has_p1


def correct(p, weights, values, plain, at, index, d, so, start, steps, n, o, has_p1):
    """The corrections of a prediction, but the first and the last."""
    if has_p1:
        for a in range(4):
            weight = 0.0 if a == d else weights[1 + a if a < d else a]
            if weight == 0:
                continue
            t = steps[a]
            if index[a] - t >= start[a] and index[a] + t < n[a]:
                m, q = at - t * o[a], at + t * o[a]
                around = (values[m - so] + values[m + so]) + (values[q - so] + values[q + so])
                feature = 0.25 * around - 0.5 * (values[at - so] + values[at + so])
                p = p + weight * feature
    before = [index[a] - steps[a] >= start[a] for a in range(4)]
    for a in range(3):
        if before[a] and weights[4 + a]:
            j = at - steps[a] * o[a]
            p = p + weights[4 + a] * (values[j] - plain[j])
    if before[2]:
        up = at - steps[2] * o[2]
        if before[3] and weights[8]:
            j = up - steps[3]
            p = p + weights[8] * (values[j] - plain[j])
        if index[3] + steps[3] < n[3] and weights[9]:
            j = up + steps[3]
            p = p + weights[9] * (values[j] - plain[j])
    return p


def lorenzo(dec, n, skip, parameters, lattice, coding):
    """§8.3."""
    step, axes = parameters
    need(axes <= 4, "too many axes")
    weights = []
    for tap in TAPS:
        fits = all(v in (0, -1) and (v == 0 or a >= 4 - axes) for a, v in enumerate(tap))
        weights.append((1.0 if sum(tap) % 2 else -1.0) if fits else 0.0)
    return raster(Chunk(dec, n, skip, lattice, coding, RASTER), weights, float(step))


def linear(dec, n, skip, parameters, lattice, coding):
    """§8.3."""
    weights = [(dec.raw(16) - 32768) * 2.0**-12 for _ in TAPS]
    return raster(Chunk(dec, n, skip, lattice, coding, RASTER), weights, float(parameters[0]))


def centred(dec, n, skip, parameters, lattice, coding):
    """§8.3."""
    centre = struct.unpack("<d", (dec.raw(32) << 32).to_bytes(8, "little"))[0]
    weights = [(dec.raw(16) - 32768) * 2.0**-12 for _ in TAPS]
    chunk = Chunk(dec, n, skip, lattice, coding, RASTER)
    return raster(chunk, weights, float(parameters[0]), centre if math.isfinite(centre) else 0.0)


def copies(dec, n, skip, parameters, lattice, coding):
    """§8.3."""
    weights = [(dec.raw(16) - 32768) * 2.0**-12 for _ in TAPS]
    return raster(Chunk(dec, n, skip, lattice, coding, RASTER), weights, float(parameters[0]), copies=Copies(dec, n))


class Copies:
    """§8.3: points that are what a neighbour is."""

    def __init__(self, dec, n):
        self.dec, self.counters, self.m = dec, Counters(4 * 4096), [0] * math.prod(n)

    def source(self, neighbours, values):
        """The neighbour that a point is a copy of, if it is one."""
        context = sum(self.m[j] << 4 * k for k, j in neighbours if k < 3)
        turned_down = []
        for k, j in neighbours:
            if values[j] in turned_down:
                continue
            if self.counters.bit(self.dec, 4096 * k + context):
                return j
            turned_down.append(values[j])
        return None

    def keep(self, at, neighbours, values):
        """Which neighbours it turned out to be like."""
        self.m[at] = sum(1 << k for k, j in neighbours if values[j] == values[at])


def raster(chunk, weights, step, centre=None, copies=None):
    """All points in C order."""
    n, o, values, codes, skip = chunk.n, chunk.o, chunk.values, chunk.codes, chunk.skip
    n0, n1, n2, n3 = n
    used = []
    for k, (w, tap) in enumerate(zip(weights, TAPS)):
        if w and k not in (0, 4, 10):
            used.append((w, *tap, sum(v * j for v, j in zip(tap, o))))
    w0, w4, w10 = weights[0], weights[4], weights[10]
    inverse = 1.0 / step
    row = o[2]
    zero, one = (0, 0, 0, 0), (1, 1, 1, 1)
    at = -1
    for index in product(range(n0), range(n1), range(n2), range(n3)):
        i0, i1, i2, i3 = index
        at += 1
        if copies and not skip[at]:
            neighbours = [(k, at - o[3 - k]) for k in range(4) if index[3 - k] and not skip[at - o[3 - k]]]
            source = copies.source(neighbours, values)
            if source is not None:
                values[at], codes[at] = values[source], codes[source]
                copies.keep(at, neighbours, values)
                continue
        if centre is not None:
            anchor = centre
        elif i3:
            anchor = values[at - 1]
        elif i2:
            anchor = values[at - row]
        elif i1:
            anchor = values[at - o[1]]
        else:
            anchor = values[at - o[0]] if i0 else 0.0
        total = weight = 0.0
        for w, a, b, c, d, j in used:
            if i0 + a >= 0 and 0 <= i1 + b < n1 and 0 <= i2 + c < n2 and 0 <= i3 + d < n3:
                total = total + w * values[at + j]
                weight = weight + w
        p = anchor + (total - weight * anchor)
        if centre is not None and i3 >= 1:
            p = p + w0 * (values[at - 1] - anchor)
        if i3 >= 2:
            p = p + w4 * (values[at - 2] - anchor)
        if i3 >= 3:
            p = p + w10 * (values[at - 3] - anchor)
        q = None
        if not skip[at]:
            near, w, u, b = near_code(codes, at, o, index, zero, one, n)
            parents = (abs(codes[at - 2]) if i3 >= 2 else 0) + (abs(codes[at - row - 1]) if i2 and i3 else 0)
            curve = grad = 0
            if i2 and i3:
                v1, v2 = values[at - row], values[at - row - 1]
                v3 = values[at - row + 1] if i3 + 1 < n3 else v1
                curve = fine(abs(v1 - v3), inverse)
                x, y = abs(v2 - values[at - 1]), abs(v1 - v2)
                grad = fine(y if x != x or y > x else x, inverse)
            q = chunk.code(near, 256 * parents, curve, grad, 0, 4, w, u, b)
        chunk.put(at, p, step, q)
    return values
