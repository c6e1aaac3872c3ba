#!/usr/bin/env python3
"""What a model gains: compares two tables of the `ratios` program, one with `--model none` and one with a model.

    python3 benches/python/model_table.py NONE.csv MODEL.csv [-o RESULT.md]
"""

import argparse
import csv
import math
import pathlib
import statistics

# What is asked of the geometric mean, by bound.
WANTED = {("rel", "1e-1"): 1.17, ("rel", "1e-2"): 1.08, ("rel", "1e-3"): 1.035, ("nrmse", "1e-2"): 1.08, ("nrmse", "1e-3"): 1.05}


def mean(values):
    return statistics.geometric_mean(values) if values else math.nan


def read(path):
    with open(path, newline="") as f:
        return {(r["field"], r["kind"], r["bound"]): r for r in csv.DictReader(f)}


def table(none, model):
    cells = [(key, float(none[key]["bytes_out"]) / float(row["bytes_out"]), row) for key, row in model.items() if key in none]
    text = ["| bound | fields | ratio with ÷ without, mean | asked | better half | worst field | best field | fields coded by the network |"]
    text += ["|---|---|---|---|---|---|---|---|"]
    for bound in dict.fromkeys(key[1:] for key, _, _ in cells):
        some = sorted((c for c in cells if c[0][1:] == bound), key=lambda c: -c[1])
        gains = [c[1] for c in some]
        used = sum(c[2]["base"] == "learned" for c in some)
        half = mean(gains[: len(gains) // 2])
        asked = WANTED.get(bound, "–")
        text.append(
            f"| {' '.join(bound)} | {len(some)} | {mean(gains):.4f} | {asked} | {half:.4f} | {gains[-1]:.4f} | {gains[0]:.3f} ({some[0][0][0]}) | {used} |"
        )
    large = [c[2] for c in cells if c[2]["base"] == "learned" and float(c[2]["bytes_in"]) >= 5e5]
    speed = {w: mean([float(r["bytes_in"]) / 1e6 / float(r[f"{w}_s"]) for r in large]) for w in ("encode", "decode")}
    text += ["", f"{len(large)} of these of 0.5 MB and more were coded by the network: on average {speed['encode']:.1f} MB/s encoding (search included, no verifying decode) and {speed['decode']:.1f} MB/s decoding, one thread.", ""]
    text += ["Cells by gain:", "", "| field | bound | bytes without | with | gain |", "|---|---|---|---|---|"]
    for key, gain, row in sorted(cells, key=lambda c: -c[1]):
        if gain > 1.02 or gain < 0.999:
            text.append(f"| {key[0]} | {key[1]} {key[2]} | {none[key]['bytes_out']} ({none[key]['base']}) | {row['bytes_out']} ({row['base']}) | {gain:.3f} |")
    return "\n".join(text) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("none", type=pathlib.Path)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("-o", "--output", type=pathlib.Path)
    arguments = parser.parse_args()
    head = "# What the model gains\n\n"
    head += "Ratios of whole files with the learned base allowed, divided by those with classical bases alone; the model ships with the program and is not counted. `base` is that of the first chunk.\n\n"
    head += "Commands: `ratios FOLDER --model none > NONE.csv`, `ratios FOLDER > MODEL.csv`, `python3 benches/python/model_table.py NONE.csv MODEL.csv`. Both ran side by side on two cores.\n\n"
    text = head + table(read(arguments.none), read(arguments.model))
    if arguments.output:
        arguments.output.write_text(text)
    else:
        print(text)


if __name__ == "__main__":
    main()
