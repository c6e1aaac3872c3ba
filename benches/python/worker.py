"""The scicodec side of a timing: a process that encodes and decodes in memory and answers with seconds."""

import json
import pathlib
import subprocess

from environment import ROOT, TARGET


def build():
    """Builds the worker in release mode; returns its path."""
    command = ["cargo", "build", "--release", "--quiet", "-p", "scicodec-bench", "--bin", "speed-worker"]
    subprocess.run(command, cwd=ROOT, check=True)
    return TARGET / "release" / "speed-worker"


class Worker:
    """One worker process; see `src/bin/speed-worker.rs` for what it can be asked."""

    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, *words):
        self.process.stdin.write(" ".join(str(word) for word in words) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the worker ended with {self.process.wait()} at: {' '.join(map(str, words))}")
        return json.loads(line)

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

    def close(self):
        self.process.stdin.close()
        self.process.wait()
