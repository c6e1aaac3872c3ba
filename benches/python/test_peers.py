"""Claims about peers.py and what it is made of, with the standard library alone: `python3 -m unittest discover benches/python`."""

import argparse
import io
import os
import pathlib
import sys
import tempfile
import unittest
from contextlib import redirect_stderr
from unittest import mock

import baseline
import line_process
import peers
import rows
import summary

MEASURED = {"bytes_out": 100, "range": 2.0, "rmse": 0.002, "max_error": 0.01, "kept": True, "peak": 5_000_000}
MEASURED |= {"encode_s": 0.5, "decode_s": 0.25, "setting": "s"}


def row(field, codec, ratio, kind="rel", bound="1e-1", status="ok", **more):
    made = dict.fromkeys(rows.COLUMNS, "")
    made |= {"field": field, "codec": codec, "ratio": str(ratio), "kind": kind, "bound": bound, "status": status}
    made |= {"encode_mb_s": "10", "decode_mb_s": "20", "peak_mb": "1", "bytes_in": "1000000", "version": f"{codec} 1"}
    return made | more


class Figures(unittest.TestCase):
    def test_every_figure_follows_from_what_was_measured(self):
        made = rows.figures("a", (50, 20), "float32", MEASURED)
        self.assertEqual((made["bytes_in"], made["ratio"], made["bits_per_value"]), (4000, 40.0, 0.8))
        self.assertAlmostEqual(made["nrmse"], 0.001)
        self.assertAlmostEqual(made["psnr"], 60.0)
        self.assertAlmostEqual(made["encode_mb_s"], 0.008)
        self.assertAlmostEqual(made["decode_mb_s"], 0.016)
        self.assertEqual((made["peak_mb"], made["status"]), (5.0, "ok"))

    def test_a_broken_bound_is_marked_and_counts_nowhere(self):
        self.assertEqual(rows.figures("a", (10,), "float64", MEASURED | {"kept": False})["status"], "broken")
        found = summary.cells([row("a", "SZ3", 9, status="broken"), row("a", "zfp", 3), row("a", "scicodec default", 6)])
        cell = found["a", "rel", 0.1]
        self.assertEqual(summary.best_peer(cell)["codec"], "zfp")
        self.assertEqual(summary.quotients(found, "scicodec default", None), [2.0])

    def test_losses_are_worst_first(self):
        some = [row(f, "scicodec default", r) for f, r in (("a", 9.0), ("b", 5.0), ("c", 20.0))]
        found = summary.cells(some + [row(f, "SZ3", 10.0) for f in "abc"])
        lines = [line for line in summary.losses(found, "scicodec default") if line.startswith("| 0.")]
        self.assertEqual([line.split(" | ")[1] for line in lines], ["b", "a"])

    def test_agreement_counts_what_is_within_two_per_cent(self):
        found = summary.cells([row(f, "SZ3", r) for f, r in (("a", 10.1), ("b", 12.0), ("c", 9.0))])
        reference = [{"field": f, "kind": "rel", "bound": "0.1", "SZ3": "10"} for f in "abc"]
        line = next(line for line in summary.agreement(found, reference) if line.startswith("| SZ3"))
        self.assertEqual(line.split(" | ")[1:], ["3", "1.0100", "1", "1", "1 |"])

    def test_the_page_holds_means_troubles_and_versions(self):
        some = [row("a", "scicodec default", 20), row("a", "SZ3", 10), row("b", "SZ3", 1, status="failed", reason="no answer")]
        page = summary.page(some, [("processor", "one")], "peers.py F", [])
        for words in ("| rel 0.1 | 1 | **2.000** |", "no answer", "SZ3: SZ3 1", "processor: one", "`peers.py F`"):
            self.assertIn(words, page)

    def test_a_baseline_tells_worse_and_better(self):
        old = [row("a", "scicodec fast", 10), row("b", "scicodec fast", 10), row("c", "scicodec fast", 10)]
        new = [row("a", "scicodec fast", 9), row("b", "scicodec fast", 11), row("c", "scicodec fast", 9, status="broken")]
        lines = baseline.compare(old, new)
        self.assertIn("ratio: 1 cells worse, 1 better (by more than 0.1%)", lines)
        self.assertTrue(any(line.startswith("no longer kept: scicodec fast  c") for line in lines))
        self.assertEqual(baseline.compare(old, [row("z", "SZ3", 1)]), ["no cell is in both tables"])


