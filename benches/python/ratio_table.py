#!/usr/bin/env python3
"""Compression ratios against the peers': joins two tables and writes Markdown. Needs nothing but Python 3.

    python3 benches/python/ratio_table.py OURS.csv PEERS.csv [-o RESULT.md] [--command TEXT]

OURS.csv is what the `ratios` bench writes (field,kind,bound,effort,bytes_in,bytes_out,ratio,...), PEERS.csv has one
line per field and bound (field,shape,dtype,looks_quantised,kind,bound,best_peer,best_ratio,SZ3,...). Ratio is bytes
in ÷ bytes out. A cell is one field at one bound; its figure is our ratio ÷ the peer's.
"""

import argparse
import csv
import math
import pathlib
import sys

# What is asked of the geometric mean of our ratio ÷ the best peer's, at the default effort.
WANTED = {
    ("rel", 1e-1): 1.50,
    ("rel", 1e-2): 1.33,
    ("rel", 1e-3): 1.24,
    ("rel", 1e-4): 1.15,
    ("rel", 1e-5): 1.10,
    ("rel", 1e-6): 1.06,
    ("nrmse", 1e-2): 1.28,
    ("nrmse", 1e-3): 1.18,
    ("nrmse", 1e-4): 1.11,
}
# ... and of every single cell, and of the mean of ours ÷ SZ3's at the fast effort.
WANTED_CELL = 0.97
WANTED_FAST = 1.10


def read(path, columns):
    """The lines of a CSV file, as dictionaries. Ends with a plain message where a column is missing."""
    with open(path, newline="") as lines:
        table = csv.DictReader(lines)
        missing = [c for c in columns if c not in (table.fieldnames or [])]
        if missing:
            sys.exit(f"{path}: no column {', '.join(missing)}; it has {', '.join(table.fieldnames or ['nothing'])}")
        return list(table)


def key(row):
    """Field, kind of bound and value: 0.1, 1e-1 and 1.0E-01 are the same."""
    return row["field"].removesuffix(".npy"), row["kind"], float(f"{float(row['bound']):.6e}")


def join(ours, peers):
    """Cells: one dictionary for each line of ours that the peers have; and the keys that have no partner."""
    theirs = {key(row): row for row in peers}
    cells, alone = [], []
    for row in ours:
        peer = theirs.get(key(row))
        if peer is None:
            alone.append(key(row))
            continue
        ratio = float(row["ratio"])
        field, kind, bound = key(row)
        cell = {"field": field, "kind": kind, "bound": bound, "effort": row["effort"], "ratio": ratio}
        cell |= {"base": row.get("base", ""), "shape": peer["shape"], "dtype": peer["dtype"]}
        cell |= {"quantised": peer["looks_quantised"].strip().lower() in ("true", "1", "yes")}
        cell |= {"peer": peer["best_peer"], "peer_ratio": float(peer["best_ratio"])}
        cell["of_best"] = ratio / cell["peer_ratio"]
        cell["of_sz3"] = ratio / float(peer["SZ3"]) if peer["SZ3"] else None
        cells.append(cell)
    covered = {(c["effort"], (c["field"], c["kind"], c["bound"])) for c in cells}
    unmet = {effort: [k for k in theirs if (effort, k) not in covered] for effort, _ in covered}
    return cells, alone, unmet


def mean(values):
    """Geometric mean; NaN of nothing."""
    values = [v for v in values if v]
    return math.exp(sum(map(math.log, values)) / len(values)) if values else math.nan


def bounds_of(cells):
    """Bounds in the order of a table: rel before nrmse before others, loose before tight."""
    order = ["rel", "nrmse"]
    found = {(c["kind"], c["bound"]) for c in cells}
    return sorted(found, key=lambda b: (order.index(b[0]) if b[0] in order else len(order), b[0], -b[1]))


def named(bound):
    return f"{bound[0]} {bound[1]:g}"


def means_table(cells, effort):
    """Means per bound, against what is asked."""
    text = ["| bound | fields | ÷ best peer | asked | not quantised | smallest | below 0.97 | ÷ SZ3 | asked |"]
    text += ["|---|---|---|---|---|---|---|---|---|"]
    for bound in bounds_of(cells):
        some = [c for c in cells if (c["kind"], c["bound"]) == bound]
        worst = min(some, key=lambda c: c["of_best"])
        best, sz3 = mean(c["of_best"] for c in some), mean(c["of_sz3"] for c in some)
        plain = mean(c["of_best"] for c in some if not c["quantised"])
        asked_best = verdict(best, WANTED.get(bound) if effort == "default" else None)
        asked_sz3 = verdict(sz3, WANTED_FAST if effort == "fast" else None)
        below = sum(c["of_best"] < WANTED_CELL for c in some)
        text.append(
            f"| {named(bound)} | {len(some)} | **{best:.3f}** | {asked_best} | {plain:.3f} |"
            f" {worst['of_best']:.3f} {worst['field']} | {below} | {sz3:.3f} | {asked_sz3} |"
        )
    return text


