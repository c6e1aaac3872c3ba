"""The peers: each turns an array into a stream under a setting and a tolerance, and back.

A setting is a dictionary with the shape that the values are viewed in and what else the peer can be asked. Everything runs
in memory and on one thread. `tolerance` is what the peer is asked for, in the unit of the values; what it makes of it is
measured by the caller.
"""

import importlib.metadata
import math

import numpy as np


def views(shape, ranks):
    """The shapes of these ranks that C-ordered values can be seen in by merging leading or trailing axes."""
    shape = tuple(n for n in shape if n > 1) or (1,)
    found = [shape]
    for k in range(2, len(shape) + 1):
        found.append((math.prod(shape[:k]), *shape[k:]))
        found.append((*shape[:-k], math.prod(shape[-k:])))
    return [s for s in dict.fromkeys(found) if len(s) in ranks]


def _version(package):
    return importlib.metadata.version(package)


class Sz3:
    """SZ3 through `pysz`: every algorithm it has."""

    name = "SZ3"

    def version(self):
        return f"pysz {_version('pysz')}"

    def settings(self, field):
        algorithms = ("INTERP_LORENZO", "INTERP", "LORENZO_REG", "NOPRED")
        return [{"view": v, "algorithm": a} for v in views(field.shape, (1, 2, 3, 4)) for a in algorithms]

    def encode(self, field, setting, tolerance):
        from pysz import sz, szAlgorithm, szConfig, szErrorBoundMode

        config = szConfig(setting["view"])
        config.cmprAlgo = getattr(szAlgorithm, setting["algorithm"])
        config.errorBoundMode = szErrorBoundMode.ABS
        config.absErrorBound = tolerance
        config.openmp = False
        stream, _ = sz.compress(field.reshape(setting["view"]), config)
        return stream

    def decode(self, stream, setting, dtype):
        from pysz import sz

        values, _ = sz.decompress(stream, dtype, setting["view"])
        return values


LEAST = 9


