"""What got better or worse since an older table of the same bench."""

import rows as table
from ratio_table import mean
from summary import is_ours

# Changes smaller than these are not told: ratios are exact, processor times are not.
RATIO, SPEED = 0.001, 0.25


def compare(old, new):
    """Lines: per codec the means of new ÷ old, then scicodec's cells that changed, worst first."""
    before = {table.key(row): row for row in old if row["status"] == "ok"}
    pairs = [(before[table.key(row)], row) for row in new if row["status"] == "ok" and table.key(row) in before]
    if not pairs:
        return ["no cell is in both tables"]
    lines = [f"{len(pairs)} cells are in both tables; new ÷ old, geometric means:"]
    for codec in dict.fromkeys(row["codec"] for _, row in pairs):
        some = [(a, b) for a, b in pairs if b["codec"] == codec]
        ratio, encode, decode = (mean(share(a, b, c) for a, b in some) for c in ("ratio", "encode_mb_s", "decode_mb_s"))
        lines.append(f"  {codec:20} ratio {ratio:.4f}  encode {encode:.3f}  decode {decode:.3f}  ({len(some)} cells)")
    lines += changed(pairs, "ratio", RATIO) + changed(pairs, "encode_mb_s", SPEED) + changed(pairs, "decode_mb_s", SPEED)
    gone = [row for row in new if row["status"] != "ok" and table.key(row) in before]
    lines += [f"no longer {'kept' if row['status'] == 'broken' else 'measured'}: {name(row)}: {row['reason']}" for row in gone]
    return lines


def changed(pairs, column, least):
    """The cells of ours whose figure is off by more than the share `least`, worst first."""
    some = sorted(((share(a, b, column), a, b) for a, b in pairs if is_ours(b["codec"])), key=lambda c: c[0])
    some = [c for c in some if not 1.0 / (1.0 + least) < c[0] < 1.0 + least]
    worse = sum(c[0] < 1.0 for c in some)
    lines = [f"{column}: {worse} cells worse, {len(some) - worse} better (by more than {least:.1%})"]
    return lines + [f"  {s:.4f}  {name(b)}  {a[column]} → {b[column]}" for s, a, b in some]


def share(a, b, column):
    return float(b[column]) / float(a[column])


def name(row):
    return f"{row['codec']}  {row['field']} {row['kind']}={row['bound']}"
