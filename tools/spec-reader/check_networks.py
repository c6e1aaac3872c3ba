#!/usr/bin/env python3
"""Runs every golden network and compares its output with the table: one line a network, the number of them at the end."""
import hashlib
import pathlib
import sys

import numpy as np

from networks import read_model

ROOT = pathlib.Path(__file__).resolve().parents[2] / "testdata" / "golden"


def scattered(tensor, shape):
    """The input that the table was made with: (i·2654435761 mod 2^32) >> 7 at offset i, modulo the span's size, from its low on."""
    low, high = tensor.span
    offsets = np.arange(np.prod(shape) * tensor.channels, dtype=np.uint64)
    values = (offsets * np.uint64(2654435761) % np.uint64(1 << 32)) >> np.uint64(7)
    return (values.astype(np.int64) % (high - low + 1) + low).reshape(*shape, tensor.channels)


def main():
    seen = failed = 0
    for table in sorted(ROOT.glob("*/networks.tsv")):
        models = {}
        for line in table.read_text().splitlines()[1:]:
            file, name, shape, condition, digest = line.split("\t")
            if file not in models:
                models[file] = read_model((table.parent / file).read_bytes())[0]
            network = models[file][name]
            out = network.run(scattered(network.tensors[0], [int(n) for n in shape.split(",")]), int(condition))
            same = hashlib.sha256(out.astype("<i2").tobytes()).hexdigest() == digest
            print("%-6s %s  %s, condition %s" % ("ok" if same else "FAILED", file, name, condition))
            seen, failed = seen + 1, failed + (not same)
    print("%d golden networks" % seen)
    return 1 if failed or not seen else 0


if __name__ == "__main__":
    sys.exit(main())
