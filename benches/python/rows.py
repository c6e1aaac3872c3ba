"""The table that the bench writes: one row per field, bound and codec, appended as measured, so that a run can go on."""

import csv
import gzip
import io
import math
import os
import pathlib

COLUMNS = ["field", "shape", "dtype", "missing", "range", "kind", "bound", "codec", "status", "bytes_in", "bytes_out"]
COLUMNS += ["ratio", "bits_per_value", "max_error", "nrmse", "psnr", "encode_mb_s", "decode_mb_s", "peak_mb"]
COLUMNS += ["setting", "version", "cpu", "rustc", "reason"]


def key(row):
    """Field, kind and value of the bound, codec: 0.1, 1e-1 and 1.0E-01 are the same. A field that did not load has no bound."""
    bound = float(f"{float(row['bound']):.6e}") if row["bound"] else None
    return row["field"].removesuffix(".npy"), row["kind"], bound, row["codec"]


def read(path):
    """The rows of a table, plain or in gzip. The last line may be torn by an interruption: then it is left out."""
    data = pathlib.Path(path).read_bytes()
    text = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode()
    whole = text[: text.rfind("\n") + 1]
    table = csv.DictReader(io.StringIO(whole))
    if table.fieldnames is not None and table.fieldnames != COLUMNS:
        raise ValueError(f"{path}: other columns than this bench writes: {', '.join(table.fieldnames)}")
    return [row for row in table if None not in row and None not in row.values()]


def number(value):
    """Six digits are enough for a table."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


class Table:
    """A file that rows are appended to, each written through before the next is measured."""

    def __init__(self, path, resume, again=()):
        """`again`: rows of codecs whose names begin so are forgotten and measured anew."""
        self.path = pathlib.Path(path)
        self.rows = read(self.path) if resume and self.path.exists() else []
        self.rows = [row for row in self.rows if not row["codec"].startswith(tuple(again))] if again else self.rows
        self.done = {key(row) for row in self.rows}
        fresh = self.path.with_suffix(".part")
        with open(fresh, "w", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(self.rows)
        os.replace(fresh, self.path)

    def append(self, row):
        row = {column: number(row.get(column, "")) for column in COLUMNS}
        with open(self.path, "a", newline="") as file:
            csv.DictWriter(file, COLUMNS, lineterminator="\n").writerow(row)
        self.rows.append(row)
        self.done.add(key(row))


def figures(field, shape, dtype, measured):
    """The columns that follow from what a codec's side answers: bytes, errors, processor seconds, bytes of memory."""
    size = math.prod(shape) * (4 if dtype == "float32" else 8)
    spread, rmse = measured["range"], measured["rmse"]
    nrmse = rmse / spread if rmse > 0.0 else 0.0
    row = {"bytes_in": size, "bytes_out": measured["bytes_out"], "ratio": size / measured["bytes_out"]}
    row |= {"bits_per_value": 8.0 * measured["bytes_out"] / math.prod(shape), "range": spread}
    row |= {"max_error": measured["max_error"], "nrmse": nrmse}
    row |= {"psnr": -20.0 * math.log10(nrmse) if nrmse > 0.0 else math.inf}
    row |= {f"{side}_mb_s": size / 1e6 / measured[f"{side}_s"] for side in ("encode", "decode")}
    row |= {"peak_mb": measured["peak"] / 1e6, "status": "ok" if measured["kept"] else "broken"}
    reason = "" if measured["kept"] else "the bound is not kept"
    return row | {"field": field, "setting": measured["setting"], "reason": reason}
