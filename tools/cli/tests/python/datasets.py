#!/usr/bin/env python3
"""Encodes and decodes what others wrote, and lets others read it: `datasets.py PROGRAM FOLDER`, one line a test."""
import pathlib
import shutil
import subprocess
import sys
import traceback

import h5py
import netCDF4
import numpy as np
import xarray
import zarr

import datasets_inputs as inputs

PROGRAM, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])


def run(*words, status=0):
    """Gives standard output and standard error."""
    done = subprocess.run([PROGRAM, *map(str, words)], cwd=FOLDER, capture_output=True, text=True)
    assert done.returncode == status, "%s: %d: %s" % (" ".join(map(str, words)), done.returncode, done.stderr)
    if status:
        assert done.stderr.startswith("scicodec: error: "), done.stderr
        assert "panicked" not in done.stderr, done.stderr
    return done.stdout, done.stderr


def encode(*words, status=0):
    return run("encode", *words, "--effort", "fast", "-f", status=status)[1]


def header(path):
    return subprocess.run(["ncdump", "-h", path], cwd=FOLDER, capture_output=True, text=True, check=True).stdout.split("\n")[1:]


def raw(path, name):
    nc = netCDF4.Dataset(FOLDER / path)
    nc.set_auto_maskandscale(False)
    value = nc[name][...]
    nc.close()
    return np.asarray(value)


def same(a, b):
    assert a.dtype == b.dtype and a.shape == b.shape, (a.dtype, b.dtype, a.shape, b.shape)
    assert a.tobytes() == b.tobytes() if a.dtype != object else (a == b).all()


def all_variables(group, path=""):
    for name in group.variables:
        yield path + name
    for name, child in group.groups.items():
        yield from all_variables(child, path + name + "/")


def variables(path):
    """The kind of a file, and the names of all its variables."""
    nc = netCDF4.Dataset(FOLDER / path)
    found = nc.data_model, list(all_variables(nc))
    nc.close()
    return found


def netcdf_comes_back(kind):
    name = kind + ".nc"
    inputs.netcdf(FOLDER / name, kind)
    said = encode(name, "-e", "abs=0.01")
    assert "temperature: " in said and "kept exactly: " in said and "left out" not in said, said
    run("decode", kind + ".scz", "-o", "back.nc", "-f")
    if HAS_NCDUMP:
        assert header(name) == header("back.nc"), "\n".join(header("back.nc"))
    assert variables(name) == variables("back.nc")
    for variable in variables(name)[1]:
        a, b = raw(name, variable), raw("back.nc", variable)
        if variable == "temperature":
            special = np.isnan(a) | (a == -999)
            same(a[special], b[special])
            assert np.abs(a - b)[~special].max() <= 0.01
            assert a.tobytes() != b.tobytes()
        elif variable == "ocean/salt":
            assert np.abs(a - b).max() <= 0.01
        elif variable == "big":
            assert np.abs(a - b).max() <= 0.01
        else:
            same(a, b)


def packed_bounds_are_of_what_is_meant():
    inputs.netcdf(FOLDER / "p.nc", "netcdf4-classic")
    before = raw("p.nc", "pressure").astype("i4")
    for flags, allowed in [(["-e", "abs=20"], 40), (["-e", "abs=20", "--packed"], 20)]:
        encode("p.nc", "--var", "pressure", *flags)
        run("decode", "p.scz", "-o", "p.back.nc", "-f")
        after = raw("p.back.nc", "pressure").astype("i4")
        error = np.abs(before - after)
        assert 0 < error.max() <= allowed, error.max()
        assert after[0, 0, 0] == -32768
    assert "pw_rel" in encode("p.nc", "-e", "pw_rel=1e-3", status=1)


def default_fill_is_kept():
    run("decode", "netcdf4.scz", "--var", "bare", "-o", "bare.npy", "-f")
    same(np.load(FOLDER / "bare.npy"), raw("netcdf4.nc", "bare"))


def two_missing_values_are_both_kept():
    nc = netCDF4.Dataset(FOLDER / "two.nc", "w")
    nc.createDimension("x", 1000)
    values = np.sin(np.arange(1000) / 50).astype("f4")
    values[3], values[4] = -1e30, 1e20
    v = nc.createVariable("v", "f4", ("x",), fill_value=np.float32(-1e30))
    v.missing_value = np.float32(1e20)
    v.set_auto_mask(False)
    v[:] = values
    w = nc.createVariable("w", "f4", ("x",), fill_value=np.float32(-1e30))
    w.missing_value = np.float32(1e20)
    values[3] = 0
    w[:] = values
    nc.close()
    assert "both its _FillValue" in encode("two.nc", "-e", "rel=1e-2")
    run("decode", "two.scz", "-o", "two.back.nc", "-f")
    same(raw("two.nc", "v"), raw("two.back.nc", "v"))
    w = raw("two.back.nc", "w")
    assert w[4] == np.float32(1e20) and 0 < np.abs(w - values)[values < 2].max() <= 0.02


