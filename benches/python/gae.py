#!/usr/bin/env python3
"""What a guaranteed autoencoder's correction would take, beside the ways that the codec has of reaching a mean error.

    gae.py PROGRAM TRAIN DEV [--loose 1e-2] [--goal 1e-3]

A field is coded at the loose bound (`nrmse`), and what is left of it is corrected to the goal: in blocks, by the coefficients of the
residual in a basis of principal components, the largest first, until the block's share of the error is met. The basis is of the
residuals of the fields in TRAIN, each of like weight. Of its bytes the ideal code lengths are taken: which coefficients are sent, by
their frequency at each place of the basis, and their integers, by theirs; nothing is charged for learning these. Beside it: the residual
coded by the program, and the field coded at the goal at once. PROGRAM is `scicodec`; fields with missing values are passed over.
"""
import argparse
import subprocess
import tempfile
from pathlib import Path

import numpy as np

BLOCK = 8
VOLUME = 4


def scicodec(program, folder, field, bound):
    """Bytes of the file, and what it decodes to."""
    source, packed, decoded = (Path(folder) / name for name in ("a.npy", "a.scz", "b.npy"))
    np.save(source, field)
    for words in (
        ("encode", source, "-o", packed, "--error-bound", bound, "-f", "-q"),
        ("decode", packed, "-o", decoded, "-f"),
    ):
        subprocess.run([str(program), *map(str, words)], check=True, capture_output=True)
    return packed.stat().st_size, np.load(decoded)


def blocks(values):
    """Whole blocks of the last axes, 8 x 8 of planes or 4 x 8 x 8 of volumes, as rows."""
    shape = [n for n in values.shape if n > 1]
    if len(shape) < 2 or min(shape[-2:]) < BLOCK:
        return None
    extent = [VOLUME, BLOCK, BLOCK] if len(shape) > 2 and shape[-3] >= VOLUME else [1, BLOCK, BLOCK]
    values = values.reshape([-1] + (shape[-3:] if len(shape) > 2 else [1] + shape))
    whole = values[(slice(None), *(slice(n // e * e) for n, e in zip(values.shape[1:], extent)))]
    split = [whole.shape[0]] + [k for n, e in zip(whole.shape[1:], extent) for k in (n // e, e)]
    return whole.reshape(split).transpose(0, 1, 3, 5, 2, 4, 6).reshape(-1, int(np.prod(extent)))


def entropy(symbols):
    """Bits that these take by their own frequencies."""
    counts = np.unique(symbols, return_counts=True)[1]
    return float(-(counts * np.log2(counts / counts.sum())).sum())


def corrected(rows, basis, error):
    """Bits that bring every block's mean squared error to `error` squared, the best over steps."""
    best = np.inf
    for ratio in (0.5, 0.7, 1.0, 1.4, 2.0):
        # Of a step this fine some of the error is left for what is not sent.
        step = ratio * error * np.sqrt(12) * 0.7
        coefficients = rows @ basis.T
        integers = np.rint(coefficients / step)
        gained = coefficients**2 - (coefficients - integers * step) ** 2
        order = np.argsort(-gained, axis=1)
        left = (rows**2).sum(1, keepdims=True) - np.cumsum(np.take_along_axis(gained, order, 1), 1)
        goal = rows.shape[1] * error**2
        # All before the first that suffices, and that one.
        needed = np.where((rows**2).sum(1) <= goal, 0, 1 + (left > goal).sum(1))
        if (needed > rows.shape[1]).any():
            continue
        sent = np.zeros_like(rows, dtype=bool)
        np.put_along_axis(sent, order, np.arange(rows.shape[1]) < needed[:, None], 1)
        bits = sum(entropy(column) for column in sent.T)
        bits += sum(entropy(integers[sent[:, k], k]) for k in range(rows.shape[1]) if sent[:, k].any())
        best = min(best, bits)
    return best


def fields(folder):
    for path in sorted(Path(folder).glob("*.npy")):
        field = np.load(path)
        if field.dtype.kind == "f" and np.isfinite(field).all() and np.ptp(field) > 0 and field.nbytes < 4_000_000:
            yield path.stem, field


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("program", "train", "dev"):
        parser.add_argument(name)
    parser.add_argument("--loose", type=float, default=1e-2)
    parser.add_argument("--goal", type=float, default=1e-3)
    args = parser.parse_args()
    covariance = {}
    with tempfile.TemporaryDirectory() as folder:
        for _, field in fields(args.train):
            residual = field.astype(float) - scicodec(args.program, folder, field, f"nrmse={args.loose}")[1]
            rows = blocks(residual)
            if rows is not None and rows.any():
                of = covariance.setdefault(rows.shape[1], np.zeros([rows.shape[1]] * 2))
                of += rows.T @ rows / (rows**2).sum()
        basis = {n: np.linalg.eigh(c)[1].T[::-1] for n, c in covariance.items()}
        print(f"| field | loose | correction by blocks | residual coded | at once | by blocks ÷ residual | by blocks ÷ at once |\n|{'---|' * 7}")
        ratios = []
        for name, field in fields(args.dev):
            loose, decoded = scicodec(args.program, folder, field, f"nrmse={args.loose}")
            residual = field.astype(float) - decoded
            rows = blocks(residual)
            if rows is None or rows.shape[1] not in basis:
                continue
            error = args.goal * float(np.ptp(field))
            # The blocks are all but the whole field.
            block = corrected(rows, basis[rows.shape[1]], error) / 8 * field.size / rows.size
            coded = scicodec(args.program, folder, residual.astype(field.dtype), f"l2={error * np.sqrt(field.size)}")[0]
            once = scicodec(args.program, folder, field, f"nrmse={args.goal}")[0]
            ratios.append(((loose + block) / (loose + coded), (loose + block) / once))
            print(f"| {name} | {loose} | {block:.0f} | {coded} | {once} | {ratios[-1][0]:.2f} | {ratios[-1][1]:.2f} |", flush=True)
        means = np.exp(np.log(ratios).mean(0))
        print(f"| geometric mean of {len(ratios)} | | | | | {means[0]:.3f} | {means[1]:.3f} |")


if __name__ == "__main__":
    main()
