"""SPEC.md §8.13: integers that stand for elements."""
from types import SimpleNamespace

from container import Cursor, need
from entropy import Decoder, M64, Residuals, Unsupported, log_class
from ordered import FLOATS, element

INT64 = 6


def decode(payload, models, decode_chunk):
    """The bits of every element of a chunk, in C order; `decode_chunk` decodes that of the integers."""
    cur = Cursor(payload.body)
    inner, kind = cur.u8(), cur.u8()
    if inner not in (0, 5, 17, 18, 19, 26, 27):
        raise Unsupported("base %d of numbers" % inner)
    need(kind < 66, "no such kind of numbers")
    palette = None
    if kind < 64:
        low, first = kind, cur.uint(8)
    else:
        low, shift = cur.u8(), cur.u8()
        need(low < 64 and shift < 64, "low bits out of range")
        count, length = cur.varint(), cur.varint()
        elements = 1
        for n in payload.shape:
            elements *= n
        need(0 < count <= elements, "a palette out of range")
        palette = read_palette(Decoder(cur.take(length)), count, kind == 65, shift)
    chunk = SimpleNamespace(dtype=INT64, base=inner, shape=payload.shape, body=cur.take(cur.left()), model=payload.model)
    out = []
    for k in decode_chunk(chunk, models):
        if palette is None:
            o = k + first
        else:
            k -= 1 << 64 if k >> 63 else 0
            o = palette[max(0, min(k, count - 1))]
        o = (o << low) & M64
        if o >> 63 and payload.dtype < FLOATS:
            o |= (1 << low) - 1
        out.append(element(o, payload.dtype))
    return out


def read_palette(dec, count, changes, shift):
    coder = Residuals(dec, [64])
    before = difference = q = 0
    out = []
    for _ in range(count):
        t = min(63, log_class(abs(q)))
        sign = 2 if q > 0 else 1 if q == 0 else 0
        q = coder.integer((t,), min(61, t), 0, (sign, 0, 0))
        c = (q << shift) + dec.raw(shift)
        difference = c + (difference if changes else 0)
        before = (before + difference) & M64
        out.append(before)
    return out