def verdict(value, wanted):
    if wanted is None:
        return ""
    return f"{wanted:.2f} reached" if value >= wanted else f"{wanted:.2f}, **short by {wanted / value - 1.0:.1%}**"


def losses_table(cells):
    """The cells where a peer is clearly ahead, worst first."""
    lost = sorted((c for c in cells if c["of_best"] < WANTED_CELL), key=lambda c: c["of_best"])
    if not lost:
        return [f"No cell is below {WANTED_CELL:g}."]
    text = [f"{len(lost)} of {len(cells)} cells are below {WANTED_CELL:g}:", ""]
    text += ["| ÷ best peer | field | shape | bound | our ratio | base | best peer | its ratio | quantised source |"]
    text += ["|---|---|---|---|---|---|---|---|---|"]
    for c in lost:
        bound = named((c["kind"], c["bound"]))
        text.append(
            f"| {c['of_best']:.3f} | {c['field']} | {c['dtype']} {c['shape']} | {bound} | {c['ratio']:.4g} |"
            f" {c['base']} | {c['peer']} | {c['peer_ratio']:.4g} | {'yes' if c['quantised'] else ''} |"
        )
    return text


def fields_table(cells):
    """Our ratio, and ÷ the best peer's in brackets, per field and bound."""
    bounds = bounds_of(cells)
    by_key = {(c["field"], c["kind"], c["bound"]): c for c in cells}
    text = ["| field | " + " | ".join(map(named, bounds)) + " |", "|---|" + "---|" * len(bounds)]
    for field in sorted({c["field"] for c in cells}):
        some = [by_key.get((field, *bound)) for bound in bounds]
        quantised = next(c for c in some if c)["quantised"]
        line = [f"{c['ratio']:.4g} ({c['of_best']:.2f})" if c else "" for c in some]
        text.append(f"| {field}{' (quantised)' if quantised else ''} | " + " | ".join(line) + " |")
    return text


def page(cells, alone, unmet, command):
    text = ["# Compression ratios against the peers", "", f"- command: `{command}`"]
    if alone:
        text.append(f"- {len(alone)} of our lines have no peer's line and are left out")
    for effort, keys in sorted(unmet.items()):
        if keys:
            text.append(f"- effort {effort}: {len(keys)} of the peers' lines are not measured")
    text += ["", "Ratio: bytes in ÷ bytes out, headers included. Means are geometric."]
    text += ["`not quantised` leaves out the fields whose source was packed to few bits.", ""]
    efforts = sorted({c["effort"] for c in cells}, key=lambda e: ({"fast": 0, "default": 1, "max": 2}.get(e, 3), e))
    for effort in efforts:
        some = [c for c in cells if c["effort"] == effort]
        text += [f"## Effort {effort}", "", *means_table(some, effort), "", *losses_table(some), ""]
    for effort in efforts:
        some = [c for c in cells if c["effort"] == effort]
        text += [f"## Fields, effort {effort}", "", "Our ratio, and in brackets ÷ the best peer's.", ""]
        text += [*fields_table(some), ""]
    return "\n".join(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ours", help="our ratios (CSV)")
    parser.add_argument("peers", help="the peers' ratios (CSV)")
    parser.add_argument("-o", "--output", help="write here instead of to standard output")
    parser.add_argument("--command", help="the command that made OURS.csv, to be named in the page")
    arguments = parser.parse_args()
    ours = read(arguments.ours, ["field", "kind", "bound", "effort", "ratio"])
    columns = ["field", "shape", "dtype", "looks_quantised", "kind", "bound", "best_peer", "best_ratio", "SZ3"]
    cells, alone, unmet = join(ours, read(arguments.peers, columns))
    if not cells:
        sys.exit("the two tables have no field and bound in common")
    names = (pathlib.Path(p).name for p in (arguments.ours, arguments.peers))
    command = f"python3 benches/python/ratio_table.py {' '.join(names)}"
    text = page(cells, alone, unmet, f"{arguments.command} && {command}" if arguments.command else command)
    if arguments.output:
        pathlib.Path(arguments.output).write_text(text)
    else:
        print(text, end="")


if __name__ == "__main__":
    main()
