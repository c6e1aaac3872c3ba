"""SPEC.md §9: models, and the running of their networks in 64-bit integers, operation by operation."""
import struct

import numpy as np

from container import Cursor, need
from digest import blake3
import delta
import latents
import priors
from entropy import Corrupt, Unsupported

POINT = ((1, 1, 1), (1, 1, 1), (0, 0, 0), (0, 0, 0))


class Fields(Cursor):
    def tag(self):
        return bytes(self.take(4))

    def i16(self):
        return struct.unpack("<h", self.take(2))[0]

    def array(self, dtype, count):
        dtype = np.dtype(dtype)
        return np.frombuffer(bytes(self.take(count * dtype.itemsize)), dtype).astype(np.int64)

    def three(self):
        return tuple(self.take(3))

    def span(self):
        low, high = self.i16(), self.i16()
        need(low <= high, "a span whose low is above its high")
        return low, high

    def number(self):
        n = self.varint()
        need(n < 1 << 32, "a number of more than 32 bits")
        return n


def mean(total, count):
    return (2 * total + count) // (2 * count)


def half(shift):
    return 1 << (shift - 1) if shift else 0


def scaled(value, shift, span):
    return np.clip((value + half(shift)) >> shift, *span)


class Tensor:
    """What is known of a tensor for all inputs. The lattice is a tuple of what made it."""

    def __init__(self, channels, span, lattice):
        self.channels, self.span, self.lattice = channels, span, lattice
        self.magnitude = max(abs(span[0]), abs(span[1]))


def fits(total, shift):
    need(shift <= 30 and total + half(shift) < 1 << 31, "a sum could overflow")


