#!/usr/bin/env python3
"""Speed of scicodec against SZ3 on the same fields in the same run.

    python3 benches/python/speed.py FOLDER... [-o RESULT.md] [--json RESULT.json] [--runs 5] [--only NAME]
        [--no-verify]

Takes the .npy fields of at least 4 MB in the folders and one synthetic field, at rel 1e-2, 1e-3, 1e-4 and nrmse 1e-3.
Everything is timed in memory, one thread each, by turns: SZ3 encode and decode, then scicodec's `fast` and `default` (with classical bases alone)
with one and with two threads, then the next turn; a figure is the median over the turns. scicodec's encoding time
holds its checks of the bound on decoded values (--no-verify leaves out the second one) and, for nrmse, its search for
the quantisation; SZ3 checks nothing and is given for nrmse the absolute bound that just meets it, found beforehand. scicodec gets fields as they are stored,
missing values included; SZ3 gets them with missing values filled by the nearest valid one.
"""

import argparse
import json
import math
import pathlib
import statistics
import sys
import tempfile

import environment

EFFORTS = ("fast", "default-no-model")
BOUNDS = (("rel", 1e-2), ("rel", 1e-3), ("rel", 1e-4), ("nrmse", 1e-3))
# What is asked of scicodec's speed, as a share of SZ3's: (encode, decode).
WANTED = {"fast": (0.5, 0.4), "default-no-model": (0.12, 0.12)}
WANTED_THREADS = 1.8


def measure(name, stored, worker, arguments, scratch):
    """One row per bound for this field."""
    import fields
    import peer_sz3

    filled = fields.fill_nearest(stored)
    worker.field(stored, scratch)
    rows = []
    for kind, value in BOUNDS:
        bound = peer_sz3.error_bound(filled, kind, value)
        times = {}
        row = {"field": name, "dtype": stored.dtype.name, "shape": list(stored.shape), "bytes": stored.nbytes}
        row |= {"kind": kind, "bound": value, "sizes": {}, "errors": {}}
        for turn in range(arguments.runs + 1):

            def keep(what, seconds):
                if turn > 0:  # the first turn warms caches and the allocator
                    times.setdefault(what, []).append(seconds)

            stream, seconds = peer_sz3.encode(filled, bound)
            keep("SZ3 encode", seconds)
            keep("SZ3 decode", peer_sz3.decode(stream, filled)[1])
            row["sizes"]["SZ3"] = len(stream)
            for effort in EFFORTS:
                for threads in (1, 2):
                    seconds, size = worker.encode(kind, value, effort, threads, arguments.verify)
                    keep(f"{effort} encode {threads}", seconds)
                    keep(f"{effort} decode {threads}", worker.decode(threads))
                    row["sizes"][effort] = size
                if turn == 0:
                    row["errors"][effort] = worker.check()
                    refuse_broken(name, kind, value, row["errors"][effort])
        row["seconds"] = {what: statistics.median(taken) for what, taken in times.items()}
        rows.append(row)
        taken = ", ".join(f"{what} {seconds:.4f}" for what, seconds in row["seconds"].items())
        print(f"{name} {kind} {value:g}: {taken}", file=sys.stderr)
    return rows


def refuse_broken(name, kind, value, error):
    """Speed without the bound means nothing."""
    reached = error["max_error" if kind == "rel" else "rmse"]
    if reached > value * error["range"] * (1.0 + 1e-12):
        raise RuntimeError(f"{name}: {kind}={value:g} allows {value * error['range']}, but the error is {reached}")


def share(row, effort, what):
    """scicodec's MB/s ÷ SZ3's."""
    return row["seconds"][f"SZ3 {what}"] / row["seconds"][f"{effort} {what} 1"]


def speed_up(row, effort, what):
    """Two threads' MB/s ÷ one's."""
    return row["seconds"][f"{effort} {what} 1"] / row["seconds"][f"{effort} {what} 2"]


def mean(values):
    """Geometric mean."""
    values = list(values)
    return math.exp(sum(map(math.log, values)) / len(values))


