"""SPEC.md §4: the body of a chunk, its elements and exceptions; also §8.1, §8.5 and §8.6."""
import struct

import numpy as np

import backgrounds
import bases
import beside
import latents
import learned
import numbered
import tabled
import tucker
import wavelet
from container import DTYPES, SIZES, Cursor, is_conditioned, need
from entropy import Counters, Decoder, M64, Residuals, Unsupported, ZEROS_FIRST, log_class
from priors import Coding
from masks import masked_bits, plane_of_bits
from ordered import FLOATS, element

EXP2 = [
    1.369148885390413e-12, 2.5678435993488206e-11, 4.4455382718708116e-10, 7.054911620801123e-09,
    1.01780860092397e-07, 1.321548679014431e-06, 1.5252733804059841e-05, 0.0001540353039338161,
    0.0013333558146428443, 0.009618129107628477, 0.05550410866482158, 0.24022650695910072,
    0.6931471805599453, 1.0,
]


def exp2(y):
    y = max(-1100.0, min(1100.0, y))
    k = bases.round_even(y)
    f = y - k
    p = 0.0
    for c in EXP2:
        p = p * f + c
    k = int(k)
    h = -(-k // 2) if k < 0 else k // 2
    return (p * 2.0**h) * 2.0 ** (k - h)


def four_axes(shape):
    """§1: the four extents of a chunk."""
    n = [1] * (4 - len(shape)) + list(shape)
    while len(n) > 4:
        n = [n[0] * n[1]] + n[2:]
    return n


def read_float(cur):
    kind = cur.u8()
    need(kind in (4, 8), "no such float")
    value = struct.unpack("<f" if kind == 4 else "<d", cur.take(kind))[0]
    need(abs(value) < float("inf"), "a float is not finite")
    return value


def read_step(cur):
    bits = cur.uint(3)
    need(bits < 1 << 23, "the sign of a step is set")
    return normal(bits)


def normal(bits):
    """A double from its exponent and the first 12 bits of its mantissa."""
    need(0 < bits >> 12 < 2047, "a step is not a normal number")
    return struct.unpack("<d", (bits << 40).to_bytes(8, "little"))[0]


def decode_chunk(payload, models, references=()):
    """The bits of every element of a chunk, in C order. `models` are the files of those at hand, by id; `references` are
    the chunks that this one needs, decoded."""
    if payload.base == 12:
        return numbered.decode(payload, models, decode_chunk)
    dtype, base = payload.dtype, payload.base
    on_background = base >> 5 == 2
    base -= 64 if on_background else 0
    conditioned = is_conditioned(base)
    base -= 32 if conditioned else 0
    n = four_axes(payload.shape)
    count = n[0] * n[1] * n[2] * n[3]
    width = 8 * SIZES[dtype]
    cur = Cursor(payload.body)
    flags = cur.u8()
    need(flags & 24 != 24 and flags & 80 != 64, "a reserved bit is set")
    logs, mixed = bool(flags & 4) and base != 6, bool(flags & 32)
    coding = Coding(ZEROS_FIRST if flags & 64 else flags >> 3 & 3)
    primed = bool(flags & 128)
    need(not mixed or flags & 5, "a way of telling masks where there are none")
    need(not logs or dtype < FLOATS, "logarithms of a dtype that is not a float")
    if base == 6:
        need(flags < 8 and flags & 5 != 4, "a reserved bit is set")
    need(not primed or flags & 64 and base not in (0, 5, 6), "states for coders that take none")
    if on_background and (base not in (1, 2, 3, 4, 7, 8, 9, 10, 11) or logs):
        raise Unsupported("base %d" % payload.base)
    need(not on_background or dtype < FLOATS, "integers on a background")
    need(payload.model is None or base in (7, 9) or primed or on_background,
         "a chunk does not ask for the model that its payload names")
    if conditioned and (base not in (1, 4, 7, 17) or coding != ZEROS_FIRST):
        raise Unsupported("base %d" % payload.base)
    if base not in (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 17, 18, 19, 26, 27):
        raise Unsupported("base %d" % base)
    lattice = alike = guide = grounds = None
    if primed and base not in (7, 9):
        networks, states, _, grounds = learned.model(cur, payload.model, models)
    companions = left_out = None
    if conditioned and base == 4:
        need(not logs, "logarithms of what companions leave")
        left_out = beside.LeftOut(cur, references, n)
    elif conditioned:
        companions = beside.Companions(cur, references, n)
    if base >= 16:
        need(not logs, "logarithms on a lattice")
        lattice = (read_float(cur), read_float(cur))
        need(lattice[1] > 0, "a lattice without a scale")
    base &= 15
    if base == 0:
        parameters = cur.uint(SIZES[dtype])
    elif base == 6:
        alike = cur.uint(SIZES[dtype]) if flags & 4 else None
        parameters = tabled.read_parameters(cur, read_float)
    elif base == 4:
        parameters = wavelet.Parameters(cur, normal)
    elif base == 8:
        parameters = tucker.Parameters(cur, n, read_step)
    elif base == 5:
        parameters = (cur.u8(), cur.u8())
        need(parameters[0] < 4 and parameters[1] < 64, "no such order or shift")
    else:
        if lattice:
            step = cur.varint()
            need(0 < step < 1 << 48, "a step out of range")
        else:
            step = read_step(cur)
        parameters = (step, *(cur.u8() for _ in range({1: 3, 2: 1, 3: 0, 7: 3, 9: 3, 10: 0, 11: 0}[base])))
        if base in (7, 9):
            guided = cur.u8()
            networks, states, tables, grounds = learned.model(cur, payload.model, models)
            spoken = latents.Latents(tables, networks, cur.u8(), n) if base == 9 else None
            guide = learned.Guide(guided, networks, spoken)

    ground = None
    if on_background:
        if not primed and base not in (7, 9):
            *_, grounds = learned.model(cur, payload.model, models)
        ground = backgrounds.Placed(cur, grounds, n)

    if primed:
        need(states is not None, "states of a model that has none")
        coding = coding.primed(states, networks)

    dec = Decoder(cur.take(cur.left()))
    mask, told = [0] * count, []
    if flags & 1:
        mask = plane_of_bits(dec, n, mixed)
        told = [alike] * sum(mask) if alike is not None else masked_bits(dec, mask, width)
    skip = mask
    if logs:
        zeros = plane_of_bits(dec, n, mixed)
        negative = plane_of_bits(dec, n, mixed)
        skip = [a | b for a, b in zip(mask, zeros)]

    if base == 0:
        bits = [parameters] * count
    elif base == 5:
        bits = lossless(dec, n, skip, parameters, dtype)
    elif base == 6:
        bits = elements(tabled.decode(dec, n, mask, parameters), dtype)
    else:
        if base == 9:
            spoken.decode(dec)
        if guide or companions:
            values = bases.interpolation(dec, n, skip, parameters, bool(lattice), coding, guide, companions)
        else:
            decode = {1: bases.interpolation, 2: bases.lorenzo, 3: bases.linear, 4: wavelet.decode, 8: tucker.decode,
                      10: bases.centred, 11: bases.copies}[base]
            values = decode(dec, n, skip, parameters, bool(lattice), coding)
        if left_out:
            values = left_out.added(values)
        if ground:
            values = ground.added(values)
        if lattice:
            offset, scale = lattice
            values = [offset + scale * v for v in values]
        if logs:
            values = [0.0 if z else exp2(v) for v, z in zip(values, zeros)]
            values = [-v if s else v for v, s in zip(values, negative)]
        bits = elements(values, dtype)
    it = iter(told)
    bits = [next(it) if m else b for b, m in zip(bits, mask)]
    if flags & 2:
        exceptions(dec, bits, width)
    return bits


def elements(values, dtype):
    """The bits of the elements nearest to numbers."""
    size = SIZES[dtype]
    if dtype < FLOATS:
        with np.errstate(all="ignore"):
            numbers = np.array(values, np.float64)
            if DTYPES[dtype] == "float16":
                numbers = numbers.astype(np.float32)
            return numbers.astype(DTYPES[dtype]).view("u%d" % size).tolist()
    info = np.iinfo(DTYPES[dtype])
    low, high = int(info.min), int(info.max)
    modulus = 1 << (8 * size)
    out = []
    for v in values:
        if v != v:
            x = 0
        else:
            x = low if v <= low else high if v >= high else int(v)
        out.append(x % modulus)
    return out


def exceptions(dec, bits, width):
    total = dec.raw(40)
    counters = Counters(63, 60)
    at = 0
    for _ in range(total):
        k = 0
        while k < 62 and counters.bit(dec, k):
            k += 1
        at += (1 << k) + dec.raw(k) - 1
        need(at < len(bits), "an exception beyond the elements")
        bits[at] = dec.raw(width)
        at += 1


def sign(x):
    return 2 if x > 0 else 1 if x == 0 else 0


def lossless(dec, n, skip, parameters, dtype):
    """§8.6."""
    order, shift = parameters
    coder = Residuals(dec, [64, 1024, 4096])
    row, plane = n[3], n[2] * n[3]
    values = [0] * (len(skip))
    codes = [0] * (len(skip))
    at = -1
    for i0 in range(n[0]):
        for i1 in range(n[1]):
            for i2 in range(n[2]):
                for i3 in range(n[3]):
                    at += 1
                    w = values[at - 1] if i3 else 0
                    if order == 0:
                        p = 0
                    elif order == 1:
                        p = w
                    else:
                        p = w
                        if i2:
                            p += values[at - row] - (values[at - row - 1] if i3 else 0)
                        if order == 3 and i1:
                            p += values[at - plane] - (values[at - plane - 1] if i3 else 0)
                            if i2:
                                p -= values[at - plane - row] - (values[at - plane - row - 1] if i3 else 0)
                    if skip[at]:
                        values[at] = p & M64
                        continue
                    r = codes[at - 1] if i3 else 0
                    a = codes[at - row] if i2 else 0
                    k = min(63, log_class(abs(r) // 2 + abs(a) // 2))
                    kr, ka = min(63, log_class(abs(r))), min(63, log_class(abs(a)))
                    slots = (k, 16 * k + min(15, max(0, kr + 8 - k)), 64 * kr + ka)
                    q = coder.integer(slots, min(61, k), k, (3 * sign(r) + sign(a), sign(r), 0))
                    codes[at] = q
                    values[at] = (p + (q << shift) + dec.raw(shift)) & M64
    return [element(v, dtype) for v in values]
