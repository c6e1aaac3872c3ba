"""SPEC.md §8.12 and §9.8: fields that a model knows, on which a chunk may stand."""
import struct
from functools import cache
from itertools import product
from types import SimpleNamespace

import body
from container import Cursor, need

FLOAT32 = 1


@cache
def read(section):
    """§9.8: the backgrounds of a section BACK: extents and values."""
    cur, all_grounds = Cursor(section), []
    for _ in range(cur.varint()):
        axes = cur.u8()
        need(1 <= axes <= 4, "the axes of a background")
        shape = [cur.varint() for _ in range(axes)]
        need(0 not in shape, "a background without values")
        base = cur.u8()
        chunk = SimpleNamespace(dtype=FLOAT32, base=base, shape=shape, model=None, body=bytes(cur.take(cur.varint())))
        bits = body.decode_chunk(chunk, {})
        values = struct.unpack("<%df" % len(bits), struct.pack("<%dI" % len(bits), *bits))
        need(all(abs(v) < float("inf") for v in values), "a background that is not finite")
        all_grounds.append((body.four_axes(shape), values))
    need(cur.left() == 0, "bytes after the last background")
    return all_grounds


class Placed:
    """A background, its weight, and where a chunk lies in it."""

    def __init__(self, cur, section, n):
        grounds = read(section) if section is not None else []
        number = cur.varint()
        need(number < len(grounds), "a background that the model has not")
        m, self.values = grounds[number]
        self.weight = struct.unpack("<h", cur.take(2))[0] * 2.0**-14
        at = [0] * 4
        for a in range(4):
            if m[a] > 1:
                u = cur.varint()
                at[a] = -(u + 1) // 2 if u & 1 else u // 2
        strides = (m[1] * m[2] * m[3], m[2] * m[3], m[3], 1)
        along = [[min(m[a] - 1, max(0, i + at[a])) * strides[a] for i in range(n[a])] for a in range(4)]
        self.places = [sum(place) for place in product(*along)]

    def added(self, values):
        return [v + self.weight * self.values[j] for v, j in zip(values, self.places)]
