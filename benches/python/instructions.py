#!/usr/bin/env python3
"""Instructions of the hot loops, counted by callgrind: times are noisy, counts are not.

    python3 benches/python/instructions.py [-o RESULT.md]

Needs valgrind. Each loop is run once and five times; a quarter of the difference is what one run costs, without what the
program does besides. Counts are those of the instructions that valgrind's processor has: AVX2, not AVX-512.
"""

import argparse
import pathlib
import re
import subprocess
import sys

import environment

LOOPS = {
    "context-encode": "the mixture of contexts, encoding an integer",
    "context-decode": "the mixture of contexts, decoding an integer",
    "range-encode": "the range coder alone, encoding a bit",
    "range-decode": "the range coder alone, decoding a bit",
    "interpolation": "interpolation and quantisation of a value",
}


def count(program, loop, times):
    """(instructions of the whole program, integers that a run handles)."""
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", str(program), loop, str(times)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    collected = re.search(r"Collected : (\d+)", done.stderr)
    return int(collected[1]), int(re.search(r"× (\d+) integers", done.stdout)[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", help="write Markdown here instead of to standard output")
    parser.add_argument("--program", help="a hot-loops built before, instead of building it")
    arguments = parser.parse_args()
    import worker

    try:
        valgrind = subprocess.run(["valgrind", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    except OSError:
        sys.exit("there is no valgrind: install the Debian package of that name")
    program = arguments.program or worker.build("hot-loops")
    text = ["# Instructions of the hot loops", ""]
    about = dict(environment.describe()) | {"valgrind": valgrind}
    text += [f"- {what}: {about[what]}" for what in ("scicodec", "rustc", "valgrind")]
    text += ["- command: `python3 benches/python/instructions.py`", "", " ".join(__doc__.split("\n\n")[2].split()), ""]
    text += ["| loop | what | instructions each |", "|---|---|---|"]
    for loop, what in LOOPS.items():
        (once, each), (five, _) = count(program, loop, 1), count(program, loop, 5)
        text.append(f"| {loop} | {what} | {(five - once) / 4 / each:.1f} |")
    page = "\n".join(text) + "\n"
    if arguments.output:
        pathlib.Path(arguments.output).write_text(page)
    else:
        print(page, end="")


if __name__ == "__main__":
    main()
