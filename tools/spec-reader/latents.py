"""SPEC.md §8.11 and §9.7: latents."""
import numpy as np

from container import need
from entropy import Unsupported

STRIDES = (4, 8, 8)
LEAST = -8


class Tables:
    """§9.7: the body of a section LATE."""

    def __init__(self, body):
        need(len(body) >= 6, "a section LATE that ends early")
        self.channels, self.hyper, self.turns, self.gains, self.shift, self.scales = body[:6]
        need(1 <= self.channels <= 32 and self.hyper <= 32 and 1 <= self.turns <= 2, "channels or turns of latents")
        need(1 <= self.gains <= 64 and self.shift <= 16 and 1 <= self.scales <= 64, "gains, shift or scales of latents")
        sizes = [self.gains * self.channels, self.scales * 63, self.gains * self.hyper * 15]
        need(len(body) == 6 + 2 * sum(sizes), "the length of a section LATE")
        numbers = np.frombuffer(body[6:], "<u2").astype(np.int64)
        worth, masses, priors = np.split(numbers, np.cumsum(sizes)[:2])
        self.worth = worth.reshape(self.gains, self.channels)
        self.masses = masses.reshape(self.scales, 63)
        self.priors = priors.reshape(self.gains, self.hyper, 15)
        need((worth > 0).all(), "latents worth nothing")
        need((self.masses[:, 0] <= 32768).all() and (np.diff(self.masses) <= 0).all(), "masses that rise")
        need((priors > 0).all() and (np.diff(self.priors) < 0).all(), "masses of hyper-latents that do not fall")

    def seen(self, gain, values):
        half = 1 << self.shift >> 1
        return np.clip((values * self.worth[gain] + half) >> self.shift, -1023, 1023)

    def above(self, mean, scale):
        """The latent of symbol 8, and the masses above every symbol."""
        mean = min(255, max(-255, mean))
        masses = self.masses[min(self.scales - 1, max(0, scale))]
        whole = (mean + 4) >> 3

        def mass(i):
            return 32768 if i == 0 else int(masses[i - 1]) if i > 0 else 65536 - int(masses[-i - 1])

        part = mean - 8 * whole
        return whole, [15 - j + (mass(8 * (j + LEAST) + 4 - part) * 65520 >> 16) for j in range(15)] + [0]


class Latents:
    """What latents say of the points of a chunk."""

    def __init__(self, tables, networks, gain, n):
        need(tables is not None and gain < tables.gains, "latents or a gain that the model has not")
        for name in ("entropy", "features", "passes", "points") + ("hyper",) * (tables.hyper > 0):
            if "latents " + name not in networks:
                raise Unsupported("a model without the network latents " + name)
        self.tables, self.networks, self.gain, self.n = tables, networks, gain, n
        self.shape = [n[0]] + [-(-n[a + 1] // STRIDES[a]) for a in range(3)]

    def decode(self, dec):
        t, shape = self.tables, self.shape
        said = np.zeros((*shape, 0), np.int64)
        if t.hyper:
            hypers = np.zeros((*shape[:2], -(-shape[2] // 2), -(-shape[3] // 2), t.hyper), np.int64)
            for place in np.ndindex(*hypers.shape):
                above = [int(a) for a in t.priors[self.gain, place[-1]]] + [0]
                hypers[place] = dec.symbol(above) + LEAST
            said = self.networks["latents hyper"].run(hypers * 64, 0)
            said = np.clip(said[:, :, : shape[2], : shape[3]], -1023, 1023)
        values = np.zeros((*shape, t.channels), np.int64)
        places = np.indices(shape)
        turn_of = places[1:].sum(axis=0) % 2 if t.turns == 2 else np.zeros(shape, np.int64)
        for turn in range(t.turns):
            known = np.where((turn_of < turn)[..., None], t.seen(self.gain, values), 0)
            inputs = np.concatenate([said, known], axis=-1)
            out = self.networks["latents entropy"].run(inputs, self.gain * t.turns + turn)
            for place in np.ndindex(*shape):
                if turn_of[place] == turn:
                    for c in range(t.channels):
                        whole, above = t.above(int(out[place][c]), int(out[place][t.channels + c]))
                        values[place][c] = whole + dec.symbol(above) + LEAST
        self.features = self.networks["latents features"].run(t.seen(self.gain, values), self.gain)

    def at(self, offset):
        """The features at the point of this offset."""
        index = np.unravel_index(offset, self.n)
        total = 0
        for corner in np.ndindex(2, 2, 2):
            weight, place = 1, [index[0]]
            for a in range(3):
                k, rest = divmod(int(index[a + 1]), STRIDES[a])
                weight *= rest if corner[a] else STRIDES[a] - rest
                place.append(min(k + corner[a], self.shape[a + 1] - 1))
            total = total + weight * self.features[tuple(place)]
        return (total + 128) >> 8
