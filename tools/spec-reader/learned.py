"""SPEC.md §8.8: interpolation guided by a model."""
import struct
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np

from container import need
from entropy import Unsupported, magnitude_class
from networks import read_model

# SPEC.md §8.8.5, by number; models lie in folders named by the first digits of their digest.
MODELS = {1: "01dc36da26d4ac18", 2: "453728542d80e049", 3: "08beb50861073403", 4: "534ffe3fbcd9cbab",
          5: "f3b700530bd74d02"}
WEIGHTS = Path(__file__).resolve().parents[2] / "weights"


@cache
def shipped(number):
    return (WEIGHTS / MODELS[number] / "weights.scm").read_bytes()


def model(cur, named, models):
    """What `read_model` gives of a model whose number comes next: 0 for the id that the payload names."""
    at_hand = {**{file[-32:]: file for file in map(shipped, MODELS)}, **models}
    number = cur.u8()
    need((number == 0) == (named is not None), "a chunk asks for another model than its payload names")
    if number >= 254:
        first = bytes(cur.take(4 if number == 255 else 1))
        named = next((id for id in models if id.startswith(first)), first)
    if named is not None:
        if named not in models:
            raise Unsupported("model %s, which is not in the file" % named.hex())
        need(models[named][-32:] == named, "a model of another id")
        read = networks, *_ = read_model(models[named], at_hand.get)
        if "passes" not in networks or "points" not in networks:
            raise Unsupported("a model for something else")
        return read
    if number not in MODELS:
        raise Unsupported("model %d" % number)
    return read_model(shipped(number), at_hand.get)


def lg(v):
    if v != v:
        return 0
    return (struct.unpack("<Q", struct.pack("<d", v))[0] >> 46) - 65472


def fix(v):
    if v != v:
        return 0
    v = min(1023.0, max(-1023.0, v))
    return int((v + 6755399441055744.0) - 6755399441055744.0)


def lim(v):
    return min(1023, max(-1023, v))


def steep(n):
    return lim(16 * magnitude_class(16 * n))


class Guide:
    """Asks the networks of a model about the points of guided levels."""

    def __init__(self, levels, networks, told=None):
        self.levels, self.told = levels, told
        names = ("latents passes", "latents points") if told else ("passes", "points")
        self.trunk, self.head = (networks[name] for name in names)

    def enter(self, level, d, s, start, steps, step, axes, n, o, values, codes):
        """§8.8.1: before a pass."""
        self.step, self.start, self.steps, self.n, self.o = step, start, steps, n, o
        self.codes = codes
        transverse = [a for a in (3, 2, 1, 0) if a != d and a in axes and n[a] > 1][:2]
        rest = [a for a in range(4) if a != d and a not in transverse]
        third = transverse[0] if transverse else None
        second = transverse[1] if len(transverse) > 1 else None
        count = [-((start[a] - n[a]) // steps[a]) for a in range(4)]

        def kind(a):
            return 0 if a is None else 1 if steps[a] == s else 2

        condition = 9 * (min(level, 4) - 1) + 3 * kind(third) + kind(second)
        spans = [range(count[a]) if a is not None else range(1) for a in (*rest, second, third, d)]
        shape = [int(np.prod([count[a] for a in rest], dtype=np.int64))] + [len(x) for x in spans[-3:]]
        channels = np.zeros((shape[0] * shape[1] * shape[2] * shape[3], 24), np.int64)
        self.amplitude, self.number = {}, {}
        places = product(*spans)
        for number, place in enumerate(places):
            index = [0] * 4
            for a, k in zip((*rest, second, third, d), place):
                if a is not None:
                    index[a] = start[a] + k * steps[a]
            at = sum(i * k for i, k in zip(index, o))
            self.number[at] = number
            if index[d] + s >= n[d]:
                continue
            so = s * o[d]
            along = [-3 * so if index[d] >= 3 * s else -so, -so, so, 3 * so if index[d] + 3 * s < n[d] else so]
            columns = [0]
            for a in (third, second):
                for sign in (-1, 1):
                    i = None if a is None else index[a] + sign * steps[a]
                    columns.append(0 if i is None or i < start[a] or i >= n[a] else sign * steps[a] * o[a])
            v = [values[at + c + x] for c in columns for x in along]
            p = (9.0 * (v[1] + v[2]) - (v[0] + v[3])) * 0.0625
            bend = (v[0] + v[3]) - (v[1] + v[2])
            total = 0.0
            for x in v:
                total += abs(x - p)
            amplitude = total * 0.0625 + 0.5 * step
            if amplitude - amplitude != 0:
                continue
            self.amplitude[at] = amplitude
            by = 128.0 / amplitude
            parents = abs(codes[at + along[1]]) + abs(codes[at + along[2]])
            beside = sum(abs(codes[at + c + along[k]]) for c in columns[1:] for k in (1, 2))
            channels[number] = [fix((x - p) * by) for x in v] + [
                lim(lg(step) - lg(amplitude)), steep(parents), lim(lg(abs(bend)) - lg(amplitude)), steep(beside)]
        if self.told:
            places = sorted(self.number, key=self.number.get)
            channels = np.concatenate([channels, [self.told.at(i) for i in places]], axis=1)
        out = self.trunk.run(channels.reshape(*shape, -1), condition)
        self.hidden = out.reshape(len(channels), -1)

    def point(self, at, index, residual, fitted):
        """§8.8.2 and §8.8.3: correction and scale. `residual` gives those of places that are decoded."""
        amplitude = self.amplitude.get(at)
        if amplitude is None:
            return 0.0, 0
        by = 128.0 / amplitude
        near = [(0, 0, 0, -1), (0, 0, 0, -2), (0, 0, -1, 0), (0, 0, -1, -1), (0, 0, -1, 1), (0, -1, 0, 0), (0, -1, 1, 0),
                (0, -1, 0, 1), (-1, 0, 0, 0)]
        r, q = [], []
        for offset in near:
            there = [i + k * t for i, k, t in zip(index, offset, self.steps)]
            inside = all(b <= i < m for i, b, m in zip(there, self.start, self.n))
            place = sum(i * k for i, k in zip(there, self.o))
            r.append(residual(place) if inside else 0.0)
            q.append(self.codes[place] if inside else 0)
        total = 0.0
        for x in r:
            total += abs(x)
        causal = [fix(x * by) for x in r] + [fix(fitted * by)] + [steep(abs(x)) for x in q]
        causal.append(lim(lg(total * 0.125 + 0.5 * self.step) - lg(amplitude)))
        inputs = np.concatenate([self.hidden[self.number[at]], causal]).reshape(1, 1, 1, 1, -1)
        m, s = (int(x) for x in self.head.run(inputs, 0).reshape(-1))
        scale = s + ((lg(amplitude) - lg(self.step)) >> 4) + 16
        return m * (amplitude * 0.00390625), min(63, max(1, scale))
