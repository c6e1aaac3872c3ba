"""SPEC.md §7.7, §7.8 and §8.7: the tabled base."""
from itertools import product

from bases import SCHEDULES
from container import need
from entropy import Counters, Residuals, log_class

SYMBOLS, ONE, CERTAIN = 160, 4096, 15


def wrap(x):
    """An integer of 32 bits."""
    return ((x + 0x80000000) & 0xFFFFFFFF) - 0x80000000


def read_tables(dec, count):
    """§7.7: how tables are told; each as the symbols of its 4096 slots, with frequencies and starts."""
    sets = {}
    tables = []
    above = None
    for t in range(count):
        told, left, p = [], ONE, 0
        for s in range(SYMBOLS):
            if left == 0:
                told.append(0)
                continue
            a = log_class(above[s]) if t else 16
            key = min(31, (p + a) // 2 + 1) if t or s else "first"
            counters = sets.setdefault(key, Counters(32, 30))
            k = 0
            while k < 24 and counters.bit(dec, k):
                k += 1
            n = k // 2 - 1
            f = k if k < 4 else (2 | k & 1) << n | dec.raw(n)
            need(f <= left, "frequencies above 2^12")
            left -= f
            told.append(f)
            p = k
        need(left == 0, "frequencies below 2^12")
        tables.append(slots(told))
        above = told
    return tables


def slots(frequencies):
    out = []
    start = 0
    for s, f in enumerate(frequencies):
        out += [(s, f, start)] * f
        start += f
    return out


class Symbols:
    """§7.7: the stream of symbols."""

    def __init__(self, data):
        need(len(data) == 0 or (len(data) >= 16 and len(data) % 2 == 0), "a stream of symbols of an odd length")
        self.states = [int.from_bytes(data[4 * i : 4 * i + 4], "little") for i in range(4)] if data else [1 << 16] * 4
        self.words = [int.from_bytes(data[i : i + 2], "little") for i in range(16, len(data), 2)]
        self.next, self.turn = 0, 0

    def take(self, table):
        x = self.states[self.turn]
        symbol, f, start = table[x % ONE]
        x = (f * (x // ONE) + x % ONE - start) & 0xFFFFFFFF
        if x < 1 << 16:
            x = x << 16 | (self.words[self.next] if self.next < len(self.words) else 0)
            self.next += 1
        self.states[self.turn] = x
        self.turn = (self.turn + 1) % 4
        return symbol

    def check(self):
        need(self.states == [1 << 16] * 4 and self.next >= len(self.words), "symbols do not end where they should")


class Raw:
    """§7.8: the stream of raw bits."""

    def __init__(self, data):
        self.bits = int.from_bytes(data, "little")
        self.length, self.at = len(data), 0

    def integer(self, symbol):
        u = symbol
        if symbol >= 32:
            n = min(29, (symbol - 32) // 4 + 3)
            u = ((4 | (symbol - 32) & 3) << n | (self.bits >> self.at) & ((1 << n) - 1)) & 0xFFFFFFFF
            self.at += n
        return wrap(u // 2 if u % 2 == 0 else -(u // 2) - 1)

    def check(self):
        need((self.at + 7) // 8 == self.length, "raw bits are left over or missing")


class Rows:
    """§8.7.2: contexts, quiet blocks and codes of rows."""

    def __init__(self, dec, symbols, raw):
        self.dec, self.symbols, self.raw = dec, Symbols(symbols), Raw(raw)
        count = dec.raw(4)
        same, last = Counters(1, 60), 0
        self.of = []
        for _ in range(64):
            if not same.bit(dec, 0):
                last = dec.raw(4)
            need(last < max(1, count), "a table that is not there")
            self.of.append(last)
        tables = read_tables(dec, count)
        certain = [(0, ONE, 0)] * ONE
        self.of = [tables[t] if count else certain for t in self.of]
        self.certain = certain
        self.quiet = Counters(512)

    def begin(self):
        """A pass: nothing is known of planes before."""
        self.planes = []

    def plane(self):
        self.planes.append([])

    def row(self, kind, step, curve, masked):
        """The codes of the next row of the plane."""
        under_way = self.planes[-1]
        j = len(under_way)
        up = under_way[j - 1] if j else None
        back = self.planes[-2][j] if len(self.planes) > 1 else None
        n = len(curve)
        g = step.bit_length() - 1
        contexts = []
        for k in range(n):
            bent = max(0, 2 * min(curve[k], 1 << 24) >> g)
            around = []
            for r in (up, back):
                if r is not None:
                    m = r[0]
                    around.append((m[k - 1] if k else 0) + 2 * m[k] + (m[k + 1] if k + 1 < n else 0))
            e = bent
            if around:
                m = sum(around) * (2 if len(around) == 1 else 1)
                e = 2 * m + min(bent, 24 + m // 2)
            lg = (e + 1).bit_length() - 1
            h = (e + 1) >> (lg - 1) & 1 if lg else 0
            contexts.append(None if masked[k] else min(31, 2 * lg + h) + 32 * kind)
        codes, bits, x = [], [], 1
        for i, at in enumerate(range(0, n, 32)):
            block = contexts[at : at + 32]
            z = max(c or 0 for c in block)
            y = up[1][i] if up else 1
            w = back[1][i] if back else 1
            x = self.quiet.bit(self.dec, 8 * z + 4 * x + 2 * y + w)
            bits.append(x)
            if x:
                codes += [0] * len(block)
            else:
                told = [self.symbols.take(self.certain if c is None else self.of[c]) for c in block]
                codes += [self.raw.integer(s) for s in told]
        under_way.append(([min(8191, abs(q)) for q in codes], bits))
        return codes

    def check(self):
        self.symbols.check()
        self.raw.check()


def read_parameters(cur, read_float):
    """§8.7.1."""
    grid = read_float(cur), read_float(cur)
    need(grid[1] > 0, "a grid without a unit")
    step = cur.varint()
    need(0 < step < 1 << 26, "a step out of range")
    kind = cur.u8()
    order = None
    if kind & 128:
        need(1 <= kind & 127 <= 3, "differences along no such number of axes")
    else:
        packed = cur.u8()
        need(kind & 7 <= 4, "no such kind of interpolation")
        order = [packed >> 2 * k & 3 for k in range(kind & 7)]
        need(len(set(order)) == len(order), "an axis is listed twice")
    lengths = cur.varint(), cur.varint()
    return grid, step, kind, order, [cur.take(n) for n in lengths]


def decode(dec, n, mask, parameters):
    """The numbers of a chunk, on its grid."""
    (offset, unit), step, kind, order, streams = parameters
    rows = Rows(dec, *streams)
    o = [n[1] * n[2] * n[3], n[2] * n[3], n[3], 1]
    if kind & 128:
        numbers = lorenzo(rows, n, o, mask, step, kind & 127)
    else:
        numbers = interpolation(rows, n, o, mask, step, kind, order)
    rows.check()
    return [offset + unit * float(k) for k in numbers]


def interpolation(rows, n, o, mask, step, kind, axes):
    """§8.7.2."""
    alpha, beta = SCHEDULES[kind >> 3 & 7]
    widest = max((n[a] for a in axes), default=1)
    levels = (widest - 1).bit_length()

    def level_step(level):
        f = 1.0
        for _ in range(level - 1):
            f = f * (alpha / 16)
            if f > beta / 16:
                f = beta / 16
                break
        s = max(1, int(step / f))
        return s - 1 if step % 2 == 1 and s % 2 == 0 else s

    values = [0] * (n[0] * o[0])
    coder = Residuals(rows.dec, [64], True)
    r, t = 0, 0
    for index in product(*(range(1) if a in axes else range(n[a]) for a in range(4))):
        at = sum(i * k for i, k in zip(index, o))
        if not mask[at]:
            q = coder.integer((t,), max(0, t - 16), 0, (0, 0, 0))
            t = min(63, log_class(256 * abs(q)))
            r = wrap(r + q * level_step(max(1, levels)))
        values[at] = r
    for level in range(levels, 0, -1):
        s = 1 << (level - 1)
        for k, d in enumerate(axes):
            if n[d] <= s:
                continue
            start, steps = [0] * 4, [1] * 4
            start[d] = s
            for j, a in enumerate(axes):
                steps[a] = s if j < k else 2 * s
            other = int(level > 1 or k + 1 < len(axes))
            run_pass(rows, n, o, mask, values, d, s, start, steps, level_step(level), other, bool(kind & 64))
    return values


def run_pass(rows, n, o, mask, values, d, s, start, steps, step, kind, linear):
    rows.begin()
    so = s * o[d]
    for i0, i1 in product(*(range(start[a], n[a], steps[a]) for a in range(2))):
        rows.plane()
        for i2 in range(start[2], n[2], steps[2]):
            places, predictions, curves = [], [], []
            for i3 in range(start[3], n[3], steps[3]):
                at = i0 * o[0] + i1 * o[1] + i2 * o[2] + i3
                i = (i0, i1, i2, i3)[d]
                m1 = values[at - so]
                m3 = values[at - 3 * so] if i >= 3 * s else None
                p1 = values[at + so] if i + s < n[d] else None
                p3 = values[at + 3 * so] if i + 3 * s < n[d] else None
                p, curve = predict(m3, m1, p1, p3, linear)
                places.append(at)
                predictions.append(p)
                curves.append(curve)
            codes = rows.row(kind, step, curves, [mask[at] for at in places])
            for at, p, q in zip(places, predictions, codes):
                values[at] = wrap(p + q * step)


def predict(m3, m1, p1, p3, linear):
    """A prediction and its curve."""
    if p1 is None:
        if m3 is None:
            return m1, 0
        return wrap(3 * m1 - m3 + 1) >> 1, wrap(abs(wrap(m1 - m3)))
    near = wrap(abs(wrap(m1 - p1)))
    if m3 is not None and p3 is not None:
        curve = wrap(abs(wrap((m3 + p3) - (m1 + p1))))
        if linear:
            return wrap(m1 + p1 + 1) >> 1, curve
        return wrap(9 * (m1 + p1) - (m3 + p3) + 8) >> 4, curve
    if linear or (m3 is None and p3 is None):
        return wrap(m1 + p1 + 1) >> 1, near
    if p3 is None:
        return wrap(6 * m1 + 3 * p1 - m3 + 4) >> 3, near
    return wrap(6 * p1 + 3 * m1 - p3 + 4) >> 3, near


def lorenzo(rows, n, o, mask, step, axes):
    """§8.7.3."""
    values = [0] * (n[0] * o[0])
    rows.begin()
    for i0, i1 in product(range(n[0]), range(n[1])):
        rows.plane()
        for i2 in range(n[2]):
            first = i0 * o[0] + i1 * o[1] + i2 * o[2]
            codes = rows.row(0, 1, [0] * n[3], mask[first : first + n[3]])
            total = 0
            for i3, q in enumerate(codes):
                at = first + i3
                total += q
                base = 0
                up, back = axes >= 2 and i2 > 0, axes >= 3 and i1 > 0
                if up:
                    base += values[at - o[2]]
                if back:
                    base += values[at - o[1]]
                if up and back:
                    base -= values[at - o[1] - o[2]]
                values[at] = wrap(base + total)
    return [wrap(v * step) for v in values]
