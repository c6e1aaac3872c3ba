#!/usr/bin/env python3
"""scicodec beside its peers on every field of a folder: one table, one summary, one page.

    python3 benches/python/peers.py FOLDER... [--out DIR] [--resume] [--baseline OLD.csv]

Takes the .npy fields (float32, float64) in the folders and the bounds rel 1e-1…1e-6 and nrmse 1e-2…1e-4, and writes into DIR
`peers.csv` (every figure, a row as soon as it is measured), `peers.md` (means, losses, speed) and `peers.html` (the report).

- Peers: SZ3, all algorithms; SPERR; zfp; values rounded and coded by pcodec, as they are or after a Lorenzo difference. Each is
  offered the field in its own shape and with leading or trailing axes merged, and its smallest stream that keeps the bound counts.
- Bounds are checked here on decoded values in the field's own type, scicodec's and theirs. A peer that breaks the bound it
  was asked for is asked for less; where that does not help either, its row says `broken` and counts nowhere.
- For an nrmse each peer's tolerance is bisected until the error is just below it; errors and the range are taken over values
  that are not missing.
- Peers get missing values filled by the nearest valid ones, and nobody is charged for their mask; scicodec gets the field as it
  is, and its files hold the mask.
- Bytes are those of complete streams. Megabytes (10⁶ bytes of the field) per second of processor time, one thread, without
  checks of the bound; scicodec's encoding holds its search for the best base, a peer's holds the coding with its best
  setting alone. Peak memory: the highest resident size while encoding and decoding, less that before.
- Every peer runs in a process of its own. What crashes, hangs or cannot be read costs its row, with the reason.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import environment

BOUNDS = "rel=1e-1,rel=1e-2,rel=1e-3,rel=1e-4,rel=1e-5,rel=1e-6,nrmse=1e-2,nrmse=1e-3,nrmse=1e-4"
PEERS = ("SZ3", "SPERR", "zfp", "quant+pco")


class Peer:
    """A peer's process, and the field it has."""

    def __init__(self, name, timeout):
        from line_process import LineProcess

        self.name, self.timeout = name, timeout
        self.process = LineProcess([sys.executable, environment.HERE / "peer_worker.py", name])
        self.loaded = None

    def measure(self, path, values, kind, value):
        from line_process import Lost

        try:
            if self.loaded != path:
                self.about = self.process.ask(json.dumps({"field": str(path)}), self.timeout)
                self.loaded = path
            answer = self.process.ask(json.dumps({"kind": kind, "value": value}), self.timeout)
        except Lost:
            self.loaded = None
            raise
        return answer | {"version": self.about["version"]}

    def close(self):
        self.process.close()


class Scicodec:
    """scicodec at one effort: a fresh process for each cell."""

    def __init__(self, effort, program, timeout, scratch):
        import worker

        self.name, self.effort, self.scratch = f"scicodec {effort}", effort, scratch
        self.worker = worker.Worker(program, timeout)
        self.version = dict(environment.describe())["scicodec"]

    def measure(self, path, values, kind, value):
        return self.worker.measure(values, self.scratch, kind, value, self.effort) | {"version": self.version}

    def close(self):
        self.worker.close()


def fields_of(folders, only):
    """(name, path) of the .npy files, by name."""
    paths = [path for folder in folders for path in pathlib.Path(folder).glob("*.npy")]
    if not paths:
        sys.exit(f"no .npy files in {' '.join(folders)}")
    return sorted((path.stem, path) for path in paths if only in path.name)


def load(path):
    """The field. Raises ValueError with the reason where it is none of those that are compared."""
    import numpy as np

    values = np.load(path, allow_pickle=False)
    if values.dtype not in (np.float32, np.float64) or not values.dtype.isnative:
        raise ValueError(f"{values.dtype} is not compared: float32 and float64 are")
    if values.size == 0 or not np.isfinite(values).any():
        raise ValueError("there is no finite value in it")
    return np.ascontiguousarray(values)


def run(table, fields, bounds, codecs, machine):
    """Measures every cell that the table does not have yet."""
    import rows

    for number, (name, path) in enumerate(fields, 1):
        cells = [{"field": name, "kind": k, "bound": v, "codec": c.name} for k, v in bounds for c in codecs]
        wanted = [(cell, codecs[i % len(codecs)]) for i, cell in enumerate(cells) if rows.key(cell) not in table.done]
        broken = {"field": name, "kind": "", "bound": "", "codec": ""}
        if not wanted or rows.key(broken) in table.done:
            continue
        print(f"{number}/{len(fields)} {name}", file=sys.stderr, flush=True)
        try:
            values = load(path)
        except Exception as e:  # whatever a file can be
            table.append(broken | {"status": "failed", "reason": words(e)})
            continue
        missing = int(values.size - sum_finite(values))
        about = {"shape": "x".join(map(str, values.shape)), "dtype": values.dtype.name, "missing": missing} | machine
        for cell, codec in wanted:
            table.append(measure(cell, about, codec, path, values))


