"""What people use to read and write HDF5 reads and writes chunks of scicodec.

HDF5_PLUGIN_PATH names the folder of the plugin. Command-line tools that are not installed are skipped, unless
SCICODEC_REQUIRE_PYTHON is set. Run by tools.rs; by hand: HDF5_PLUGIN_PATH=FOLDER python3 tools.py
"""
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

import h5py
import netCDF4
import numpy as np
import xarray

FILTER = 42434
KINDS = ["lossless", "abs", "chunk_rel", "pw_rel", "chunk_psnr", "chunk_nrmse", "chunk_l2"]


def parameters(kind, value=0.0, fast=False, fill=None):
    """The user's part of cd_values (SPEC 10.2)."""
    numbers = [value] if fill is None else [value, fill]
    words = (word for number in numbers for word in struct.unpack("<2I", struct.pack("<d", number)))
    return (1, KINDS.index(kind) | (0x100 if fast else 0) | (0x1000000 if fill is not None else 0), *words)


def wave(shape, dtype):
    """A smooth field, of amplitude 100."""
    axes = np.meshgrid(*(np.arange(n) for n in shape), indexing="ij")
    field = 100 * np.sin(sum(0.21 / (k + 1) * a for k, a in enumerate(axes)))
    return field.astype(dtype) if np.dtype(dtype).kind == "f" else np.rint(field + 100).astype(dtype)


def error(a, b):
    return np.abs(a.astype("f8") - b.astype("f8")).max()


def needs(tool):
    there = shutil.which(tool) is not None or "SCICODEC_REQUIRE_PYTHON" in os.environ
    return unittest.skipUnless(there, f"there is no {tool}")


