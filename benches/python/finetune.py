#!/usr/bin/env python3
"""What tuning to a series gains on later fields of it, beside what peers reach there.

    python3 benches/python/finetune.py PROGRAM TRAIN DEV PEERS.csv [--minutes M] [--only NAME] [--jobs N] > benches/results/finetune.md

PROGRAM is `scicodec`. For each series a model is tuned to its earlier part, which lies in the folder TRAIN, and the later part, in
DEV, is encoded without any model, with the default one, and with the tuned one. PEERS.csv has the peers' ratios by field,
kind and bound.
"""
import argparse
import csv
import json
import math
import os
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SERIES = {
    "hurricane Isabel": ("hurricane__isabel-wrf__velocityMag.0-4", "hurricane__isabel-wrf__velocityMag.4-8"),
    "viscous fingers": (
        "porous-media-cfd__viscousfingers-run01__concentration-density.0-36",
        "porous-media-cfd__viscousfingers-run01__concentration-density.50-60",
    ),
    "NEMO uo": ("ocean__nemo-orca025n06-northsea__uo.0-4", "ocean__nemo-orca025n06-northsea__uo.4-5"),
    "heated cylinder": (
        "cfd-convection__heatedcylinder-ens00-07__velmag",
        "cfd-convection__heatedcylinder-ens08-14__velmag.0-4",
    ),
    "CCSM ensemble": ("climate__ccsm-b06-trefht-ens__TREFHT.0-5", "climate__ccsm-b06-trefht-ens__TREFHT.5-6"),
    "GlobCurrent": ("ocean__globcurrent-agulhas__u.0-240", "ocean__globcurrent-agulhas__u.240-290"),
    "DUACS Mediterranean": ("ocean__duacs-med-ssh__adt.0-60", "ocean__duacs-med-ssh__adt.60-70"),
    "deep convection": ("ocean-les__mitgcm-deepconvection__U", "ocean-les__mitgcm-deepconvection__V"),
}
# What is asked: after ÷ before with the model counted over the series, and after ÷ SZ3.
BOUNDS = {
    "rel=1e-1": ("rel", 0.1, 1.15, 2.5),
    "rel=1e-2": ("rel", 0.01, 1.06, 2.0),
    "nrmse=1e-2": ("nrmse", 0.01, 1.12, 3.2),
    "nrmse=1e-3": ("nrmse", 0.001, 1.05, 1.9),
}


def mean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


def run(*words):
    out = subprocess.run([str(w) for w in words], capture_output=True, text=True)
    if out.returncode:
        raise SystemExit(f"{' '.join(map(str, words))}: {out.stderr}")
    return out.stdout


def raw_bytes(path):
    head = path.read_bytes()[:10]
    return path.stat().st_size - 10 - int.from_bytes(head[8:10], "little")


