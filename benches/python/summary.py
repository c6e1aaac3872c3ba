"""The Markdown page of `peers.py`: means, losses worst first, speed, what broke, and agreement with other measurements."""

import csv
import statistics

import rows as table
from ratio_table import mean, named

# Where our ratio ÷ the best peer's is below this, the cell is listed.
LOSS = 0.97
# So much may a peer's ratio differ from the same peer's elsewhere before it is listed.
AGREE = 0.02


def read_reference(path):
    """Rows of a table of one line per field and bound, and a column of ratios per peer."""
    with open(path, newline="") as lines:
        return list(csv.DictReader(lines))


def is_ours(codec):
    return codec.startswith("scicodec")


def in_order(names):
    """Ours first, then as they came."""
    names = list(dict.fromkeys(names))
    return [n for n in names if is_ours(n)] + [n for n in names if not is_ours(n)]


def cells(rows):
    """{(field, kind, bound): {codec: row}} of the rows that kept their bound."""
    found = {}
    for row in rows:
        if row["status"] == "ok":
            field, kind, bound, codec = table.key(row)
            found.setdefault((field, kind, bound), {})[codec] = row
    return found


def best_peer(cell):
    """The peer with the largest ratio, or None."""
    peers = [row for codec, row in cell.items() if not is_ours(codec)]
    return max(peers, key=lambda row: float(row["ratio"]), default=None)


def bounds_of(found):
    """rel before nrmse before others, loose before tight."""
    order = {"rel": 0, "nrmse": 1}
    return sorted({key[1:] for key in found}, key=lambda b: (order.get(b[0], 2), b[0], -b[1]))


def quotients(found, over, under):
    """Our codec's ratio ÷ that of `under` (a codec, or None for the best peer), over the cells that have both."""
    pairs = [(cell.get(over), cell.get(under) if under else best_peer(cell)) for cell in found.values()]
    return [float(a["ratio"]) / float(b["ratio"]) for a, b in pairs if a and b]


def coverage(rows, codecs):
    """A line that says so where a codec was not measured on all cells that another one was."""
    counts = {codec: sum(row["codec"] == codec for row in rows) for codec in codecs}
    most = max(counts.values(), default=0)
    behind = [f"{codec} {count}" for codec, count in counts.items() if count < most]
    return [f"- not measured everywhere yet, cells of {most}: {', '.join(behind)}"] if behind else []


def means(found, codecs):
    ours, peers = [c for c in codecs if is_ours(c)], [c for c in codecs if not is_ours(c)]
    text = []
    for codec in ours:
        text += [f"### {codec}", "", "Geometric mean of its ratio ÷ the peer's, over the fields where both keep the bound.", ""]
        text += ["| bound | fields | ÷ best peer | smallest | below 0.97 | " + " | ".join(f"÷ {p}" for p in peers) + " |"]
        text += ["|---|---|---|---|---|" + "---|" * len(peers)]
        for bound in bounds_of(found):
            some = {key: cell for key, cell in found.items() if key[1:] == bound}
            best = quotients(some, codec, None)
            if not best:
                continue
            each = " | ".join(f"{mean(quotients(some, codec, p)):.3f}" for p in peers)
            below = sum(q < LOSS for q in best)
            text.append(f"| {named(bound)} | {len(best)} | **{mean(best):.3f}** | {min(best):.3f} | {below} | {each} |")
        text.append("")
    text += ["### Ratios", "", "Geometric mean of bytes in ÷ bytes out.", ""]
    text += ["| bound | " + " | ".join(codecs) + " |", "|---|" + "---|" * len(codecs)]
    for bound in bounds_of(found):
        some = [cell for key, cell in found.items() if key[1:] == bound]
        each = [mean(float(cell[c]["ratio"]) for cell in some if c in cell) for c in codecs]
        text.append(f"| {named(bound)} | " + " | ".join(f"{m:.4g}" for m in each) + " |")
    return [*text, ""]


def losses(found, codec):
    """Cells where a peer is clearly ahead, worst first."""
    lost = []
    for key, cell in found.items():
        best = best_peer(cell)
        if codec in cell and best and float(cell[codec]["ratio"]) < LOSS * float(best["ratio"]):
            lost.append((float(cell[codec]["ratio"]) / float(best["ratio"]), key, cell[codec], best))
    of = sum(codec in cell and best_peer(cell) is not None for cell in found.values())
    if not lost:
        return [f"{codec}: none of {of} cells is below {LOSS:g} × the best peer.", ""]
    text = [f"{codec}: {len(lost)} of {of} cells are below {LOSS:g} × the best peer, worst first.", ""]
    text += ["| ÷ best peer | field | bound | our ratio | bases | best peer | its ratio | its setting |", "|---|---|---|---|---|---|---|---|"]
    for share, (field, *bound), ours, best in sorted(lost, key=lambda c: c[0]):
        line = [f"{share:.3f}", field, named(bound), f"{float(ours['ratio']):.4g}", ours["setting"], best["codec"]]
        text.append("| " + " | ".join([*line, f"{float(best['ratio']):.4g}", best["setting"]]) + " |")
    return [*text, ""]


