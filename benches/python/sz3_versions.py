#!/usr/bin/env python3
"""Which version of SZ3 made a table of peers: two of them beside its column `SZ3`.

    python3 benches/python/sz3_versions.py FOLDER REFERENCE.csv -o RESULT.md [--every N]

Every N-th field (4) of the folder at the value-range-relative bounds of the reference, in the field's own shape and with axes
merged, with the tolerance that the bound is; streams that break it do not count. Each version has a virtual environment of its own.
"""

import argparse
import csv
import json
import pathlib
import statistics
import subprocess
import sys
import venv

import environment

VERSIONS = ("1.0.3", "1.1.0")
OLD = ("INTERP_LORENZO", "INTERP", "LORENZO_REG")


def python_with(version):
    folder = environment.TARGET / f"pysz-{version}"
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        venv.create(folder, with_pip=True, clear=True)
        pins = (environment.HERE / "requirements.txt").read_text().split()
        numpy = next(pin for pin in pins if pin.startswith("numpy=="))
        subprocess.run([python, "-m", "pip", "install", "--quiet", numpy, f"pysz=={version}"], check=True)
        (folder / "ready").touch()
    return python


def measure(cells):
    """Prints per cell the best ratio of the three algorithms that SZ3 3.3 documents, and of all; first the version."""
    import numpy as np
    from peer_codecs import Sz3
    from peer_search import Field, once

    peer, said = Sz3(), False
    for path, bound in cells:
        field = Field(np.load(path))
        best = {"three": 0.0, "all": 0.0}
        for setting in peer.settings(field.values):
            try:
                found = once(peer, field, setting, bound * field.range)
            except Exception:  # a shape that it does not take
                continue
            if not said:
                # The second word of a stream: the version, a byte a part.
                *_, minor, middle, major = bytes(found.stream[4:8])
                print(json.dumps(f"{major}.{middle}.{minor}"))
                said = True
            if found.max_error <= bound * field.range:
                ratio = field.values.nbytes / len(found.stream)
                for name in ["all", "three"] if setting["algorithm"] in OLD else ["all"]:
                    best[name] = max(best[name], ratio)
        print(json.dumps(best), flush=True)


def main():
    if sys.argv[1] == "--measure":
        return measure(json.load(sys.stdin))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("reference", type=pathlib.Path)
    parser.add_argument("-o", required=True, type=pathlib.Path)
    parser.add_argument("--every", type=int, default=4)
    arguments = parser.parse_args()
    with open(arguments.reference, newline="") as lines:
        theirs = [row for row in csv.DictReader(lines) if row["kind"] == "rel" and row["SZ3"]]
    fields = list(dict.fromkeys(row["field"] for row in theirs))[:: arguments.every]
    theirs = [row for row in theirs if row["field"] in fields]
    cells = [(str(arguments.folder / f"{row['field']}.npy"), float(row["bound"])) for row in theirs]

    text = ["# Two versions of SZ3 beside a table of peers", ""]
    text += [f"- command: `python3 benches/python/sz3_versions.py {arguments.folder.name} {arguments.reference.name}`"]
    text += [f"- {len(fields)} fields, {len(cells)} cells; ratio here ÷ ratio there", ""]
    text += ["| pysz | SZ3 in it | algorithms | median | middle half | within 2 % | worse here | better here |", "|---" * 8 + "|"]
    for version in VERSIONS:
        command = [python_with(version), __file__, "--measure"]
        done = subprocess.run(command, input=json.dumps(cells), capture_output=True, text=True, check=True)
        inside, *found = map(json.loads, done.stdout.splitlines())
        for name in ("three", "all"):
            shares = sorted(f[name] / float(row["SZ3"]) for f, row in zip(found, theirs, strict=True))
            low, middle, high = statistics.quantiles(shares, n=4)
            worse, better = sum(s < 0.98 for s in shares), sum(s > 1.02 for s in shares)
            words = "interpolation + Lorenzo, interpolation, Lorenzo + regression" if name == "three" else "those and no prediction"
            line = [version, inside, words, f"{middle:.3f}", f"{low:.3f}–{high:.3f}", len(shares) - worse - better, worse, better]
            text.append(f"| {' | '.join(map(str, line))} |")
    arguments.o.write_text("\n".join(text) + "\n")


if __name__ == "__main__":
    main()