def one(args, name):
    """Sizes of the later part by bound; of the model; and seconds of tuning."""
    train, dev = (Path(folder) / f"{file}.npy" for folder, file in zip((args.train, args.dev), SERIES[name]))
    raw, early = raw_bytes(dev), raw_bytes(train)
    rows = []
    with tempfile.TemporaryDirectory() as work:
        model, file = Path(work) / "m.scm", Path(work) / "f.scz"
        bounds = [w for bound in BOUNDS for w in ("-e", bound)]
        begun = time.monotonic()
        budget = ("--steps", args.steps) if args.steps else ("--minutes", args.minutes)
        told = json.loads(
            run(args.program, "finetune", train, "-o", model, *bounds, *budget, "--series", args.series, "--json", "-q")
        )
        minutes = (time.monotonic() - begun) / 60

        def size(bound, *words):
            run(args.program, "encode", dev, "-o", file, "-f", "-q", "--no-verify", "--var", "v", "-e", bound, *words)
            return file.stat().st_size

        own = told["model_bytes"]
        for bound in BOUNDS:
            classical, before = size(bound, "--model", "none"), size(bound)
            after = before
            if told["model"]:
                after = size(bound, "--model", model, "--embed-model")
                inside = json.loads(run(args.program, "info", file, "--json"))["models"]
                after -= sum(m["bytes"] or 0 for m in inside)
            # The model is for the whole series: both parts.
            over_all = (after * (raw + early) / raw + own) * raw / (raw + early)
            rows.append((bound, raw, classical, before, after, over_all))
    return name, own, minutes, told, rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for word in ("program", "train", "dev", "peers"):
        parser.add_argument(word)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--steps", type=int, help="chunks to learn from, rather than minutes")
    parser.add_argument("--series", default="1GB", help="what the models are for, as finetune takes it")
    parser.add_argument("--only", action="append")
    parser.add_argument("--jobs", type=int, default=1)
    args = parser.parse_args()
    with open(args.peers) as file:
        peers = {(r["field"], r["kind"], float(r["bound"])): r for r in csv.DictReader(file)}
    names = [n for n in SERIES if not args.only or n in args.only]
    with ThreadPoolExecutor(args.jobs) as pool:
        results = list(pool.map(lambda n: one(args, n), names))

    cpu = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), "?")
    budget = f"--steps {args.steps}" if args.steps else f"--minutes {args.minutes:g}"
    print("# Tuning to a series\n")
    print(f"- command: `python3 benches/python/finetune.py PROGRAM TRAIN DEV PEERS.csv {budget} --series {args.series}`")
    print(f"- machine: {cpu}, {os.cpu_count()} cores; {run(args.program, '--version').strip()}")
    print("- one model for each series, tuned at all four bounds to the earlier part alone; ratios are of the later part, whole files")
    print("- `counted`: with the model's bytes, spread over both parts; `pays`: raw data after which the model has saved what it takes")
    print("- the parts at hand are cut-outs of 1 to 7 MB, which loosely coded take a few hundred bytes to some kB\n")
    print("| series | bound | classical | before | after | after ÷ before | counted ÷ before | pays after | SZ3 | SPERR | best peer | after ÷ SZ3 |")
    print("|---|---|---|---|---|---|---|---|---|---|---|---|")
    sums = {bound: [] for bound in BOUNDS}
    for name, own, minutes, told, rows in results:
        field = SERIES[name][1]
        for bound, raw, classical, before, after, over_all in rows:
            kind, value, _, _ = BOUNDS[bound]
            peer = peers.get((field, kind, value), {})
            number = lambda k: float(peer.get(k) or "nan")
            sz3, sperr, best = number("SZ3"), number("SPERR"), number("best_ratio")
            ratio = [raw / b for b in (classical, before, after)]
            pays = f"{own * raw / (before - after) / 1e6:.0f} MB" if after < before else "never"
            print(
                f"| {name} | {bound} | {ratio[0]:.4g} | {ratio[1]:.4g} | {ratio[2]:.4g} | {before / after:.4f} |"
                f" {before / over_all:.4f} | {pays} | {sz3:.4g} | {sperr:.4g} | {best:.4g} | {ratio[2] / sz3:.2f} |"
            )
            sums[bound].append((before / after, before / over_all, classical / after, ratio[2] / sz3, ratio[2] / best))
    print("\n| geometric mean | after ÷ before | counted ÷ before | asked | after ÷ classical | after ÷ SZ3 | asked | after ÷ best peer |")
    print("|---|---|---|---|---|---|---|---|")
    for bound, cells in sums.items():
        m = [mean(c) for c in zip(*cells)]
        _, _, gain, times = BOUNDS[bound]
        print(f"| {bound} | {m[0]:.4f} | {m[1]:.4f} | {gain} | {m[2]:.3f} | {m[3]:.2f} | {times} | {m[4]:.2f} |")
    print("\n| series | model, bytes | minutes | chunks learned from | models tried |\n|---|---|---|---|---|")
    for name, own, minutes, told, _ in results:
        print(f"| {name} | {own} | {minutes:.1f} | {told['chunks']} | {told['tried']} |")


if __name__ == "__main__":
    main()