def markdown(result):
    """The result as a page."""
    rows = result["rows"]
    text = ["# Speed against SZ3", ""]
    text += [f"- {what}: {which}" for what, which in result["made_by"]]
    text += [f"- command: `{result['command']}`", "", " ".join(__doc__.split("\n\n")[2].split()), ""]

    text += ["## Means", ""]
    text += ["Geometric mean (and smallest) of scicodec's MB/s ÷ SZ3's, one thread, and of two threads' ÷ one's.", ""]
    text += ["| effort | bound | encode ÷ SZ3 | decode ÷ SZ3 | 2 threads ÷ 1, encode | decode |"]
    text += ["|---|---|---|---|---|---|"]
    for effort in EFFORTS:
        for kind, value in (*BOUNDS, (None, None)):
            some = [r for r in rows if kind is None or (r["kind"], r["bound"]) == (kind, value)]
            cells = [[f(r, effort, w) for r in some] for f in (share, speed_up) for w in ("encode", "decode")]
            label = "**all**" if kind is None else f"{kind} {value:g}"
            text.append(f"| {effort} | {label} | " + " | ".join(f"{mean(c):.3f} ({min(c):.3f})" for c in cells) + " |")
    asked = "; ".join(f"{effort} ≥ {wanted[0]:g} encode, ≥ {wanted[1]:g} decode" for effort, wanted in WANTED.items())
    text += ["", f"Asked for: {asked}; two threads ≥ {WANTED_THREADS:g}.", ""]

    text += ["## Fields", ""]
    text += ["MB/s (10⁶ bytes of the field), one thread; in brackets ÷ SZ3. Ratio: bytes in ÷ bytes out.", ""]
    heads = "".join(f" {effort} encode | decode | ratio |" for effort in EFFORTS)
    text += [f"| field | bound | SZ3 encode | decode | ratio |{heads}"]
    text += ["|---|---|---|---|---|" + "---|---|---|" * len(EFFORTS)]
    for row in rows:
        size = row["bytes"]

        def rate(what):
            return size / 1e6 / row["seconds"][what]

        shape = "×".join(map(str, row["shape"]))
        line = f"| {row['field']} {row['dtype']} {shape} | {row['kind']} {row['bound']:g} |"
        line += f" {rate('SZ3 encode'):.0f} | {rate('SZ3 decode'):.0f} | {size / row['sizes']['SZ3']:.2f} |"
        for effort in EFFORTS:
            for what in ("encode", "decode"):
                line += f" {rate(f'{effort} {what} 1'):.1f} ({share(row, effort, what):.2f}) |"
            line += f" {size / row['sizes'][effort]:.2f} |"
        text.append(line)
    return "\n".join(text) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", metavar="FOLDER", help="where to look for .npy fields of at least 4 MB")
    parser.add_argument("-o", "--output", help="write Markdown here instead of to standard output")
    parser.add_argument("--json", help="write every figure here")
    parser.add_argument("--runs", type=int, default=5, help="timed turns per field and bound (5)")
    parser.add_argument("--only", default="", help="only fields whose name holds this")
    parser.add_argument("--no-verify", dest="verify", action="store_false", help="without scicodec's second check")
    parser.add_argument("--worker", help="a speed-worker built before, instead of building it")
    arguments = parser.parse_args()
    environment.enter()

    import fields
    import numpy as np
    import worker as side

    chosen = [(name, lambda path=path: np.load(path)) for name, path in fields.large_fields(arguments.folders)]
    chosen += [(fields.SYNTHETIC, fields.power_law)]
    worker = side.Worker(arguments.worker or side.build())
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        for name, load in chosen:
            if arguments.only in name:
                rows += measure(name, np.ascontiguousarray(load()), worker, arguments, scratch)
    worker.close()
    if not rows:
        sys.exit("no such field")

    # Folders by their own names: where they lie on this machine says nothing.
    command = ["python3", "benches/python/speed.py", *(pathlib.Path(f).name for f in arguments.folders)]
    command += ["--runs", str(arguments.runs)] + (["--only", arguments.only] if arguments.only else [])
    command += [] if arguments.verify else ["--no-verify"]
    result = {"command": " ".join(command), "made_by": environment.describe(), "rows": rows}
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(result, indent=1) + "\n")
    page = markdown(result)
    if arguments.output:
        pathlib.Path(arguments.output).write_text(page)
    else:
        print(page, end="")


if __name__ == "__main__":
    main()