def speeds(found, codecs):
    text = ["| codec | encode MB/s | decode MB/s | peak memory ÷ field, median |", "|---|---|---|---|"]
    for codec in codecs:
        some = [cell[codec] for cell in found.values() if codec in cell]
        rates = [mean(float(row[f"{side}_mb_s"]) for row in some) for side in ("encode", "decode")]
        memory = statistics.median(float(r["peak_mb"]) * 1e6 / float(r["bytes_in"]) for r in some)
        text.append(f"| {codec} | {rates[0]:.3g} | {rates[1]:.3g} | {memory:.1f} |")
    return [*text, ""]


def troubles(rows):
    bad = [row for row in rows if row["status"] != "ok"]
    if not bad:
        return ["None.", ""]
    text = ["| field | bound | codec | what | why |", "|---|---|---|---|---|"]
    for row in bad:
        bound = f"{row['kind']} {row['bound']}".strip()
        text.append(f"| {row['field']} | {bound} | {row['codec']} | {row['status']} | {row['reason'].replace('|', '/')} |")
    return [*text, ""]


def agreement(found, reference):
    """Our measurements of the peers against others'."""
    theirs = {table.key(row | {"codec": ""})[:3]: row for row in reference}
    pairs = {}
    for key, cell in found.items():
        for codec, row in cell.items():
            if theirs.get(key, {}).get(codec):
                pairs.setdefault(codec, []).append((float(row["ratio"]) / float(theirs[key][codec]), key, row))
    text = ["| peer | cells | median of here ÷ there | within 2 % | more than 2 % better here | worse here |", "|---|---|---|---|---|---|"]
    for codec, some in pairs.items():
        shares = [share for share, _, _ in some]
        better, worse = sum(s > 1.0 + AGREE for s in shares), sum(s < 1.0 - AGREE for s in shares)
        text.append(f"| {codec} | {len(some)} | {statistics.median(shares):.4f} | {len(some) - better - worse} | {better} | {worse} |")
    low = sorted((p for some in pairs.values() for p in some if p[0] < 1.0 - AGREE), key=lambda p: p[0])
    if low:
        text += ["", "Worse here by more than 2 %:", "", "| here ÷ there | peer | field | shape | missing | bound |", "|---|---|---|---|---|---|"]
    for share, (field, *bound), row in low:
        text.append(f"| {share:.3f} | {row['codec']} | {field} | {row['shape']} | {row['missing']} | {named(bound)} |")
    return [*text, ""]


def per_field(found, codec):
    bounds = bounds_of(found)
    text = ["| field | " + " | ".join(map(named, bounds)) + " |", "|---|" + "---|" * len(bounds)]
    for field in sorted({key[0] for key in found}):
        line = []
        for bound in bounds:
            cell = found.get((field, *bound), {})
            best = best_peer(cell)
            if codec not in cell:
                line.append("")
                continue
            ratio = float(cell[codec]["ratio"])
            line.append(f"{ratio:.4g}" + (f" ({ratio / float(best['ratio']):.2f} {best['codec']})" if best else ""))
        text.append(f"| {field} | " + " | ".join(line) + " |")
    return [*text, ""]


def page(rows, made_by, command, reference):
    """The whole page. `made_by` are (what, which) pairs, `reference` rows of `read_reference`."""
    found = cells(rows)
    codecs = in_order(row["codec"] for row in rows if row["status"] == "ok")
    ours = [c for c in codecs if is_ours(c)]
    text = ["# scicodec beside its peers", "", f"- command: `{command}`"]
    text += [f"- {what}: {which}" for what, which in made_by if what not in ("scicodec", "packages")]
    versions = dict.fromkeys(f"{row['codec']}: {row['version']}" for row in rows if row["version"])
    text += [f"- {version}" for version in versions]
    text += coverage(rows, codecs)
    text += ["", "Ratios are bytes in ÷ bytes out of complete streams; every bound was checked on decoded values. What is measured"]
    text += ["how is said at the head of `benches/python/peers.py`.", "", "## Means", "", *means(found, codecs)]
    text += ["## Losses", ""]
    for codec in ours:
        text += losses(found, codec)
    text += ["## Speed and memory", "", "Per second of processor time, one thread, on a machine that does other work: compare within this table.", ""]
    text += speeds(found, codecs)
    text += ["## Broken bounds and failures", "", *troubles(rows)]
    if reference:
        text += ["## Agreement with other measurements of the peers", "", *agreement(found, reference), *EXPLAINED, ""]
    for codec in ours[:1]:
        text += [f"## Fields, {codec}", "", "Its ratio, and in brackets ÷ the best peer's.", "", *per_field(found, codec)]
    return "\n".join(text)


EXPLAINED = """
Why figures differ from those of another table (that of SZ3 3.3.2, SPERR 0.8.5 as a library, zfp 1.0.1 and pcodec 1.1.0):

- SZ3: pysz 1.1.0 holds SZ3 3.4.0, whose files are smaller. With pysz 1.0.3, which holds 3.3.2, the median of a quarter of the fields
  agrees to 0.1 %, and all but two of its 90 cells are within 2 % or smaller here, where more views are offered (sz3-versions.md).
- SPERR comes through its HDF5 filter, which takes extents of nine and more: thin stacks are padded or coded plane by plane. Where its
  error stays well below the bound it is asked for more here, or for a PSNR that keeps the bound without a list of outliers:
  that is what gains at loose bounds.
- zfp and rounding + pcodec are offered more views of the field here, and rounding counts from zero as well as from the smallest value.
- For fields with missing values, nrmse is taken over valid values here; over the filled ones too, as it seems to have been there, the same
  tolerance gives another error. Other ways to fill give other sizes.
""".strip().splitlines()
