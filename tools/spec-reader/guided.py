"""SPEC.md §8.4.4.2: coefficients of wavelets that a network guides."""
import numpy as np

from entropy import Unsupported
from priors import WAVELET_GUIDED

SLOTS = [768, 2816, 1904, 7168, 768, 768]
CHANNELS = 53
# The neighbours of channels 0 to 24, and those of channels 50 and 51.
OTHER_ROWS = [
    (0, 0, -1, 0), (0, 0, -1, -1), (0, 0, -1, 1), (0, 0, -1, -2), (0, 0, -1, 2),
    (0, 0, -2, 0), (0, 0, -2, -1), (0, 0, -2, 1),
    (0, -1, 0, 0), (0, -1, 0, -1), (0, -1, 0, 1), (0, -1, -1, 0), (0, -1, 1, 0),
    (0, -1, -1, -1), (0, -1, 1, 1), (0, -1, -1, 1), (0, -1, 1, -1),
    (0, -2, 0, 0),
    (-1, 0, 0, 0), (-1, 0, 0, -1), (-1, 0, 0, 1),
    (-1, 0, -1, 0), (-1, 0, 1, 0), (-1, -1, 0, 0), (-1, 1, 0, 0),
]
SAME_ROW = [(0, 0, 0, -1), (0, 0, 0, -2)]


# The bits of a zero by z, in units of 2^-10.
BITS = [
    11819, 11450, 11081, 10712, 10343, 9974, 9605, 9236, 8868, 8499, 8131, 7764, 7397, 7030, 6664, 6300,
    5936, 5574, 5215, 4857, 4504, 4154, 3810, 3472, 3142, 2822, 2514, 2219, 1940, 1680, 1439, 1220,
    1024, 851, 700, 572, 463, 372, 298, 237, 188, 148, 117, 92, 72, 56, 44, 34,
    27, 21, 16, 13, 10, 8, 6, 5, 4, 3, 2, 2, 1, 1, 1, 1,
]


def f(v):
    log = (v + 1).bit_length() - 1
    return 32 * log + (32 * (v + 1 - (1 << log)) >> log)


def guide(coding, field):
    """Who guides the coefficients of a chunk, or None."""
    network = coding.networks.get("coefficients")
    if network is None or WAVELET_GUIDED not in coding.priors:
        return None
    first, last = network.tensors[0], network.tensors[-1]
    shape = (first.channels, network.conditions, last.channels)
    if shape != (CHANNELS, 1, 2) or not network.is_chain():
        raise Unsupported("what a model says of coefficients")
    return Guide(network, field)


class Guide:
    """Asks the network about coefficients."""

    def __init__(self, network, field):
        self.network, self.field = network, field

    def enter(self, band, before):
        """Before a band: what is the same for all its coefficients. `before` are the bands of the group before it."""
        self.box = band.box
        self.parent = band.parent
        self.last_three = [b.box for b in before[:-4:-1]]
        tells = [min(band.level, 4) == k for k in (1, 2, 3, 4)]
        tells += [band.orientation >> (3 - a) & 1 for a in range(4)]
        self.same = [32 * t for t in (*tells, band.is_low)]
        self.same += [8 * len(before), 32 * (band.parent is not None)]
        self.same += [32 * (e > 1) for e in band.extent]
        self.same += [4 * min(e.bit_length() - 1, 15) for e in band.extent]

    def magnitude(self, box, index):
        """That of a code of a box, 0 outside."""
        at = 0
        for i, (low, high), k in zip(index, box, self.field.o):
            if not 0 <= i < high - low:
                return 0
            at += (low + i) * k
        return abs(self.field.steps(self.field.codes[at]))

    def channels(self, index, parent, cousin, place, alone=False):
        def near(offsets):
            return [f(self.magnitude(self.box, [i + d for i, d in zip(index, offset)])) for offset in offsets]

        above = 0
        if self.parent:
            box, shift = self.parent
            above = self.magnitude(box, [min(i >> s, b[1] - b[0] - 1) for i, s, b in zip(index, shift, box)])
        beside = [f(self.magnitude(box, index)) for box in self.last_three]
        return [
            *near(OTHER_ROWS), f(above), f(min(parent, 65535)), f(min(cousin, 65535)),
            *beside, *[0] * (3 - len(beside)), *self.same, *([0, 0] if alone else near(SAME_ROW)), 2 * place,
        ]

    def ask(self, index, parent, cousin, place, alone=False):
        """z and y of a coefficient that is coded next, or as though the row began with it."""
        inputs = np.clip(self.channels(index, parent, cousin, place, alone), *self.network.tensors[0].span)
        r, s = (int(x) for x in self.network.point(inputs))
        return min(63, max(0, (r + 8) >> 4)), min(15, max(0, (s + 8) >> 4))


def slots(z, y, place, lv, orientation):
    """Those of the second to the fourth context."""
    return 1792 + 16 * z + y, 816 + 17 * z + place, 3072 + (4 * z + lv) * 16 + orientation


def run_slots(v, slots):
    """Those of the bit of a run of which v bits are expected; None: more than the network is asked about."""
    m = 80
    if v is not None:
        log = v.bit_length() - 1
        m = v if v < 4 else 4 * (log - 1) + ((v >> (log - 2)) & 3)
    return 4 * m + slots[0] % 4, slots[1], slots[2] // 8 * 8 + min(7, m // 8), slots[3]


def weight_set(z, place):
    return 160 + z if place < 16 else 96 + z