class Convolution:
    def __init__(self, f, tensors, conditions, depthwise):
        self.source, self.channels, self.depthwise = f.number(), f.number(), depthwise
        self.kernel, self.stride, self.before, self.after = f.three(), f.three(), f.three(), f.three()
        flags = f.u8()
        need(flags < 8, "reserved bits of a convolution")
        self.shift, self.span = f.u8(), f.span()
        self.bias = f.array("<i4", self.channels * (conditions if flags & 2 else 1)).reshape(-1, self.channels)
        self.multipliers = f.array("<i4", self.channels) if flags & 4 else None
        weights = f.array("i1" if flags & 1 else "<i2", f.varint())
        need(self.source < len(tensors) and self.channels > 0, "a source that does not come before, or no channels")
        t = tensors[self.source]
        for k, s, b, a in zip(self.kernel, self.stride, self.before, self.after):
            need(1 <= k <= 8 and s >= 1 and b < k and a < k, "a window")
        shape = (*self.kernel, self.channels) if depthwise else (self.channels, *self.kernel, t.channels)
        need(not depthwise or self.channels == t.channels, "channels of a depthwise convolution")
        need(len(weights) == np.prod(shape), "a number of weights")
        self.weights = weights.reshape(shape)
        sizes = np.abs(self.weights).sum(axis=(0, 1, 2) if depthwise else (1, 2, 3, 4))
        totals = np.abs(self.bias).max(axis=0) + t.magnitude * sizes
        if self.multipliers is None:
            fits(int(totals.max()), self.shift)
        else:
            need(1 <= self.shift <= 32 and self.multipliers.min() >= 0, "a shift or a multiplier")
            for total, m in zip(totals.tolist(), self.multipliers.tolist()):
                need(total < 1 << 31 and (total * m + half(self.shift)) >> self.shift < 1 << 31, "a sum could overflow")
        window = (self.kernel, self.stride, self.before, self.after)
        keeps = all(s == 1 and b + a == k - 1 for k, s, b, a in zip(*window))
        need(keeps or t.lattice != "means", "a window over means")
        self.result = Tensor(self.channels, self.span, t.lattice if keeps else (t.lattice, window))

    def is_point(self):
        return not self.depthwise and (self.kernel, self.stride, self.before, self.after) == POINT

    def run(self, values, condition):
        source = values[self.source]
        pads = [(0, 0), *zip(self.before, self.after), (0, 0)]
        padded = np.pad(source, pads)
        extents = [n + b + a - k for n, b, a, k in zip(source.shape[1:4], self.before, self.after, self.kernel)]
        need(min(extents) >= 0, "an input smaller than a window")
        extents = [e // s + 1 for e, s in zip(extents, self.stride)]
        total = self.bias[condition if len(self.bias) > 1 else 0] + np.zeros((source.shape[0], *extents, 1), np.int64)
        for place in np.ndindex(*self.kernel):
            cut = tuple(slice(d, d + (n - 1) * s + 1, s) for d, n, s in zip(place, extents, self.stride))
            seen = padded[(slice(None), *cut)]
            if self.depthwise:
                total = total + seen * self.weights[place]
            else:
                total = total + seen @ self.weights[(slice(None), *place)].T
        return self.requantised(total)

    def point(self, values):
        """What a convolution of points makes of the channels of one, under the only condition."""
        return self.requantised(self.bias[0] + self.weights[:, 0, 0, 0] @ values)

    def requantised(self, total):
        if self.multipliers is not None:
            total = total * self.multipliers
        return scaled(total, self.shift, self.span)


class Plain:
    """An operation without weights: what it makes, and how."""

    def __init__(self, f, tensors, code):
        def source():
            n = f.number()
            need(n < len(tensors), "a source that does not come before")
            return n

        a = source()
        t = tensors[a]
        if code == 3:
            low, high = t.span
            table = f.array("<i2", f.varint())
            need(len(table) == high - low + 1, "the length of a table")
            self.result = Tensor(t.channels, (int(table.min()), int(table.max())), t.lattice)
            self.make = lambda values: table[values[a] - low]
        elif code in (4, 5):
            b = source()
            u = tensors[b]
            factors = (f.i16(), f.i16()) if code == 4 else None
            shift, span = f.u8(), f.span()
            if code == 4:
                need(t.channels == u.channels and t.lattice == u.lattice, "a sum of different shapes")
                fits(abs(factors[0]) * t.magnitude + abs(factors[1]) * u.magnitude, shift)
                total = lambda x, y: x * factors[0] + y * factors[1]
            else:
                by_channel = u.lattice == "means" and u.channels == t.channels
                need(by_channel or u.lattice == t.lattice and u.channels == 1, "a gate of another shape")
                fits(t.magnitude * u.magnitude, shift)
                total = lambda x, y: x * y
            self.result = Tensor(t.channels, span, t.lattice)
            self.make = lambda values: scaled(total(values[a], values[b]), shift, span)
        elif code == 6:
            self.result = Tensor(t.channels, t.span, "means")

            def make(values):
                v = values[a]
                return mean(v.sum(axis=(1, 2, 3), keepdims=True), v[0, ..., 0].size)

            self.make = make
        elif code == 7:
            self.result = Tensor(2, t.span, t.lattice)
            self.make = lambda values: np.stack(
                [mean(values[a].sum(axis=4), t.channels), values[a].max(axis=4)], axis=4
            )
        else:
            factors = f.three()
            volume = factors[0] * factors[1] * factors[2]
            need(volume > 0 and t.lattice != "means", "an expansion")
            channels, span = t.channels, t.span
            if code == 10:
                need(channels % volume == 0, "channels of a shuffle")
                channels //= volume
            if code == 9:
                span = (min(span[0], 0), max(span[1], 0))
            self.result = Tensor(channels, span, (t.lattice, factors))
            self.make = lambda values: expanded(values[a], factors, code, channels)

    def run(self, values, _):
        return self.make(values)


def expanded(values, factors, code, channels):
    b, z, y, x, _ = values.shape
    fz, fy, fx = factors
    out = np.zeros((b, z * fz, y * fy, x * fx, channels), np.int64)
    for dz, dy, dx in np.ndindex(*factors):
        number = (dz * fy + dy) * fx + dx
        if code == 8 or number == 0 and code == 9:
            out[:, dz::fz, dy::fy, dx::fx] = values
        elif code == 10:
            out[:, dz::fz, dy::fy, dx::fx] = values[..., number :: fz * fy * fx]
    return out


class Network:
    def __init__(self, body):
        f = Fields(body)
        self.name = f.text()
        channels, span = f.number(), f.span()
        self.conditions = f.number()
        operations = f.varint()
        need(channels and self.conditions and operations, "a network without channels, conditions or operations")
        self.tensors, self.operations = [Tensor(channels, span, ())], []
        for _ in range(operations):
            code = f.u8()
            if code in (1, 2):
                operation = Convolution(f, self.tensors, self.conditions, code == 2)
            elif code <= 10 and code > 0:
                operation = Plain(f, self.tensors, code)
            else:
                raise Unsupported("operation %d of a network" % code)
            self.operations.append(operation)
            self.tensors.append(operation.result)
        need(f.pos == f.end, "bytes after the last operation")

    def run(self, values, condition):
        """Output [b, z, y, x, channel] of an input of the same order."""
        low, high = self.tensors[0].span
        need(values.min() >= low and values.max() <= high, "an input outside of its span")
        all_values = [values.astype(np.int64)]
        for operation in self.operations:
            all_values.append(operation.run(all_values, condition))
        return all_values[-1]

    def is_chain(self):
        """Whether all operations are convolutions of points, each of the tensor before."""
        return all(isinstance(o, Convolution) and o.is_point() and o.source == k for k, o in enumerate(self.operations))

    def point(self, values):
        """The output channels of a chain of one condition at one point."""
        for operation in self.operations:
            values = operation.point(values)
        return values


def read_model(data, find=None, depth=8):
    """The networks of a model, by name, the states that coders start from, by place, the tables of latents, and the
    body of the section of backgrounds; None if it has none. `find` gives the file of another model, by its id."""
    need(data[:8] == b"\x89SCM\r\n\x1a\n", "the magic of a model")
    if data[8] != 1:
        raise Unsupported("model version %d" % data[8])
    need(len(data) >= 42 and blake3(data[:-32]) == data[-32:], "the digest of a model")
    f = Fields(data, 9, len(data) - 32)
    need(f.u8() & 15 == 0, "reserved bits of a model")
    f.text()
    networks, states, optional, parent, tables, grounds = {}, None, set(), None, None, None
    for k in range(f.varint()):
        tag = f.tag()
        body = bytes(f.take(f.varint()))
        need(tag.isalpha(), "a tag")
        if tag == b"NETW":
            network = Network(body)
            need(network.name not in networks, "two networks of one name")
            networks[network.name] = network
        elif tag == b"PRIO":
            need(states is None, "two sections PRIO")
            states = priors.read(body)
        elif tag == b"LATE":
            need(tables is None, "two sections LATE")
            tables = latents.Tables(body)
        elif tag == b"BACK":
            need(grounds is None, "two sections BACK")
            grounds = body
        elif tag == b"BASE":
            need(k == 0 and len(body) == 32, "a parent")
            need(depth > 1, "too many models that stand on one another")
            file = find(body) if find else None
            if file is None:
                raise Unsupported("model %s, which is not at hand" % body.hex())
            need(file[-32:] == body, "a parent of another id")
            parent = read_model(file, find, depth - 1)
        elif tag == b"DELT":
            need(parent is not None and states is None, "differences to nothing")
            states = delta.read(body, parent[1])
        elif tag[:1].isupper():
            raise Unsupported("section %r of a model" % tag)
        else:
            need(tag not in optional, "two sections of one tag")
            optional.add(tag)
    need(f.pos == f.end, "bytes after the last section")
    if parent:
        networks = {**parent[0], **networks}
        states = parent[1] if states is None else states
        tables = parent[2] if tables is None else tables
        grounds = parent[3] if grounds is None else grounds
    return networks, states, tables, grounds