def measure(cell, about, codec, path, values):
    """One row, whatever happens."""
    import rows

    try:
        answer = codec.measure(path, values, cell["kind"], float(cell["bound"]))
        row = rows.figures(cell["field"], values.shape, values.dtype.name, answer)
        return about | cell | row | {"version": answer["version"]}
    except Exception as e:
        return about | cell | {"bytes_in": values.nbytes, "status": "failed", "reason": words(e)}


def words(error):
    text = " ".join(str(error).split()) or type(error).__name__
    return text[:200]


def sum_finite(values):
    import numpy as np

    return np.count_nonzero(np.isfinite(values))


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", metavar="FOLDER", help="where the .npy fields are")
    parser.add_argument("--out", default=environment.TARGET / "peers", type=pathlib.Path, help="folder for the results")
    parser.add_argument("--resume", action="store_true", help="go on with DIR/peers.csv")
    parser.add_argument("--again", action="append", default=[], metavar="CODEC", help="with --resume: measure this one anew")
    parser.add_argument("--bounds", default=BOUNDS, help=f"KIND=VALUE,… ({BOUNDS})")
    parser.add_argument("--efforts", default="default,fast", help="scicodec's efforts (default,fast)")
    parser.add_argument("--peers", default=",".join(PEERS), help=f"({','.join(PEERS)})")
    parser.add_argument("--only", default="", metavar="TEXT", help="only fields whose file names hold this")
    parser.add_argument("--timeout", type=float, default=300.0, help="seconds a codec may take for one cell (300)")
    parser.add_argument("--map-bound", default="rel=1e-2", help="the bound of the report's maps, histograms and bars")
    parser.add_argument("--no-html", dest="html", action="store_false", help="without the report")
    parser.add_argument("--reference", metavar="CSV", help="peers' ratios measured elsewhere, to be held against these")
    parser.add_argument("--baseline", metavar="CSV", help="an older peers.csv (or .csv.gz): says what changed since")
    parser.add_argument("--worker", help="a speed-worker built before, instead of building it")
    parser.add_argument("--reporter", help="a peers-report built before, instead of building it")
    arguments = parser.parse_args()
    if (arguments.out / "peers.csv").exists() and not arguments.resume:
        parser.error(f"{arguments.out / 'peers.csv'} is there already: --resume, or another --out")
    return arguments


def command_of(arguments):
    """The command in words. Folders by their own names: where they lie on this machine says nothing."""
    command = ["python3 benches/python/peers.py", *(pathlib.Path(f).name for f in arguments.folders)]
    usual = {"bounds": BOUNDS, "efforts": "default,fast", "peers": ",".join(PEERS), "only": ""}
    for name, value in usual.items():
        if getattr(arguments, name) != value:
            command += [f"--{name}", getattr(arguments, name)]
    command += ["--reference", pathlib.Path(arguments.reference).name] if arguments.reference else []
    return " ".join(command)


def main():
    arguments = parse()
    environment.enter()
    import baseline
    import rows
    import summary
    import worker

    arguments.out.mkdir(parents=True, exist_ok=True)
    bounds = [tuple(bound.split("=")) for bound in arguments.bounds.split(",")]
    program = arguments.worker or worker.build()
    rustc = dict(environment.describe())["rustc"].split()
    machine = {"cpu": environment.cpu(), "rustc": rustc[1] if len(rustc) > 1 else "unknown"}
    table = rows.Table(arguments.out / "peers.csv", arguments.resume, arguments.again)
    with tempfile.TemporaryDirectory() as scratch:
        codecs = [Scicodec(e, program, arguments.timeout, scratch) for e in arguments.efforts.split(",") if e]
        codecs += [Peer(name, arguments.timeout) for name in arguments.peers.split(",") if name]
        try:
            run(table, fields_of(arguments.folders, arguments.only), bounds, codecs, machine)
        finally:
            for codec in codecs:
                codec.close()

    reference = summary.read_reference(arguments.reference) if arguments.reference else []
    page = summary.page(table.rows, environment.describe(), command_of(arguments), reference)
    (arguments.out / "peers.md").write_text(page)
    if arguments.html:
        reporter = arguments.reporter or worker.build("peers-report")
        html = arguments.out / "peers.html"
        words = [table.path, "-o", html, "--bound", arguments.map_bound]
        subprocess.run([reporter, *words, *arguments.folders], check=True)
    if arguments.baseline:
        print("\n".join(baseline.compare(rows.read(arguments.baseline), table.rows)))
    print(f"written to {arguments.out}", file=sys.stderr)


if __name__ == "__main__":
    main()
