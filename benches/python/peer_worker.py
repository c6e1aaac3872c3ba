#!/usr/bin/env python3
"""One peer in a process of its own: a crash, a hang or a leak in native code ends here.

Reads lines of JSON, answers each with one: `{"field": PATH}` loads a .npy field; `{"kind": …, "value": …}` finds the smallest
stream that keeps the bound and answers with its figures. Times are processor seconds of this process, one thread; memory is
the highest resident size while encoding and decoding once, less that before.
"""

import ctypes
import json
import os
import pathlib
import sys
import time

import numpy as np
from peer_codecs import PEERS
from peer_search import Field, best


def resident(what):
    """VmRSS or VmHWM in bytes."""
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(what))


def forget_peak():
    """Gives free memory back and starts the high-water mark anew; tells the resident size."""
    ctypes.CDLL(None).malloc_trim(0)
    pathlib.Path("/proc/self/clear_refs").write_text("5")
    return resident("VmRSS")


def seconds_of(run):
    """The least processor time of a call, repeated while it is too short to measure; and what it returns."""
    taken = []
    while len(taken) < 2 and sum(taken) < 0.25:
        start = time.process_time()
        result = run()
        taken.append(time.process_time() - start)
    return max(min(taken), 1e-6), result


def measure(peer, field, kind, value):
    found = best(peer, field, kind, value)
    idle = forget_peak()
    encode, stream = seconds_of(lambda: peer.encode(field.values, found.setting, found.tolerance))
    decode, decoded = seconds_of(lambda: peer.decode(stream, found.setting, field.values.dtype))
    peak = resident("VmHWM") - idle
    max_error, rmse = field.errors(decoded)
    asked = found.tolerance / (value * field.range)
    setting = {"tolerance": round(asked, 4)} | found.setting
    words = [f"{k}={'x'.join(map(str, v)) if isinstance(v, tuple) else v}" for k, v in setting.items()]
    figures = {"bytes_out": len(stream), "max_error": max_error, "rmse": rmse, "range": field.range}
    figures |= {"kept": (max_error if kind == "rel" else rmse) <= value * field.range}
    return figures | {"encode_s": encode, "decode_s": decode, "peak": peak, "setting": " ".join(words)}


def main():
    peer = PEERS[sys.argv[1]]()
    field = None
    # What a library prints, from Python or from C, must not be taken for an answer.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            if "field" in asked:
                field = Field(np.load(asked["field"], allow_pickle=False))
                answer = {"missing": field.missing, "version": peer.version()}
            else:
                answer = measure(peer, field, asked["kind"], asked["value"])
        except Exception as e:
            answer = {"error": f"{type(e).__name__}: {e}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