def a_variable_brings_its_coordinates():
    encode("netcdf4.nc", "-e", "abs=0.1", "--var", "temperature", "-o", "one.scz")
    run("decode", "one.scz", "-f")
    assert sorted(variables("one.nc")[1]) == ["crs", "lat", "lon", "temperature", "time", "time_bnds"]
    encode("netcdf4.nc", "-e", "abs=0.1", "--var", "/ocean/salt", "-o", "one.scz")
    run("decode", "one.scz", "-o", "one.nc", "-f")
    found = sorted(variables("one.nc")[1])
    assert found == ["lat", "ocean/depth", "ocean/salt", "time", "time_bnds"], found


def regions_cut_coordinates():
    run("decode", "netcdf4.scz", "--var", "temperature", "--region", "1:3,:,5:9", "-o", "box.nc", "-f")
    for name, box in [("temperature", np.s_[1:3, :, 5:9]), ("lon", np.s_[5:9]), ("time_bnds", np.s_[1:3])]:
        got, want = raw("box.nc", name), raw("netcdf4.nc", name)[box]
        assert got.shape == want.shape and np.nanmax(np.abs(got - want)) <= 0.0101, name


def files_follow_one_another():
    for kind in ["netcdf3", "netcdf4"]:
        (FOLDER / "year.scz").unlink(missing_ok=True)
        inputs.netcdf(FOLDER / "first.nc", kind)
        inputs.netcdf(FOLDER / "second.nc", kind, first=inputs.STEPS)
        for part in ["first.nc", "second.nc"]:
            run("encode", part, "-e", "abs=0.01", "--var", "temperature", "-o", "year.scz", "--append", "--effort", "fast")
        run("decode", "year.scz", "-o", "year.nc", "-f")
        assert (raw("year.nc", "time") == 30.0 * np.arange(2 * inputs.STEPS)).all()
        both = np.concatenate([raw("first.nc", "temperature"), raw("second.nc", "temperature")])
        assert np.nanmax(np.abs(raw("year.nc", "temperature") - both)) <= 0.01
        nc = netCDF4.Dataset(FOLDER / "second.nc", "a")
        nc["lat"][3] = 7
        nc.close()
        words = ["second.nc", "-e", "abs=0.01", "--var", "temperature", "-o", "year.scz", "--append"]
        assert '"lat" has other values' in run("encode", *words, status=1)[1]


def hdf5_is_read(how):
    inputs.hdf5(FOLDER / "plain.h5", **how)
    said = encode("plain.h5", "-e", "abs=1e-3")
    for out in ["complex: is a compound", "reference: is a reference", "nothing: has no elements"]:
        assert "left out: " + out in said, said
    run("decode", "plain.scz", "-o", "back.h5", "-f")
    with h5py.File(FOLDER / "plain.h5") as a, h5py.File(FOLDER / "back.h5") as b:
        for name in ["a", "gzip", "grown", "lzf", "unwritten"]:
            assert np.abs(a[name][...] - b[name][...]).max() <= 1e-3, name
        for name in ["group/big", "flags", "none_yet"]:
            assert a[name].shape == b[name].shape and (a[name][...] == b[name][...]).all(), name
        assert np.abs(b["group/sub/half"][...] - [1, 2]).max() <= 1e-3
        assert list(b["texts"].asstr()) == ["x", "yy"] and b["text"].asstr()[()] == "one"
        assert b["fixed"].asstr()[...].tolist() == [["abc", "de"]]
        assert list(b["a"].attrs["names"]) == ["x", "y"] and list(b["a"].attrs["list"]) == [1, 2, 3]


def odd_types_are_named():
    inputs.odd_netcdf(FOLDER / "odd.nc")
    said = encode("odd.nc", "-e", "abs=0.1")
    for out in ["pairs: is a compound", "lists: is a sequence of variable length", "colours: part of its type"]:
        assert "left out: " + out in said, said
    assert "is a compound" in encode("odd.nc", "-e", "abs=0.1", "--var", "pairs", status=1)
    said = encode("odd.nc", "-e", "abs=0.1", "--var", "nope", status=1)
    assert 'no variable "nope"; it has plain, colours' in said, said