class Resume(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name) / "peers.csv"

    def test_a_run_goes_on_where_it_stopped(self):
        table = rows.Table(self.path, resume=False)
        table.append(row("a", "SZ3", 10))
        table.append(row("a", "zfp", 10, reason="two\nlines, and a comma"))
        with open(self.path, "a") as file:
            file.write("a,4x4,float32,0,1,rel,1e-2,SZ")  # torn
        again = rows.Table(self.path, resume=True)
        self.assertEqual([r["codec"] for r in again.rows], ["SZ3", "zfp"])
        self.assertIn(rows.key(row("a", "SZ3", 10, bound="0.1")), again.done)
        again.append(row("b", "SZ3", 10))
        self.assertEqual(len(rows.read(self.path)), 3)

    def test_a_codec_can_be_measured_again(self):
        table = rows.Table(self.path, resume=False)
        for codec in ("scicodec fast", "scicodec default", "SZ3"):
            table.append(row("a", codec, 10))
        self.assertEqual([r["codec"] for r in rows.Table(self.path, True, ["scicodec"]).rows], ["SZ3"])

    def test_another_table_is_refused(self):
        self.path.write_text("field,ratio\na,2\n")
        with self.assertRaises(ValueError):
            rows.read(self.path)


SIDE = """
import json, os, signal, sys, time
for line in sys.stdin:
    if line.startswith("hang"):
        time.sleep(60)
    if line.startswith("crash"):
        os.kill(os.getpid(), signal.SIGSEGV)
    if line.startswith("raise"):
        raise MemoryError("no memory left")
    if line.startswith("babble"):
        print("warning: deprecated", flush=True)
    print(json.dumps({"error": "cannot"} if line.startswith("refuse") else {"pid": os.getpid()}), flush=True)
"""


class Processes(unittest.TestCase):
    def setUp(self):
        self.side = line_process.LineProcess([sys.executable, "-c", SIDE])
        self.addCleanup(self.side.close)

    def lost(self, line, timeout=30):
        with self.assertRaises(line_process.Lost) as raised:
            self.side.ask(line, timeout)
        self.assertIn("pid", self.side.ask("are you there again?", 30))
        return str(raised.exception)

    def test_a_crash_is_told_and_the_next_question_is_answered(self):
        self.assertEqual(self.lost("crash"), "ended by SIGSEGV")
        self.assertEqual(self.lost("raise"), "ended with 1: MemoryError: no memory left")

    def test_a_hang_ends_in_time(self):
        self.assertEqual(self.lost("hang", 0.5), "no answer in 0.5 s")

    def test_what_is_no_answer_is_not_taken_for_one(self):
        self.assertIn("warning: deprecated", self.lost("babble"))

    def test_a_refusal_keeps_the_process(self):
        first = self.side.ask("hello", 30)
        with self.assertRaises(line_process.Refused):
            self.side.ask("refuse", 30)
        self.assertEqual(self.side.ask("hello", 30), first)


class Fake:
    """A codec that does as its name says."""

    def __init__(self, name):
        self.name, self.asked = name, 0

    def measure(self, path, values, kind, value):
        self.asked += 1
        if self.name == "crashes":
            raise line_process.Lost("ended by SIGSEGV")
        return MEASURED | {"version": "1"}


class Values:
    """As much of an array as the driver looks at."""

    shape, size, nbytes = (4, 4), 16, 64
    dtype = argparse.Namespace(name="float32")


class Run(unittest.TestCase):
    def run_over(self, table, fields, codecs):
        def load(path):
            if "broken" in path.name:
                raise ValueError("cannot be\nread")
            return Values

        quiet = redirect_stderr(io.StringIO())
        with mock.patch.multiple(peers, load=load, sum_finite=lambda v: 16), quiet:
            peers.run(table, fields, [("rel", "1e-1"), ("nrmse", "1e-2")], codecs, {"cpu": "c", "rustc": "r"})

    def test_what_fails_costs_its_row_and_a_second_run_nothing(self):
        with tempfile.TemporaryDirectory() as folder:
            table = rows.Table(os.path.join(folder, "peers.csv"), resume=False)
            fields = [(n, pathlib.Path(f"{n}.npy")) for n in ("broken", "good")]
            codecs = [Fake("works"), Fake("crashes")]
            self.run_over(table, fields, codecs)
            told = [(r["field"], r["codec"], r["status"], r["reason"]) for r in table.rows]
            good = [("good", "works", "ok", ""), ("good", "crashes", "failed", "ended by SIGSEGV")]
            self.assertEqual(told, [("broken", "", "failed", "cannot be read"), *good, *good])
            again = rows.Table(table.path, resume=True)
            self.run_over(again, fields, codecs)
            self.assertEqual((len(again.rows), codecs[0].asked), (5, 2))


if __name__ == "__main__":
    unittest.main()
