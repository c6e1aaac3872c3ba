"""SPEC.md §9.6: states told as differences to those of another model."""
import copy

from container import need
from entropy import SQUASH, STRETCH, LIMIT, Counters, Decoder
from priors import PLACES, WAVELET_GUIDED, WAVELET_GUIDED_RUNS, States

COUNTS = [1, 2, 3, 4, 6, 8, 11, 16, 23, 32, 45, 64, 91, 128, 181, 255]
HALVES = (3, [1 << (15 - i) for i in range(15)] + [0])


class Delta:
    """A stream of numbers, and what it makes of a parent's states."""

    def __init__(self, data, parent):
        self.dec, self.exponents, self.negative = Decoder(data), {}, Counters(31)
        self.places = dict(parent)
        for place in range(PLACES):
            if place in (WAVELET_GUIDED, WAVELET_GUIDED_RUNS) and place not in parent:
                continue
            if self.dec.bit(1 << 15):
                self.places[place] = self.states(parent.get(place))

    def number(self, kind):
        counters = self.exponents.setdefault(kind, Counters(14))
        e = 0
        while e < 14 and counters.bit(self.dec, e):
            e += 1
        return (1 << e) + self.dec.raw(e) - 1

    def difference(self, kind):
        d = self.number(kind)
        return -d if d and self.negative.bit(self.dec, kind) else d

    def states(self, old):
        s = copy.deepcopy(old) if old else States.none()
        none = old is None
        for tables, kind, entry in ((s.counters, 0, self.counter), (s.signs, 0, self.counter), (s.rows, 4, self.row)):
            for table in tables:
                self.table(table, kind, entry)
        if none or not s.weights:
            s.weights_seen = 16
        self.table(s.weights, 8, self.weights)
        if none or not s.logits:
            s.logits_seen = 64
        self.table(s.logits, 12, self.logits)
        return s

    def table(self, told, kind, entry):
        slot = 0
        for _ in range(self.number(kind)):
            slot += self.number(kind + 1)
            need(slot < 1 << 14, "differences at a slot that is too far")
            told[slot] = entry(told.get(slot))
            slot += 1

    def count(self, kind, n):
        level = max(i for i, c in enumerate(COUNTS) if c <= n)
        d = self.difference(kind)
        return COUNTS[min(15, max(0, level + d))] if d else n

    def counter(self, old):
        n, p = old or (3, 1 << 15)
        d = self.difference(2)
        p = moved(p, d) if d else p
        return self.count(3, n), p

    def row(self, old):
        s, above = old or HALVES
        new, f, c = [0] * 16, 1 << 16, 1 << 16
        for i in range(15):
            if f == 0 or c == 0:
                break
            d, b = self.difference(16 + i), above[i]
            c = c * moved(min(65535, (b << 16) // f), d) >> 16 if d else c * b // f
            new[i], f = c, b
        return min(127, self.count(7, s)), new

    def weights(self, old):
        shares = [((w >> 14) + 510) // 1020 for w in old] if old else [16] * 4
        shares = [w + self.difference(10) for w in shares]
        need(min(shares) >= 0 and 0 < sum(shares) <= 64, "shares of a mixture")
        return [w * 1020 << 14 for w in shares]

    def logits(self, old):
        w = [((w >> 4) + 128) // 256 for w in old] if old else [7] * 4
        w = [x + self.difference(14) for x in w]
        need(any(w) and min(w) >= -128 and max(w) < 128, "weights of logits")
        return [x * 256 << 4 for x in w]


def moved(p, d):
    logit = STRETCH[p >> 4] + 32 * d
    return SQUASH[min(LIMIT, max(-LIMIT, logit)) + LIMIT]


def read(data, parent):
    """The states of every place, given the parent's."""
    return Delta(data, parent or {}).places
