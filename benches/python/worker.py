"""The scicodec side of a measurement: a process that encodes and decodes in memory and answers with figures."""

import pathlib
import subprocess

from environment import ROOT, TARGET
from line_process import LineProcess


def build(name="speed-worker"):
    """Builds a program of the bench in release mode; returns its path."""
    command = ["cargo", "build", "--release", "--quiet", "-p", "scicodec-bench", "--bin", name]
    subprocess.run(command, cwd=ROOT, check=True)
    return TARGET / "release" / name


class Worker:
    """One worker process; see `src/bin/speed-worker.rs` for what it can be asked."""

    def __init__(self, program, timeout=None):
        self.process = LineProcess([program])
        self.timeout = timeout

    def ask(self, *words):
        return self.process.ask(" ".join(str(word) for word in words), self.timeout)

    def field(self, values, scratch):
        """Hands a field over, through a file in the folder `scratch`."""
        path = pathlib.Path(scratch) / "field.raw"
        values.tofile(path)
        self.ask("field", values.dtype.name, ",".join(map(str, values.shape)), path)
        path.unlink()

    def encode(self, kind, value, effort, threads, verify):
        """(seconds, bytes)"""
        answer = self.ask("encode", kind, repr(value), effort, threads, "yes" if verify else "no")
        return answer["seconds"], answer["bytes"]

    def decode(self, threads):
        """Seconds to decode what was encoded last."""
        return self.ask("decode", threads)["seconds"]

    def check(self):
        """The errors of what was decoded last."""
        return self.ask("check")

    def measure(self, values, scratch, kind, value, effort):
        """The figures of one cell, as `peer_worker.py` gives them, in a fresh process: times in processor seconds."""
        self.close()
        self.field(values, scratch)
        idle = self.ask("memory")["resident"]
        encode = self.ask("encode", kind, repr(value), effort, 1, "no")
        decode = self.ask("decode", 1)
        peak = self.ask("memory")["highest"] - idle
        # The second turn finds caches and networks warm; it is worth it only where the first was short.
        again = [self.ask("encode", kind, repr(value), effort, 1, "no")] if encode["processor"] < 0.25 else []
        decodes = [decode] + ([self.ask("decode", 1)] if decode["processor"] < 0.25 else [])
        error = self.check()
        reached = error["max_error"] if kind == "rel" else error["rmse"]
        figures = {"bytes_out": encode["bytes"], "kept": reached <= value * error["range"], "peak": peak} | error
        figures |= {"encode_s": min(e["processor"] for e in [encode, *again])}
        return figures | {"decode_s": min(d["processor"] for d in decodes), "setting": error["bases"]}

    def close(self):
        self.process.close()