def nothing_along_an_axis():
    nc = netCDF4.Dataset(FOLDER / "none.nc", "w")
    nc.createDimension("t", None)
    nc.createDimension("x", 3)
    nc.createVariable("v", "f4", ("t", "x"))
    nc.close()
    encode("none.nc", "-e", "abs=0.1")
    run("decode", "none.scz", "-o", "none.back.nc", "-f")
    assert raw("none.back.nc", "v").shape == (0, 3)


def torn_files_are_refused():
    for name in ["netcdf3.nc", "netcdf4.nc"]:
        whole = (FOLDER / name).read_bytes()
        for cut in range(0, len(whole), max(1, len(whole) // 40)):
            (FOLDER / "torn.nc").write_bytes(whole[:cut])
            run("encode", "torn.nc", "-e", "abs=0.1", "-o", "torn.scz", "-f", "--effort", "fast", status=1)


def damaged_files_do_not_crash():
    rng = np.random.default_rng(3)
    for name in ["netcdf3.nc", "netcdf4.nc", "plain.h5"]:
        whole = bytearray((FOLDER / name).read_bytes())
        for _ in range(40):
            damaged = bytearray(whole)
            for at in rng.integers(0, min(len(whole), 20000), 4):
                damaged[at] = rng.integers(0, 256)
            (FOLDER / "damaged.nc").write_bytes(damaged)
            words = ["encode", "damaged.nc", "-e", "abs=0.1", "-o", "damaged.scz", "-f", "--effort", "fast"]
            done = subprocess.run([PROGRAM, *words], cwd=FOLDER, capture_output=True, text=True, timeout=60)
            assert done.returncode in (0, 1) and "panicked" not in done.stderr, done.stderr


def zarr_comes_back(version):
    shutil.rmtree(FOLDER / "in.zarr", ignore_errors=True)
    inputs.zarr_store(FOLDER / "in.zarr", version)
    encode("in.zarr", "-e", "abs=0.01")
    run("decode", "in.scz", "-o", "back.zarr", "-f")
    a, b = zarr.open_group(FOLDER / "in.zarr", mode="r"), zarr.open_group(FOLDER / "back.zarr", mode="r")
    assert b.metadata.zarr_format == version and dict(a.attrs) == dict(b.attrs), dict(b.attrs)
    for name in ["temperature", "gzipped", "ocean/salt", "lat", "lon"] + ["sharded"] * (version == 3):
        x, y = a[name], b[name]
        assert x.shape == y.shape and np.dtype(x.dtype).newbyteorder("=") == y.dtype, name
        assert dict(x.attrs) == dict(y.attrs), name
        assert version == 2 or x.metadata.dimension_names == y.metadata.dimension_names, name
        assert np.nanmax(np.abs(x[...] - y[...])) <= (0.01 if x.ndim > 1 else 0), name
    kept = xarray.open_dataset(FOLDER / "back.zarr", engine="zarr", consolidated=False)
    assert kept.temperature.dims == ("time", "lat", "lon") and "lat" in kept.coords


def blosc_is_read(version):
    """Every compressor and shuffle that C-Blosc has, elements of 1 to 8 bytes, blocks and parts of blocks."""
    shutil.rmtree(FOLDER / "blosc.zarr", ignore_errors=True)
    root = zarr.create_group(store=str(FOLDER / "blosc.zarr"), zarr_format=version)
    for name, data, codec in inputs.blosc_arrays(version):
        root.create_array(name, shape=data.shape, dtype=data.dtype, chunks=data.shape, compressors=codec)[...] = data
    encode("blosc.zarr", "-e", "lossless")
    run("decode", "blosc.scz", "-o", "blosc-back.zarr", "-f")
    back = zarr.open_group(FOLDER / "blosc-back.zarr", mode="r")
    for name, data, _ in inputs.blosc_arrays(version):
        assert back[name].dtype == data.dtype and (back[name][...] == data).all(), name


def zstd_in_netcdf_is_read():
    with netCDF4.Dataset(FOLDER / "zstd.nc", "w") as nc:
        if not nc.has_zstd_filter():
            return
        data = inputs.temperature()
        for k, n in enumerate(data.shape):
            nc.createDimension("xyz"[k], n)
        nc.createVariable("T", "f4", ("x", "y", "z"), compression="zstd")[...] = data
    encode("zstd.nc", "-e", "lossless")
    run("decode", "zstd.scz", "--var", "T", "-o", "zstd.npy", "-f")
    assert np.array_equal(np.load(FOLDER / "zstd.npy"), data, equal_nan=True)


def netcdf_becomes_zarr():
    run("decode", "netcdf4.scz", "-o", "from.zarr", "-f")
    a = xarray.open_dataset(FOLDER / "netcdf4.nc")
    b = xarray.open_dataset(FOLDER / "from.zarr", engine="zarr", consolidated=False)
    assert sorted(a.variables) == sorted(b.variables)
    assert float(np.abs(a.temperature - b.temperature).max()) <= 0.0101
    assert bool(np.isnan(b.temperature[1, 2, 3])) and a.time.equals(b.time)
    assert b.attrs["title"] == "A test" and b.temperature.attrs["long_name"] == "air temperature"
    assert [str(s) for s in b.names.values] == [str(s) for s in a.names.values]
    assert float(np.abs(a.pressure - b.pressure).max()) <= 0.0101


def bad_stores_are_refused():
    (FOLDER / "folder").mkdir(exist_ok=True)
    assert "no Zarr store" in run("encode", "folder", "-e", "abs=0.1", "-o", "x.scz", status=1)[1]
    shutil.copytree(FOLDER / "in.zarr", FOLDER / "hurt.zarr", dirs_exist_ok=True)
    chunk = FOLDER / "hurt.zarr" / "temperature" / "c" / "1" / "0" / "2"
    chunk.write_bytes(chunk.read_bytes()[:20])
    said = encode("hurt.zarr", "-e", "abs=0.1", status=1)
    assert "temperature/c/1/0/2" in said, said
    (FOLDER / "hurt.zarr" / "zarr.json").write_text("{")
    encode("hurt.zarr", "-e", "abs=0.1", status=1)
    (FOLDER / "folder" / "mine.txt").write_text("precious")
    shutil.move(FOLDER / "folder", FOLDER / "folder.zarr")
    assert "no Zarr store" in run("decode", "netcdf4.scz", "-o", "folder.zarr", "-f", status=1)[1]
    assert (FOLDER / "folder.zarr" / "mine.txt").exists()


def arrays_become_datasets():
    np.save(FOLDER / "n.npy", inputs.temperature())
    encode("n.npy", "-e", "abs=0.01", "--fill", "-999", "--units", "K", "--var", "T")
    run("decode", "n.scz", "-o", "n.nc", "-f")
    nc = netCDF4.Dataset(FOLDER / "n.nc")
    assert nc["T"].units == "K" and nc["T"]._FillValue == -999 and nc["T"].shape == (5, 12, 20)
    nc.close()


def info_tells_all():
    said = run("info", "netcdf4.scz")[0]
    for line in ["5x12x20 of float32 (time, lat, lon)", "valid_range = [100.0,400.0]", "time = 5, unlimited", "group        /ocean"]:
        assert line in said, said


def tests():
    for kind in inputs.KINDS:
        yield "netcdf_comes_back: " + kind, lambda: netcdf_comes_back(kind)
    for test in [packed_bounds_are_of_what_is_meant, default_fill_is_kept, two_missing_values_are_both_kept,
                 a_variable_brings_its_coordinates, regions_cut_coordinates, files_follow_one_another]:
        yield test.__name__, test
    for how in [{}, {"libver": "latest"}, {"userblock_size": 512}]:
        yield "hdf5_is_read: %s" % how, lambda: hdf5_is_read(how)
    for test in [odd_types_are_named, nothing_along_an_axis, torn_files_are_refused, damaged_files_do_not_crash]:
        yield test.__name__, test
    for version in [2, 3]:
        yield "zarr_comes_back: %d" % version, lambda: zarr_comes_back(version)
        yield "blosc_is_read: %d" % version, lambda: blosc_is_read(version)
    for test in [zstd_in_netcdf_is_read, netcdf_becomes_zarr, bad_stores_are_refused, arrays_become_datasets, info_tells_all]:
        yield test.__name__, test


HAS_NCDUMP = shutil.which("ncdump") is not None
failed = 0
for name, test in tests():
    if len(sys.argv) > 3 and sys.argv[3] not in name:
        continue
    try:
        test()
        print("ok      " + name)
    except Exception:
        failed += 1
        print("FAILED  " + name)
        traceback.print_exc(file=sys.stdout)
if not HAS_NCDUMP:
    print("headers: SKIPPED: there is no ncdump")
sys.exit(failed > 0)
