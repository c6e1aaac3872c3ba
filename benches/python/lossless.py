#!/usr/bin/env python3
"""Lossless ratios of .npy fields beside pcodec and bit-shuffled Zstandard, as Markdown.

    python3 benches/python/lossless.py PROGRAM FOLDER... > benches/results/lossless.md

PROGRAM is `scicodec`. Every file is decoded and compared byte for byte. pcodec has its highest level; Zstandard, level 19 behind
a bit shuffle, is what HDF5 files and Zarr stores have by way of hdf5plugin. Ratio: bytes of the field ÷ bytes of the file, or of the
stream.
"""
import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path

import environment

if __name__ == "__main__":
    environment.enter()
import h5py
import hdf5plugin
import numpy as np
from pcodec import ChunkConfig, standalone

EFFORTS = ["fast", "default"]


def run(*words):
    return subprocess.run([str(w) for w in words], check=True, capture_output=True, text=True).stdout


def scicodec(program, path, field, work, effort):
    """Bytes of the file, and the bases of its chunks."""
    coded, back = work / "a.scz", work / "a.npy"
    run(program, "encode", path, "-o", coded, "-f", "-q", "-e", "lossless", "--effort", effort)
    run(program, "decode", coded, "-o", back, "-f", "-q")
    if np.load(back).tobytes() != field.tobytes():
        sys.exit(f"{path}: not the same bytes")
    bases = json.loads(run(program, "info", coded, "--json"))["variables"][0]["bases"]
    return coded.stat().st_size, ", ".join(bases)


def zstandard(field, work):
    path = work / "a.h5"
    with h5py.File(path, "w") as file:
        kind = hdf5plugin.Bitshuffle(cname="zstd", clevel=19)
        stored = file.create_dataset("a", data=field, chunks=field.shape, compression=kind)
        return stored.id.get_storage_size()


def mean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    program, folders = sys.argv[1], sys.argv[2:]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for path in sorted(p for f in folders for p in Path(f).glob("*.npy")):
            field = np.ascontiguousarray(np.load(path))
            ours = [scicodec(program, path, field, work, effort) for effort in EFFORTS]
            pcodec = len(standalone.simple_compress(field.ravel(), ChunkConfig(compression_level=12)))
            others = [pcodec, zstandard(field, work)]
            rows.append((path.stem, field, [field.nbytes / n for n in [o[0] for o in ours] + others], ours[1][1]))
    print("# Lossless, beside others\n")
    print("".join(f"- {what}: {which}\n" for what, which in environment.describe()), end="")
    print("- command: `python3 benches/python/lossless.py PROGRAM FOLDER...`")
    print("\n| field | type | fast | default | pcodec | bitshuffle + zstd | default ÷ pcodec | bases |")
    print("|---|---|---|---|---|---|---|---|")
    for name, field, ratios, bases in rows:
        shown = " | ".join(f"{r:.3f}" for r in ratios)
        print(f"| {name} | {field.dtype} | {shown} | {ratios[1] / ratios[2]:.3f} | {bases} |")
    shown = " | ".join(f"{mean([r[2][k] for r in rows]):.3f}" for k in range(4))
    print(f"| **geometric mean** | | {shown} | {mean([r[2][1] / r[2][2] for r in rows]):.3f} | |")


if __name__ == "__main__":
    main()