class Tools(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def write(self, field, bound, chunks=None, name="a.h5", **more):
        """Writes a dataset "x" with h5py, and reads it back."""
        with h5py.File(self.path(name), "w") as f:
            more.setdefault("compression_opts", bound)
            f.create_dataset("x", data=field, chunks=chunks or field.shape, compression=FILTER, **more)
        return self.read(name)

    def read(self, name="a.h5", variable="x"):
        with h5py.File(self.path(name)) as f:
            return f[variable][()]

    def run_tool(self, *words, ok=True):
        done = subprocess.run(words, capture_output=True, text=True, cwd=self.folder.name)
        self.assertEqual(done.returncode == 0, ok, f"{words}: {done.stdout}\n{done.stderr}")
        self.assertGreaterEqual(done.returncode, 0, f"{words}: {done.stderr}")
        return done.stdout + done.stderr

    def refuses(self, words, **more):
        """Creating a dataset fails, with these words in the error."""
        more = {"shape": (20, 30), "dtype": "f4", "chunks": (20, 30), "compression_opts": parameters("abs", 1.0), **more}
        with h5py.File(self.path("refused.h5"), "w") as f:
            with self.assertRaises((OSError, ValueError)) as caught:
                f.create_dataset("x", compression=FILTER, **more)
        self.assertIn(words, str(caught.exception))

    def test_every_dtype_and_byte_order_under_every_bound(self):
        for name in ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]:
            for order in "<>":
                dtype = np.dtype(order + name)
                field = wave((12, 20, 31), dtype)
                bounds = [("lossless", 0.0), ("abs", 1.0), ("chunk_rel", 0.01)]
                if name in ("f4", "f8"):
                    bounds += [("pw_rel", 0.01), ("chunk_psnr", 60.0), ("chunk_nrmse", 0.001), ("chunk_l2", 10.0)]
                for kind, value in bounds:
                    with self.subTest(dtype=str(dtype), bound=kind):
                        back = self.write(field, parameters(kind, value, fast=True))
                        self.assertEqual(back.dtype, dtype)
                        a, b = field.astype("f8"), back.astype("f8")
                        width, rmse = a.max() - a.min(), np.sqrt(((a - b) ** 2).mean())
                        kept = {
                            "lossless": field.tobytes() == back.tobytes(),
                            "abs": np.abs(a - b).max() <= value,
                            "chunk_rel": np.abs(a - b).max() <= value * width,
                            "pw_rel": (np.abs(a - b) <= value * np.abs(a)).all(),
                            "chunk_psnr": rmse <= width / 10 ** (value / 20),
                            "chunk_nrmse": rmse <= value * width,
                            "chunk_l2": np.sqrt(((a - b) ** 2).sum()) <= value,
                        }
                        self.assertTrue(kept[kind])
                        self.assertLess(self.stored_bytes(), field.nbytes)

    def stored_bytes(self, name="a.h5"):
        with h5py.File(self.path(name)) as f:
            return f["x"].id.get_storage_size()

    def test_chunks_at_the_edges_and_of_many_axes(self):
        for shape, chunks in [
            ((50, 70), (16, 32)),
            ((5,), (100,)),
            ((1, 3, 1, 40, 50), (1, 2, 1, 33, 50)),
            ((2, 2, 2, 2, 3, 4, 5, 6), (2, 2, 2, 2, 3, 4, 5, 6)),
            ((1, 1), (1, 1)),
        ]:
            with self.subTest(shape=shape):
                field = wave(shape, "f4")
                resizable = tuple(max(n, c) for n, c in zip(shape, chunks))
                for bound, most in [(parameters("abs", 0.01), 0.01), (parameters("lossless"), 0)]:
                    back = self.write(field, bound, chunks, maxshape=resizable)
                    self.assertLessEqual(error(field, back), most)

    def test_padding_does_not_widen_the_range(self):
        # Values between 1000 and 1001, in a chunk that HDF5 pads with zeros.
        field = (1000 + np.linspace(0, 1, 20 * 20)).reshape(20, 20)
        back = self.write(field, parameters("chunk_rel", 1e-3), chunks=(16, 16), maxshape=(32, 32))
        self.assertLessEqual(error(field, back), 1e-3)
        back = self.write(field, parameters("chunk_psnr", 60.0), chunks=(16, 16), maxshape=(32, 32))
        self.assertLessEqual(np.sqrt(((field - back) ** 2).mean()), 1e-3)

    def test_no_value_is_kept(self):
        for order in "<>":
            field = wave((30, 40), order + "f4")
            field[3:9, 7] = np.nan
            field[0, 0], field[0, 1] = np.inf, -np.inf
            field[20:, 30:] = 9.96921e36
            back = self.write(field, parameters("abs", 0.01), chunks=(16, 16), fillvalue=np.float32(9.96921e36))
            there = np.isfinite(field) & (field < 1e36)
            self.assertLessEqual(error(field[there], back[there]), 0.01)
            self.assertEqual(field[~there].tobytes(), back[~there].tobytes())

    def test_nothing_written_reads_as_the_fill_value(self):
        with h5py.File(self.path("a.h5"), "w") as f:
            f.create_dataset("x", (30, 40), "f4", chunks=(16, 16), fillvalue=-1, compression=FILTER,
                             compression_opts=parameters("abs", 0.01))
        self.assertTrue((self.read() == -1).all())

    def test_a_dataset_that_grows(self):
        field = wave((40, 20), "f8")
        with h5py.File(self.path("a.h5"), "w") as f:
            x = f.create_dataset("x", (0, 20), "f8", maxshape=(None, 20), chunks=(16, 20), compression=FILTER,
                                 compression_opts=parameters("abs", 1e-3))
            for k in range(0, 40, 10):
                x.resize((k + 10, 20))
                x[k:] = field[k:k + 10]
        # Three chunks were written more than once: each time the bound was kept against what had been read back.
        self.assertLessEqual(error(field, self.read()), 4e-3)

    def test_what_is_no_number_is_refused(self):
        for dtype, word in [
            (np.dtype([("a", "f4"), ("b", "i2")]), "compounds"),
            (np.dtype("S8"), "strings"),
            # Of HDF5 itself.
            (h5py.string_dtype(), "not suitable for filters"),
            (np.dtype("bool"), "enumerations"),
            (np.dtype("c8"), "scicodec takes IEEE floats"),
        ]:
            with self.subTest(dtype=str(dtype)):
                for flag in [h5py.h5z.FLAG_MANDATORY, h5py.h5z.FLAG_OPTIONAL]:
                    how = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
                    how.set_chunk((100,))
                    how.set_filter(FILTER, flag, parameters("abs", 1.0))
                    with h5py.File(self.path("a.h5"), "w") as f:
                        words = f.id, b"x", h5py.h5t.py_create(dtype, logical=True), h5py.h5s.create_simple((100,)), how
                        if flag == h5py.h5z.FLAG_OPTIONAL:
                            # Stored as it is.
                            h5py.Dataset(h5py.h5d.create(*words))[...] = np.zeros(100, dtype) if dtype != object else "a"
                            continue
                        with self.assertRaises((OSError, ValueError)) as caught:
                            h5py.h5d.create(*words)
                        self.assertIn(word, str(caught.exception))
                self.read()
        with h5py.File(self.path("b.h5"), "w") as f, self.assertRaises(TypeError):
            f.create_dataset("scalar", data=1.0, compression=FILTER, compression_opts=parameters("abs", 1.0))

    def test_parameters_without_sense_are_refused(self):
        self.refuses("scicodec h5 cd-values", compression_opts=())
        self.refuses("scicodec h5 cd-values", compression_opts=(1, 1))
        self.refuses("version 7", compression_opts=(7, 1, 0, 0))
        self.refuses("kind of bound 9", compression_opts=(1, 9, 0, 0))
        self.refuses("ask for lossless", compression_opts=(1, 1, 0, 0))
        self.refuses("positive, finite", compression_opts=parameters("abs", float("nan")))
        self.refuses("int32 values take lossless, abs or rel", dtype="i4", compression_opts=parameters("chunk_psnr", 60.0))
        self.refuses("float16 values take", dtype="f2", compression_opts=parameters("pw_rel", 0.1))
        self.refuses("is no uint8", dtype="u1", compression_opts=parameters("abs", 1.0, fill=300))
        self.refuses("too few", compression_opts=parameters("abs", 1.0, fill=300)[:5])
        self.refuses("shuffle comes before scicodec", shuffle=True)

    def test_a_checksum_may_follow(self):
        field = wave((20, 30), "f4")
        self.assertLessEqual(error(field, self.write(field, parameters("abs", 0.1), fletcher32=True)), 0.1)

    def chunk(self, name="a.h5"):
        """Offset and bytes of the first chunk of "x"."""
        with h5py.File(self.path(name)) as f:
            info = f["x"].id.get_chunk_info(0)
            return info.byte_offset, info.size

    def damage(self, at, byte, name="a.h5"):
        with open(self.path(name), "r+b") as f:
            f.seek(at)
            f.write(byte)

    def test_damage_is_an_error_and_no_crash(self):
        field = wave((20, 30), "f4")
        self.write(field, parameters("abs", 0.1))
        start, size = self.chunk()
        with open(self.path("a.h5"), "rb") as f:
            whole = f.read()
        for at in range(size):
            self.damage(start + at, bytes([whole[start + at] ^ 0x55]))
            with self.assertRaises(OSError) as caught:
                self.read()
            self.assertIn("scicodec: ", str(caught.exception))
            self.damage(start + at, whole[start + at:start + at + 1])
        self.assertLessEqual(error(field, self.read()), 0.1)

    def test_a_chunk_of_another_size_is_an_error(self):
        self.write(wave((5, 5), "f4"), parameters("abs", 0.1), name="small.h5")
        with h5py.File(self.path("small.h5")) as f:
            small = f["x"].id.read_direct_chunk((0, 0))[1]
        self.write(wave((20, 30), "f4"), parameters("abs", 0.1))
        for stream in [small, b"x", b"x" * 100, small[:-1]]:
            with h5py.File(self.path("a.h5"), "r+") as f:
                f["x"].id.write_direct_chunk((0, 0), stream)
            with self.assertRaises(OSError):
                self.read()

    def test_decoding_needs_no_parameters(self):
        field = wave((20, 30), ">f4")
        back = self.write(field, parameters("abs", 0.1))
        with h5py.File(self.path("a.h5")) as f:
            stream = f["x"].id.read_direct_chunk((0, 0))[1]
        with h5py.File(self.path("b.h5"), "w") as f:
            x = f.create_dataset("x", (20, 30), ">f4", chunks=(20, 30), compression=FILTER,
                                 compression_opts=parameters("pw_rel", 0.5))
            x.id.write_direct_chunk((0, 0), stream)
        self.assertEqual(back.tobytes(), self.read("b.h5").tobytes())
        # A chunk is a whole file of its own.
        self.assertEqual(stream[:9], b"\x89SCZ\r\n\x1a\n\x02")

    def test_without_the_plugin_the_filter_is_named(self):
        self.write(wave((20, 30), "f4"), parameters("abs", 0.1))
        program = f"import h5py; print(h5py.File({self.path('a.h5')!r})['x'][()])"
        os.mkdir(self.path("empty"))
        nowhere = {**os.environ, "HDF5_PLUGIN_PATH": self.path("empty")}
        done = subprocess.run([sys.executable, "-c", program], env=nowhere, capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("plugin", done.stderr)

    def test_files_of_earlier_versions_decode_to_the_same_bits(self):
        folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../testdata/hdf5")
        for name in sorted(os.listdir(folder)):
            with h5py.File(os.path.join(folder, name)) as f:
                self.assertGreater(len(f["encoded"]), 0)
                for variable, encoded in f["encoded"].items():
                    self.assertNotEqual(encoded.id.get_create_plist().get_nfilters(), 0)
                    plain = f["decoded"][variable]
                    self.assertEqual(encoded.dtype, plain.dtype)
                    self.assertEqual(encoded[()].tobytes(), plain[()].tobytes(), f"{name}: {variable}")

    def test_encoding_is_the_same_each_time(self):
        field = wave((40, 50), "f4")
        streams = []
        for name in ["a.h5", "b.h5"]:
            self.write(field, parameters("abs", 0.01), chunks=(16, 16), name=name)
            with h5py.File(self.path(name)) as f:
                streams.append([f["x"].id.read_direct_chunk((i, 0))[1] for i in (0, 16, 32)])
        self.assertEqual(*streams)

    def netcdf(self, name):
        """A file as netCDF4-python writes it, without the filter."""
        field = wave((4, 30, 50), "f4")
        with netCDF4.Dataset(self.path(name), "w") as f:
            for axis, n in zip(("time", "lat", "lon"), field.shape):
                f.createDimension(axis, None if axis == "time" else n)
                f.createVariable(axis, "f8", (axis,))[:] = np.arange(n)
            t = f.createVariable("t", "f4", ("time", "lat", "lon"), fill_value=-999.0, chunksizes=(1, 30, 50))
            t.units = "K"
            masked = np.ma.array(field, mask=False)
            masked[1, 3:6, 7:9] = np.ma.masked
            t[:] = masked
        return masked

    def check_netcdf(self, masked, name, bound):
        with netCDF4.Dataset(self.path(name)) as f:
            t = f["t"][:]
            self.assertEqual(f["t"].units, "K")
            self.assertTrue((f["lon"][:] == np.arange(50)).all())
        self.assertEqual(t.mask.tobytes(), masked.mask.tobytes())
        self.assertLessEqual(np.abs(t - masked).max(), bound)
        self.assertGreater(np.abs(t - masked).max(), 0)

    def test_xarray_writes_and_netcdf4_python_reads_and_appends(self):
        masked = self.netcdf("plain.nc")
        with xarray.open_dataset(self.path("plain.nc")) as plain:
            how = {"compression": FILTER, "compression_opts": parameters("abs", 0.01), "chunksizes": (1, 30, 50)}
            plain.to_netcdf(self.path("a.nc"), engine="h5netcdf", encoding={"t": how}, unlimited_dims=["time"])
        self.check_netcdf(masked, "a.nc", 0.01)
        with netCDF4.Dataset(self.path("a.nc"), "a") as f:
            f["t"][2:6] = masked + 1
        with xarray.open_dataset(self.path("a.nc"), engine="netcdf4") as a:
            self.assertLessEqual(np.abs(a["t"][2:6] - (masked + 1)).max(), 0.01)
            self.assertTrue(np.isnan(a["t"].encoding["_FillValue"]))

    @needs("nccopy")
    def test_nccopy_and_ncdump(self):
        masked = self.netcdf("plain.nc")
        # nccopy declares no fill values to HDF5, and notes them as attributes alone.
        words = ",".join(map(str, parameters("abs", 0.01, fill=-999)))
        self.run_tool("nccopy", "-F", f"t,{FILTER},{words}", "plain.nc", "a.nc")
        self.check_netcdf(masked, "a.nc", 0.01)
        self.assertLess(os.path.getsize(self.path("a.nc")), os.path.getsize(self.path("plain.nc")))
        header = self.run_tool("ncdump", "-hs", "a.nc")
        self.assertIn(f't:_Filter = "{FILTER},{words}', header)
        self.assertEqual(self.run_tool("ncdump", "-h", "a.nc").split("{")[1],
                         self.run_tool("ncdump", "-h", "plain.nc").split("{")[1])
        # A copy without the filter has the same values; one with it is encoded again.
        self.run_tool("nccopy", "-F", "none", "a.nc", "b.nc")
        self.assertEqual(self.run_tool("ncdump", "-v", "t", "b.nc").split("{")[1],
                         self.run_tool("ncdump", "-v", "t", "a.nc").split("{")[1])
        self.run_tool("nccopy", "a.nc", "c.nc")
        self.check_netcdf(masked, "c.nc", 0.02)

    @needs("h5repack")
    def test_h5repack_and_h5dump(self):
        masked = self.netcdf("plain.nc")
        words = ",".join(map(str, parameters("abs", 0.01)))
        self.run_tool("h5repack", "-f", f"t:UD={FILTER},0,4,{words}", "plain.nc", "a.nc")
        self.check_netcdf(masked, "a.nc", 0.01)
        self.assertIn(f"FILTER_ID {FILTER}", self.run_tool("h5dump", "-p", "-H", "-d", "t", "a.nc"))
        self.run_tool("h5dump", "-d", "t", "a.nc")
        self.run_tool("h5repack", "-f", "t:NONE", "a.nc", "b.nc")
        self.run_tool("h5diff", "a.nc", "b.nc")
        # All datasets: one that is no number stays as it is, since the filter is optional here.
        with h5py.File(self.path("mixed.h5"), "w") as f:
            f.create_dataset("x", data=wave((40, 50), "f4"), chunks=(20, 50))
            f.create_dataset("s", data=np.array([b"ab", b"cd"] * 500), chunks=(1000,))
        self.run_tool("h5repack", "-f", f"UD={FILTER},1,4,{words}", "mixed.h5", "packed.h5")
        self.assertEqual(self.read("packed.h5", "s").tobytes(), self.read("mixed.h5", "s").tobytes())
        self.assertLessEqual(error(self.read("packed.h5"), self.read("mixed.h5")), 0.01)
        self.assertLess(self.stored_bytes("packed.h5"), 4000)

    @needs("h5dump")
    def test_what_h5py_writes_debian_reads(self):
        field = wave((8, 9), ">i4")
        self.write(field, parameters("lossless"))
        said = self.run_tool("h5dump", "-y", "-w", "1", "-d", "x", "a.h5")
        numbers = [int(w) for w in said[said.index("DATA {"):].replace(",", " ").split() if w.lstrip("-").isdigit()]
        self.assertEqual(numbers, field.ravel().tolist())
        self.damage(sum(self.chunk()) - 30, b"\x00\x01\x02\x03\x04\x05\x06\x07")
        self.run_tool("h5dump", "-d", "x", "a.h5", ok=False)


if __name__ == "__main__":
    unittest.main(verbosity=2)