class Sperr:
    """SPERR through `hdf5plugin`: one chunk of an HDF5 file in memory. `swap=True`, or its axes are mixed up.
    It takes extents of LEAST and more."""

    name = "SPERR"
    # Its errors stay below what it is asked for by a factor that depends on the view.
    not_far = 2.0

    def version(self):
        return f"hdf5plugin {_version('hdf5plugin')}"

    def settings(self, field):
        whole = [(v, v) for v in views(field.shape, (2, 3)) if min(v) >= LEAST]
        # A stack of volumes or of planes, each coded alone.
        stacks = [(v, (1, *v[1:])) for v in views(field.shape, (3, 4)) if min(v[1:]) >= LEAST]
        # A thin stack as one volume, with its last plane repeated to the nine that the filter asks for.
        thin = [v for v in views(field.shape, (3,)) if 1 < v[0] < LEAST and min(v[1:]) >= LEAST]
        whole += [((LEAST, *v[1:]), (LEAST, *v[1:])) for v in thin]
        return [{"view": v, "chunk": c, "mode": "absolute"} for v, c in whole + stacks]

    def settings_for_rmse(self, field):
        return [setting | {"mode": "psnr"} for setting in self.settings(field)]

    def other_ways(self, setting):
        """Without its list of outliers, and precise enough not to need one: shorter where the bound is loose."""
        return [setting | {"mode": "psnr"}]

    def encode(self, field, setting, tolerance):
        import hdf5plugin

        if setting["mode"] == "psnr":
            spread = float(field.max()) - float(field.min())
            asked = {"peak_signal_to_noise_ratio": 20.0 * math.log10(spread / tolerance)}
        else:
            asked = {"absolute": tolerance}
        self._asked = hdf5plugin.Sperr(**asked, swap=True)
        self._size = field.size
        plane = math.prod(setting["view"][1:])
        missing = math.prod(setting["view"]) - field.size
        values = np.concatenate([field.ravel(), np.tile(field.ravel()[-plane:], missing // plane)])
        with self._file() as file:
            values = values.reshape(setting["view"])
            made = file.create_dataset("x", data=values, chunks=setting["chunk"], **self._asked)
            parts = [made.id.read_direct_chunk(at)[1] for at in self._chunks(setting)]
        self._ends = np.cumsum([len(part) for part in parts])
        return b"".join(parts)

    def decode(self, stream, setting, dtype):
        # Another file: the one that encoded still has the values.
        with self._file() as file:
            made = file.create_dataset("x", setting["view"], dtype, chunks=setting["chunk"], **self._asked)
            starts = [0, *self._ends[:-1]]
            for at, start, end in zip(self._chunks(setting), starts, self._ends):
                made.id.write_direct_chunk(at, stream[start:end])
            return made[...].ravel()[: self._size]

    @staticmethod
    def _chunks(setting):
        count = setting["view"][0] // setting["chunk"][0]
        return [(k, *(0 for _ in setting["view"][1:])) for k in range(count)]

    @staticmethod
    def _file():
        import h5py

        return h5py.File("unnamed", "w", driver="core", backing_store=False)


class Zfp:
    """zfp through `zfpy`. It takes tolerances as powers of two and stays well below them."""

    name = "zfp"
    powers_of_two = True

    def version(self):
        return f"zfpy {_version('zfpy')}"

    def settings(self, field):
        return [{"view": v} for v in views(field.shape, (1, 2, 3, 4))]

    def encode(self, field, setting, tolerance):
        import zfpy

        return zfpy.compress_numpy(field.reshape(setting["view"]), tolerance=tolerance, write_header=True)

    def decode(self, stream, setting, dtype):
        import zfpy

        return zfpy.decompress_numpy(stream)


class QuantisedPco:
    """Values rounded to multiples of twice the tolerance, as integers through `pcodec` at its highest level: as they are, or
    after a Lorenzo difference, counted from zero or from the smallest value. Step and offset are 8 bytes each, the setting one."""

    name = "quant+pco"
    HEAD = 17

    def version(self):
        return f"pcodec {_version('pcodec')}"

    def settings(self, field):
        shapes = views(field.shape, range(1, 9))
        made = [{"view": shapes[0], "difference": d, "from": "min"} for d in ("none", "lorenzo")]
        made += [{"view": shapes[0], "difference": "none", "from": "zero"}]
        return made + [{"view": v, "difference": "lorenzo", "from": "zero"} for v in shapes]

    def encode(self, field, setting, tolerance):
        from pcodec import ChunkConfig, standalone

        self._step = 2.0 * tolerance
        self._from = float(field.min()) if setting["from"] == "min" else 0.0
        steps = np.rint((field.reshape(setting["view"]).astype(np.float64) - self._from) / self._step)
        largest = float(np.abs(steps).max(initial=0.0))
        if not largest < 2.0**52:
            raise ValueError("more than 2^52 steps")
        # Differences of n axes grow by 2^n at most; wrapping round is undone by the sums.
        whole = steps.astype(np.int32 if largest < 2.0**31 - 1 else np.int64)
        if setting["difference"] == "lorenzo":
            for axis in range(whole.ndim):
                whole = np.diff(whole, axis=axis, prepend=whole.dtype.type(0))
        return standalone.simple_compress(whole.ravel(), ChunkConfig(compression_level=12)) + bytes(self.HEAD)

    def decode(self, stream, setting, dtype):
        from pcodec import standalone

        whole = standalone.simple_decompress(stream[: -self.HEAD]).reshape(setting["view"])
        if setting["difference"] == "lorenzo":
            for axis in range(whole.ndim):
                whole = np.cumsum(whole, axis=axis, dtype=whole.dtype)
        return (whole * self._step + self._from).astype(dtype)


PEERS = {peer.name: peer for peer in (Sz3, Sperr, Zfp, QuantisedPco)}
