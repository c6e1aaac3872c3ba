#!/usr/bin/env python3
"""A second decoder of .scz files, written from SPEC.md: `read_scz.py IN.scz FOLDER` writes FOLDER/0.npy, 1.npy, …,
and what they stand for as FOLDER/dataset.json."""
import json
import math
import pathlib
import sys

import numpy as np

from beside import Reference
from body import decode_chunk
from container import DTYPES, place_of, read_container, read_payload
from dataset import describe
from entropy import Corrupt, Unsupported

LIMIT = 1 << 28  # bytes of a decoded chunk


def decode_bits(data, variables, segment, k, extents, models, known):
    """The bits of a chunk's elements, after those of the chunks that it needs."""
    own = segment.variable.number, segment.first_chunk + k
    if own not in known:
        payload = read_payload(data, segment, k, extents)
        needed = []
        for variable, chunk in payload.references:
            there, number, _, size = place_of(variables, variable, chunk)
            bits = decode_bits(data, variables, there, number, size, models, known)
            needed.append(Reference(there.variable.dtype, bits, there.variable.fill))
        known[own] = decode_chunk(payload, models, needed)
    return known[own]


def decode_variable(data, variables, variable, models, known):
    dtype = np.dtype(DTYPES[variable.dtype])
    unsigned = np.dtype("u%d" % dtype.itemsize)
    for segment in variable.segments:
        if segment.chunks and math.prod(map(min, segment.chunk_shape, segment.shape)) * dtype.itemsize > LIMIT:
            raise Unsupported("a chunk is larger than this reader's limit")
    out = np.zeros(variable.shape, unsigned)
    for segment in variable.segments:
        for k, (start, extents) in enumerate(segment.places()):
            bits = decode_bits(data, variables, segment, k, extents, models, known)
            bits = np.array(bits, unsigned).reshape(extents)
            if extents:
                start = (start[0] + segment.row, *start[1:])
            out[tuple(slice(s, s + e) for s, e in zip(start, extents))] = bits
    return out.view(dtype) if out.ndim else out.reshape(1).view(dtype).reshape(())


def decode_file(path):
    data = pathlib.Path(path).read_bytes()
    variables, models = read_container(data)
    known = {}
    return variables, [decode_variable(data, variables, v, models, known) for v in variables]


def main(arguments):
    if len(arguments) != 2:
        print("usage: read_scz.py IN.scz FOLDER", file=sys.stderr)
        return 2
    try:
        variables, arrays = decode_file(arguments[0])
    except (Corrupt, Unsupported) as e:
        print("%s: %s: %s" % (arguments[0], type(e).__name__.lower(), e), file=sys.stderr)
        return 1
    folder = pathlib.Path(arguments[1])
    folder.mkdir(parents=True, exist_ok=True)
    for k, array in enumerate(arrays):
        np.save(folder / ("%d.npy" % k), array)
    (folder / "dataset.json").write_text(json.dumps([describe(v) for v in variables]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
