#!/usr/bin/env python3
"""Decodes every golden file and compares it with the manifest: `check.py [part of a name]`, one line a file."""
import hashlib
import pathlib
import sys
import time

from read_scz import decode_file

ROOT = pathlib.Path(__file__).resolve().parents[2] / "testdata" / "golden"


def check(path, rows):
    variables, arrays = decode_file(path)
    wrong = [] if len(rows) == len(variables) else ["%d variables" % len(variables)]
    for number, name, dtype, shape, digest in rows:
        variable, array = variables[int(number)], arrays[int(number)]
        said = (variable.name, array.dtype.name, ",".join(map(str, array.shape)))
        if said != (name, dtype, shape):
            wrong.append("%s: %s" % (number, said))
        bits = array.astype(array.dtype.newbyteorder("<"))
        if hashlib.sha256(bits.tobytes()).hexdigest() != digest:
            wrong.append("%s: other bits" % number)
    return wrong


def main(part=""):
    failed = 0
    for folder in sorted(ROOT.iterdir()):
        files = {}
        for line in (folder / "manifest.tsv").read_text().splitlines()[1:]:
            file, *row = line.split("\t")
            files.setdefault(file, []).append(row)
        for file, rows in files.items():
            if part not in file:
                continue
            begun = time.monotonic()
            try:
                wrong = check(folder / file, rows)
            except Exception as e:
                wrong = ["%s: %s" % (type(e).__name__, e)]
            failed += bool(wrong)
            took = time.monotonic() - begun
            print("%-6s %5.1f s  %s/%s  %s" % ("FAILED" if wrong else "ok", took, folder.name, file, "; ".join(wrong)))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
