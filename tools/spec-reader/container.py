"""SPEC.md §2, §3, §5 and §6: the container, and the headers of payloads."""
import struct
from itertools import product

from entropy import Corrupt, Unsupported

DTYPES = ["float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
SIZES = [2, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8]


def _crc_table():
    table = []
    for i in range(256):
        for _ in range(8):
            i = i >> 1 ^ (0x82F63B78 if i & 1 else 0)
        table.append(i)
    return table


CRC_TABLE = _crc_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for b in data:
        crc = crc >> 8 ^ CRC_TABLE[(crc ^ b) & 255]
    return crc ^ 0xFFFFFFFF


def need(holds, what):
    if not holds:
        raise Corrupt(what)


class Cursor:
    """Fields of a byte string, one after another."""

    def __init__(self, data, pos=0, end=None):
        self.data, self.pos = data, pos
        self.end = len(data) if end is None else end

    def take(self, n):
        need(n <= self.end - self.pos, "a field reaches past the end of what holds it")
        self.pos += n
        return self.data[self.pos - n : self.pos]

    def u8(self):
        return self.take(1)[0]

    def uint(self, n):
        return int.from_bytes(self.take(n), "little")

    def f64(self):
        return struct.unpack("<d", self.take(8))[0]

    def varint(self):
        value = 0
        for k in range(10):
            b = self.u8()
            value |= (b & 127) << (7 * k)
            if b < 128:
                need(b != 0 or k == 0, "a varint is not in its shortest form")
                need(k < 9 or b == 1, "a varint is too large")
                return value
        raise Corrupt("a varint is too long")

    def text(self):
        raw = self.take(self.varint())
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as e:
            raise Corrupt("a text is not UTF-8") from e

    def left(self):
        return self.end - self.pos


def read_dtype(cur):
    b = cur.u8()
    dtype, rank = b & 15, b >> 4 & 7
    need(dtype < len(DTYPES) and rank < 7, "no such dtype or rank")
    return dtype, rank


def read_bound(cur):
    """§3: (kind, value); the value is None for lossless."""
    b = cur.u8()
    kind, form = b & 15, b >> 4 & 3
    need(b < 64 and kind < 7 and form < 3 and (form == 0) == (kind == 0), "no such bound")
    if form == 0:
        return kind, None
    if form == 1:
        value = cur.f64()
    else:
        m = cur.varint()
        need(m < 1 << 28, "a bound's digits are too many")
        value = float("%de%d" % (m, struct.unpack("b", cur.take(1))[0]))
    need(0 < value < float("inf"), "a bound is not positive and finite")
    return kind, value


def check_size(shape, dtype):
    n = SIZES[dtype]
    for e in shape:
        n *= e
    need(n < 1 << 63, "an array is too large")


class Payload:
    """§5: one payload; the whole of `data`. `record` is what a bare one leaves out: (dtype, shape, bound)."""

    def __init__(self, data, record=None):
        cur = Cursor(data)
        need(cur.take(2) == b"\xb5\x63", "not a payload")
        flags = cur.u8()
        version = flags & 15
        if version not in (1, 2):
            raise Unsupported("payload version %d" % version)
        need(flags < 128 and not (version == 2 and flags & 64), "a reserved bit is set")
        need((version == 2) == (record is not None), "a payload is bare where it should not be, or the reverse")
        if record:
            self.dtype, self.shape, self.bound = record
        else:
            self.dtype, rank = read_dtype(cur)
            self.shape = tuple(cur.varint() for _ in range(rank))
            check_size(self.shape, self.dtype)
            self.bound = read_bound(cur)
        self.base = cur.u8()
        self.variable = self.chunk = 0
        if flags & 32:
            self.variable, self.chunk = cur.varint(), cur.varint()
        self.model = bytes(cur.take(32)) if flags & 16 else None
        length = cur.varint()
        before = cur.pos
        self.crc = cur.uint(4)
        if flags & 64:
            need(not any(cur.take(-cur.pos % 8)), "padding is not zero")
        self.body = cur.take(length)
        need(cur.left() == 0, "bytes after the body")
        need(self.crc == crc32c(data[:before] + self.body), "the crc of a payload does not match")
        self.references, self.body = split_references(self.base, self.variable, self.chunk, self.body)


class Inside:
    """§6.2: a chunk inside its record, seen as a payload."""

    def __init__(self, segment, table, body, model):
        self.model = model
        self.dtype, self.shape = segment.variable.dtype, segment.shape
        self.base = table.bases[0]
        own = segment.variable.number, segment.first_chunk
        self.references, self.body = split_references(self.base, *own, body)


def is_conditioned(base):
    """§6.12."""
    return 32 <= base < 64


def read_references(cur, variable, chunk):
    """§6.12: (variable, chunk) of each chunk that this one needs."""
    found = []
    count = cur.u8()
    need(1 <= count <= 3, "no references, or too many")
    for _ in range(count):
        back = cur.varint()
        need(back <= variable, "a reference to a variable before the first")
        place = variable - back, chunk
        if back == 0:
            earlier = cur.varint()
            need(0 < earlier <= chunk, "a reference to a chunk that is not before")
            place = variable, chunk - earlier
        need(place not in found, "a reference that is there twice")
        found.append(place)
    return found


def split_references(base, variable, chunk, body):
    """What a body begins with, if its base says so, and the rest."""
    if not is_conditioned(base):
        return [], body
    cur = Cursor(body)
    references = read_references(cur, variable, chunk)
    return references, cur.take(cur.left())


def place_of(variables, variable, chunk):
    """Segment, number in it, start and extents of a chunk; None if it is not there."""
    for segment in variables[variable].segments:
        k = chunk - segment.first_chunk
        if 0 <= k < segment.chunks:
            start, extents = list(segment.places())[k]
            start = (segment.row + start[0], *start[1:]) if start else ()
            return segment, k, start, extents
    return None


def refer(variables, segment, k, references):
    """§6.12: takes note of what a chunk needs, once that has been checked."""
    own = segment.variable.number
    _, _, start, extents = place_of(variables, own, segment.first_chunk + k)
    depth = 0
    for variable, chunk in references:
        there = place_of(variables, variable, chunk)
        need(there is not None, "a reference to a chunk that is not there")
        need(there[3] == extents and (variable == own or there[2] == start), "a reference to other places")
        depth = max(depth, 1 + there[0].depths.get(there[1], 0))
    need(depth <= 8, "a chain of references that is too long")
    segment.references[k], segment.depths[k] = references, depth


class Table:
    """§6.5: a chunk table; `lengths` are left out for a chunk inside its record."""

    def __init__(self, cur, chunks, dtype, lengths=True):
        flags = cur.u8()
        need(not flags & 16 or flags & 8, "one error without errors")
        self.lengths = [cur.varint() if lengths else 1 for _ in range(chunks)]
        need(flags & 64 or 0 not in self.lengths, "a chunk is missing")
        present = [i for i, n in enumerate(self.lengths) if n]
        if flags & 32:
            base = cur.u8()
            self.bases = {i: base for i in present}
        else:
            self.bases = {i: cur.u8() for i in present}
        self.crcs = {i: cur.uint(4) for i in present} if flags & 128 else {}
        if flags & 8:
            for _ in range(1 if flags & 16 else len(present)):
                need(cur.uint(2) <= 0xFF00, "an error is NaN")
        if flags & 7:
            kept = SIZES[dtype] - (7 - (flags & 7))
            need(kept > 0, "a range drops more bytes than there are")
            cur.take(2 * kept * len(present))


class Table1:
    """§6.9: a chunk table of format version 1."""

    def __init__(self, cur, chunks, dtype):
        flags = cur.u8()
        need(not flags & 64, "a reserved bit is set")
        need(not flags & 32 or flags & 2, "one error without errors")
        self.lengths = [cur.varint() for _ in range(chunks)]
        need(flags & 16 or 0 not in self.lengths, "a chunk is missing")
        present = [i for i, n in enumerate(self.lengths) if n]
        if flags & 8:
            base = cur.u8()
            self.bases = {i: base for i in present}
        else:
            self.bases = {i: cur.u8() for i in present}
        self.crcs = {i: cur.uint(4) for i in present} if flags & 1 else {}
        if flags & 2:
            for _ in range(1 if flags & 32 else len(present)):
                error = cur.uint(4)
                need(error <= 0x7F800000, "an error is negative or NaN")
        if flags & 4:
            cur.take(2 * SIZES[dtype] * len(present))


class Segment:
    """§6.4: a part of a variable, and its grid of chunks."""

    def __init__(self, variable, shape, chunk_shape, first_chunk, row):
        self.variable, self.shape, self.first_chunk, self.row = variable, shape, first_chunk, row
        self.chunk_shape = chunk_shape or tuple(max(1, e) for e in shape)
        need(0 not in self.chunk_shape, "a chunk has an extent of 0")
        self.counts = [-(-e // c) for e, c in zip(shape, self.chunk_shape)]
        self.chunks = 1
        for n in self.counts:
            self.chunks *= n
        self.table, self.inside, self.starts = None, None, []
        self.references, self.depths = {}, {}

    def places(self):
        """(start, extents) of every chunk, in the order of their numbers."""
        for at in product(*map(range, self.counts)):
            start = tuple(i * c for i, c in zip(at, self.chunk_shape))
            yield start, tuple(min(c, e - s) for c, e, s in zip(self.chunk_shape, self.shape, start))


class Variable:
    """§6.2: what a variable record says."""

    def __init__(self, cur, number, names, version):
        need(cur.varint() == number, "a variable has the wrong ordinal")
        self.number, self.version = number, version
        flags = cur.u8()
        if version == 1:
            need(not flags & 64, "a reserved bit is set")
            flags &= 63
        self.dtype, rank = read_dtype(cur)
        shape = tuple(cur.varint() for _ in range(rank))
        check_size(shape, self.dtype)
        chunk_shape = tuple(cur.varint() for _ in range(rank)) if flags & 16 else None
        self.bound = read_bound(cur)
        self.name = cur.text()
        need(self.name not in names, "two variables have one name")
        self.units = cur.text() if flags & 1 else None
        self.attributes = []
        if flags & 2:
            for _ in range(cur.varint()):
                name = cur.text()
                self.attributes.append((name, cur.text()))
        self.dimensions = [cur.text() for _ in range(rank)] if flags & 4 else None
        self.fill = cur.uint(SIZES[self.dtype]) if flags & 8 else None
        self.segments = [Segment(self, shape, chunk_shape, 0, 0)]
        read_held(cur, self.segments[0], flags >> 5)

    @property
    def shape(self):
        first = self.segments[0].shape
        return (sum(s.shape[0] for s in self.segments), *first[1:]) if first else ()

    def extend(self, cur):
        """§6.3: the rest of an extension record."""
        flags = cur.u8()
        need(not flags & (0x7C if self.version == 1 else 0xF0), "a reserved bit is set")
        first = self.segments[0].shape
        need(first, "a variable of rank 0 cannot grow")
        number = sum(s.chunks for s in self.segments)
        need(cur.varint() == number, "a segment has the wrong first chunk")
        extent = cur.varint()
        need(extent > 0, "a segment has an extent of 0")
        chunk_shape = tuple(cur.varint() for _ in first) if flags & 1 else None
        segment = Segment(self, (extent, *first[1:]), chunk_shape, number, self.shape[0])
        self.segments.append(segment)
        check_size(self.shape, self.dtype)
        read_held(cur, segment, flags >> 1 & 7)
        return segment


def read_held(cur, segment, flags):
    """§6.2: what a record holds besides its fields. Bit 0: a table. 1: the chunk. 2: the chunk has a model."""
    version, dtype = segment.variable.version, segment.variable.dtype
    need(flags in (0, 1, 2, 6), "a record that holds what cannot be together")
    need(not flags or segment.chunks == 1, "a chunk or its table inside a record of other than one chunk")
    if flags == 1:
        segment.table = (Table1 if version == 1 else Table)(cur, 1, dtype)
    if flags & 2:
        model = bytes(cur.take(32)) if flags & 4 else None
        table = Table(cur, 1, dtype, lengths=False)
        need(cur.left() > 0, "a chunk without a body")
        segment.inside = Inside(segment, table, cur.take(cur.left()), model)


def read_index(data, end, version):
    """§6.6: (start, previous, cursor at the first table, offset of the index) of the session that ends at `end`."""
    first = first_group(version)
    need(end >= first + 8 and data[end - 2 : end] == b"\x9d\x7a", "the file ends in no footer: it is torn")
    back = Cursor(bytes(reversed(data[max(first, end - 12) : end - 2])))
    length = back.varint()
    tail = end - 2 - back.pos - 4
    start = tail - length
    need(start >= first, "an index reaches past the start of the file")
    covered = data[start:tail] + (struct.pack("<Q", start) if version > 1 else b"")
    need(int.from_bytes(data[tail : tail + 4], "little") == crc32c(covered), "the crc of an index does not match")
    cur = Cursor(data, start, tail)
    previous = cur.varint()
    need(previous == 0 or first + 8 <= previous <= start, "no session ends there")
    return previous or first, previous, cur, start


def first_group(version):
    return 10 if version == 1 else 9


def read_container(data):
    """All variables, with the offsets of their payloads, and the files of the models inside, by id."""
    need(data[:8] == b"\x89SCZ\r\n\x1a\n", "not a scicodec file")
    head = Cursor(data, 8)
    version = head.u8()
    if version not in (1, 2):
        raise Unsupported("format version %d" % version)
    need(version == 2 or not head.u8() & 15, "a reserved bit is set")
    sessions, end = [], len(data)
    while True:
        begin, previous, cur, start = read_index(data, end, version)
        sessions.append((begin, cur, start))
        if not previous:
            break
        end = previous
    variables, models = [], {}
    for begin, index, end in reversed(sessions):
        at = begin
        waiting = None
        while at < end:
            at, waiting = read_group(data, at, end, index, variables, models, version, waiting)
        need(waiting is None, "the references of a segment are missing")
        need(at == end and index.left() == 0, "groups and index do not fit")
    return variables, models


def read_group(data, at, end, index, variables, models, version, waiting):
    """Reads the record at `at`; returns the offset behind its payloads, and the segment of which the next record must tell
    the references: `waiting` is that of the record before."""
    cur = Cursor(data, at, end)
    tag = cur.u8()
    length = cur.varint()
    body = Cursor(data, cur.pos, cur.pos + len(cur.take(length)))
    need(crc32c(data[at : cur.pos]) == cur.uint(4), "the crc of a record does not match")
    if tag == 0x72 and version > 1:
        need(waiting is not None and body.varint() == waiting.variable.number, "references of chunks that have none")
        for k, base in sorted(waiting.table.bases.items()):
            if is_conditioned(base):
                own = waiting.variable.number, waiting.first_chunk + k
                refer(variables, waiting, k, read_references(body, *own))
        need(body.left() == 0, "a record is longer than its fields")
        return cur.pos, None
    need(waiting is None, "the references of a segment are missing")
    if tag == (0x56 if version == 1 else 0x76):
        variable = Variable(body, len(variables), [v.name for v in variables], version)
        variables.append(variable)
        segment = variable.segments[0]
    elif tag == (0x45 if version == 1 else 0x65):
        number = body.varint()
        need(number < len(variables), "a variable does not come before its extension")
        segment = variables[number].extend(body)
    elif tag == 0x6D and version > 1:
        read_model_record(body.take(length), models)
        return cur.pos, None
    else:
        raise Corrupt("an unknown tag")
    need(body.left() == 0, "a record is longer than its fields")
    if segment.table is None and segment.inside is None and segment.chunks:
        segment.table = (Table1 if version == 1 else Table)(index, segment.chunks, segment.variable.dtype)
    at = cur.pos
    for length in segment.table.lengths if segment.table else ():
        if length:
            start = at if is_bare(version, length) else at + -at % 64
            segment.starts.append((at, start))
            at = start + length
            need(at <= end, "a payload reaches past the start of the index")
        else:
            segment.starts.append(None)
    if segment.inside and segment.inside.references:
        refer(variables, segment, 0, segment.inside.references)
    conditioned = segment.table and any(map(is_conditioned, segment.table.bases.values()))
    return at, segment if conditioned else None


def read_model_record(file, models):
    """§6.10: the file of a model is read when a chunk asks for it."""
    need(len(file) >= 40 and file[:8] == b"\x89SCM\r\n\x1a\n", "a model in the file does not begin as one, or is too short")
    need(bytes(file[-32:]) not in models, "a model is in the file twice")
    models[bytes(file[-32:])] = bytes(file)


def is_bare(version, length):
    """§6: small payloads are bare and unaligned."""
    return version > 1 and length < 4096


def read_payload(data, segment, k, extents):
    """Chunk k of a segment, checked against record, grid and table."""
    variable = segment.variable
    if segment.inside:
        return segment.inside
    if segment.starts[k] is None:
        raise Corrupt("variable %d: chunk %d is missing" % (variable.number, segment.first_chunk + k))
    gap, start = segment.starts[k]
    need(not any(data[gap:start]), "padding is not zero")
    length = segment.table.lengths[k]
    record = (variable.dtype, extents, variable.bound) if is_bare(variable.version, length) else None
    payload = Payload(data[start : start + length], record)
    need(payload.references == segment.references.get(k, []), "a payload with other references")
    said = (payload.variable, payload.chunk, payload.dtype, payload.shape, payload.bound, payload.base)
    place = (variable.number, segment.first_chunk + k, variable.dtype, extents, variable.bound, segment.table.bases[k])
    need(said == place, "a payload is not the one that belongs there")
    need(payload.crc == segment.table.crcs.get(k, payload.crc), "a payload has another crc than its table says")
    return payload
