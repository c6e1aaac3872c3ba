"""SPEC.md §7: the range decoder, counters, mixers, integers and masks."""


from primed import PRIMED


class Corrupt(Exception):
    """The bytes break a rule of the format."""


class Unsupported(Exception):
    """The bytes belong to a version or base that this reader does not know."""


M64 = (1 << 64) - 1
LIMIT = 2815


def _tables():
    half, e = [], 1 << 32
    for _ in range(LIMIT + 1):
        half.append(min(65535, (1 << 48) // ((1 << 32) + e)))
        e = (e * 4278222805) >> 32
    squash = [65536 - half[k] for k in range(LIMIT, 0, -1)] + half
    stretch, d = [], -LIMIT
    for i in range(4096):
        while d < LIMIT and squash[d + LIMIT] < 16 * i + 8:
            d += 1
        stretch.append(d)
    return squash, stretch


SQUASH, STRETCH = _tables()
RECIPROCAL = [131072 // (2 * n + 3) for n in range(1024)]
RATE = [320 // (8 + n) for n in range(128)]


# §4: how integers are coded.
FULL_MIX, ONE_CONTEXT, MIXTURE, ZEROS_FIRST = range(4)


def log_class(m):
    """The class of a magnitude, without the limit at 62."""
    if m < 4:
        return m
    lg = m.bit_length() - 1
    return 2 * lg + ((m >> (lg - 1)) & 1)


def magnitude_class(m):
    """§7.4: the class of a magnitude."""
    return log_class(m) if m < 1 << 31 else 62


class Decoder:
    """§7.1: a range decoder."""

    def __init__(self, data):
        data = bytes(data) + bytes(-len(data) % 4)
        self.words = [int.from_bytes(data[i : i + 4], "big") for i in range(0, len(data), 4)]
        self.next = 0
        self.lower, self.range = 0, M64
        high = self._word()
        self.point = high << 32 | self._word()

    def _word(self):
        i = self.next
        self.next = i + 1
        return self.words[i] if i < len(self.words) else 0

    def _quantile(self):
        quantile = ((self.point - self.lower) & M64) // (self.range >> 16)
        if quantile >= 65536:
            raise Corrupt("the stream breaks the range coder")
        return quantile

    def _take(self, left, p):
        scale = self.range >> 16
        self.lower = (self.lower + scale * left) & M64
        self.range = scale * p
        if self.range < 1 << 32:
            self.lower = (self.lower << 32) & M64
            self.range <<= 32
            self.point = ((self.point << 32) & M64) | self._word()

    def bit(self, p1):
        if self._quantile() < p1:
            self._take(0, p1)
            return 1
        self._take(p1, 65536 - p1)
        return 0

    def symbol(self, above):
        """One of 16 symbols; above[i] is the probability of those above symbol i."""
        quantile = self._quantile()
        symbol = sum(a > quantile for a in above)
        left = above[symbol]
        self._take(left, (above[symbol - 1] if symbol else 65536) - left)
        return symbol

    def raw(self, n):
        value = 0
        while n > 0:
            k = min(16, n)
            symbol = self._quantile() >> (16 - k)
            self._take(symbol << (16 - k), 1 << (16 - k))
            value = value << k | symbol
            n -= k
        return value


class Counters:
    """§7.3: an array of counters."""

    def __init__(self, n, limit=255):
        self.p = [1 << 21] * n
        self.n = [0] * n
        self.limit = limit

    def learn(self, i, bit):
        p, n = self.p[i], self.n[i]
        self.p[i] = p + ((((4194303 if bit else 0) - p) * RECIPROCAL[n]) >> 16)
        if n < self.limit:
            self.n[i] = n + 1

    def bit(self, dec, i):
        bit = dec.bit(max(1, self.p[i] >> 6))
        self.learn(i, bit)
        return bit


def wrap32(x):
    return ((x + 0x80000000) & 0xFFFFFFFF) - 0x80000000


class Mixer:
    """§7.3: weight sets, made when first used."""

    def __init__(self, n, start, first=None):
        self.start = [start] * n
        if first is not None:
            self.start[0] = first
        self.sets = {}

    def bit(self, dec, key, tables, slots):
        found = self.sets.get(key)
        if found is None:
            found = self.sets[key] = [list(self.start), 0]
        weights, seen = found
        logits = [STRETCH[t.p[i] >> 10] for t, i in zip(tables, slots)]
        total = 0
        for w, x in zip(weights, logits):
            total += (w >> 4) * x
        d = wrap32(total) >> 12
        d = -LIMIT if d < -LIMIT else LIMIT if d > LIMIT else d
        p1 = SQUASH[d + LIMIT]
        bit = dec.bit(p1)
        e = ((bit * 65536 - p1) * (6 + RATE[seen >> 3]) + 32) >> 6
        found[1] = min(1023, seen + 1)
        for i, x in enumerate(logits):
            weights[i] = wrap32(weights[i] + ((x * e + 2048) >> 12))
        for t, i in zip(tables, slots):
            t.learn(i, bit)
        return bit


class Residuals:
    """§7.4: a residual coder. Slots beyond its contexts are ignored."""

    def __init__(self, dec, slots, coding=FULL_MIX):
        self.dec = dec
        self.tables = [Counters(32 * n) for n in (slots[:1] if coding == ONE_CONTEXT else slots)]
        self.n = len(self.tables)
        self.mixer = Mixer(self.n, 117964 // self.n)
        self.mantissas = Counters(64 * 16)
        self.signs = [Counters(4096) for _ in range(3)]
        self.sign_mixer = Mixer(3, 26000)

    def _decide(self, bin_, slots, weight_set):
        if self.n == 1:
            return self.tables[0].bit(self.dec, slots[0] * 32 + bin_)
        at = [s * 32 + bin_ for s in slots]
        return self.mixer.bit(self.dec, weight_set * 32 + bin_, self.tables, at)

    def integer(self, slots, start, weight_set, signs, expected=0):
        dec = self.dec
        k = start
        if self._decide(0, slots, weight_set):
            k += 1
            bin_ = 1
            while k < 62 and self._decide(bin_, slots, weight_set):
                k += 1
                bin_ = min(15, bin_ + 1)
        else:
            bin_ = 16
            while k > 0 and self._decide(bin_, slots, weight_set):
                k -= 1
                bin_ = min(31, bin_ + 1)
        if k == 0:
            return 0
        negative = self.sign_mixer.bit(dec, 0, self.signs, signs)
        if k < 4:
            m = k
        elif k >= 62:
            m = dec.raw(64)
        else:
            m = 2 + (k & 1)
            rest = (k >> 1) - 1
            if rest > 0:
                m = m << 1 | self.mantissas.bit(dec, 16 * k + min(15, max(0, k + 8 - start)))
                m = m << (rest - 1) | dec.raw(rest - 1)
        q = -m if negative else m
        return q if k < 62 else ((q + (1 << 63)) & M64) - (1 << 63)


def row(expected):
    """§7.9: the row of the table for an expected class."""
    return PRIMED[expected if expected < 30 else 28 + expected % 2]


def first_row(expected, nonzero):
    """What a distribution starts from; of integers that are not 0 where that is known."""
    first = row(expected)
    return [65535 * a // first[0] for a in first[1:]] + [0] if nonzero else list(first)


class Mixture:
    """§7.9: a mixture coder. Slots beyond its four contexts are ignored; with companions it has six (§8.10.3)."""

    def __init__(self, dec, slots, zeros_first, companions=False):
        self.dec = dec
        self.zeros_first = zeros_first
        self.contexts = 6 if companions else 4
        if zeros_first:
            self.zeros = [Counters(n) for n in slots[: self.contexts]]
            self.mixer = Mixer(4, 29491)
        if companions:
            self.mixer.start = [24000] * 4 + [13000] * 2
            self.sign_mixer = Mixer(3, 26000)
        self.parts = [{} for _ in range(self.contexts)]
        self.weights = {}
        self.signs = [Counters(4096) for _ in range(3 if companions else 2)]
        self.above, self.below, self.zero = Counters(16), Counters(16), Counters(1)

    def _count(self, counters, most):
        k = 0
        while k < most and counters.bit(self.dec, min(k, 15)):
            k += 1
        return k

    def _is_zero(self, slots, weight_set, expected, aside):
        second, at = self.zeros[1], slots[1]
        if second.n[at] == 0:
            second.p[at], second.n[at] = 64 * (65536 - row(expected)[0]), 3
        first = other = second.p[at]
        if aside:
            slot, there = aside
            other = second.p[slot] if second.n[slot] else 64 * (65536 - row(there)[0])
        for k, (table, slot) in enumerate(zip(self.zeros, slots)):
            if table.n[slot] == 0:
                table.p[slot], table.n[slot] = first if k < 4 else other, 3
        return self.mixer.bit(self.dec, weight_set, self.zeros, slots)

    def _symbol(self, slots, weight_set, expected, aside, nonzero=False):
        second = self.parts[1].get(slots[1])
        if second is None:
            second = self.parts[1][slots[1]] = [first_row(expected, nonzero), 3]
        first = other = second[0]
        if aside:
            known = self.parts[1].get(aside[0])
            other = first_row(aside[1], nonzero) if known is None else known[0]
        parts = []
        for k, (table, slot) in enumerate(zip(self.parts, slots)):
            part = table.get(slot)
            if part is None:
                part = table[slot] = [list(first if k < 4 else other), 3]
            parts.append(part)
        equal = ((65536 - 36) << 14) // self.contexts
        weights = self.weights.setdefault(weight_set, [[equal] * self.contexts, 0])
        scaled = [w >> 14 for w in weights[0]]
        above = [
            2 * (15 - i) + sum((part[0][i] * w) >> 16 for part, w in zip(parts, scaled)) for i in range(16)
        ]
        symbol = self.dec.symbol(above)
        share = []
        for part, w in zip(parts, scaled):
            left = part[0][symbol - 1] if symbol else 65536
            share.append(w * (left - part[0][symbol] + 1))
        inverse = (1 << 47) // max(1, sum(share))
        rate = min(6, 3 + (weights[1] >> 4))
        weights[1] += rate < 6
        for i in range(self.contexts):
            s = (share[i] * inverse) >> 17
            s -= s >> 10
            weights[0][i] += (s - weights[0][i]) >> rate
        for part in parts:
            rate = RECIPROCAL[part[1]]
            for i in range(16):
                flip = 65535 if i < symbol else 0
                x = part[0][i] ^ flip
                part[0][i] = max(0, x - max(1, (x * rate) >> 16)) ^ flip
            part[1] = min(127, part[1] + 1)
        return symbol

    def integer(self, slots, start, weight_set, signs, expected, aside=None):
        dec = self.dec
        if self.contexts == 6 and aside is None:
            aside = 0, 0
        low = max(0, expected - 27)
        zeros_first = self.zeros_first and start == 0
        if zeros_first:
            if self._is_zero(slots, weight_set, expected, aside):
                return 0
            low = 1
        symbol = self._symbol(slots, weight_set, expected, aside, zeros_first)
        k = low + symbol
        if symbol == 15:
            k += self._count(self.above, 62 - k)
        elif symbol == 0 and low > 0 and not zeros_first:
            k = 0 if self.zero.bit(dec, 0) else low - self._count(self.below, low - 1)
        if k == 0:
            return 0
        if self.contexts == 6:
            negative = self.sign_mixer.bit(dec, 0, self.signs, signs)
        else:
            a, b = (max(1, t.p[i] >> 6) for t, i in zip(self.signs, signs))
            negative = dec.bit((a + b) >> 1)
            for t, i in zip(self.signs, signs):
                t.learn(i, negative)
        if k < 4:
            m = k
        elif k >= 62:
            m = dec.raw(64)
        else:
            n = (k >> 1) - 1
            m = (2 + (k & 1)) << n | dec.raw(n)
        q = -m if negative else m
        return q if k < 62 else ((q + (1 << 63)) & M64) - (1 << 63)


def residual_coder(dec, slots, coding, place, companions=False):
    """The coder of a base, by the flags of the chunk, with the states of its place."""
    if coding in (MIXTURE, ZEROS_FIRST):
        mixture = Mixture(dec, slots, coding == ZEROS_FIRST, companions)
        coding.start(place, mixture)
        return mixture
    return Residuals(dec, slots, coding)


def clamp_code(q):
    return -32767 if q < -32767 else 32767 if q > 32767 else q
