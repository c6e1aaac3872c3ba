"""Files as netCDF4-python, h5py and zarr-python write them, with what the conventions have."""
import h5py
import netCDF4
import numcodecs
import numpy as np
import zarr

KINDS = {
    "netcdf3": "NETCDF3_CLASSIC",
    "netcdf3-64bit-offset": "NETCDF3_64BIT_OFFSET",
    "netcdf3-64bit-data": "NETCDF3_64BIT_DATA",
    "netcdf4-classic": "NETCDF4_CLASSIC",
    "netcdf4": "NETCDF4",
}
STEPS, LATS, LONS = 5, 12, 20


def temperature(first=0):
    t = np.arange(first, first + STEPS)[:, None, None]
    lat, lon = np.meshgrid(np.linspace(-1, 1, LATS), np.linspace(0, 6, LONS), indexing="ij")
    values = (280 + 20 * np.cos(lat) + 3 * np.sin(lon + 0.2 * t)).astype("f4")
    values[1, 2, 3] = -999
    values[2, 0, 0] = np.nan
    return values


def fill_common(nc, chunked, first):
    for name, size in [("time", None), ("lat", LATS), ("lon", LONS), ("nv", 2), ("unused", 7), ("strlen", 8)]:
        nc.createDimension(name, size)
    how = dict(zlib=True, shuffle=True, chunksizes=(1, LATS, LONS)) if chunked else {}
    v = nc.createVariable("temperature", "f4", ("time", "lat", "lon"), fill_value=np.float32(-999), **how)
    v.set_auto_mask(False)
    v[:] = temperature(first)
    v.long_name = "air temperature"
    v.units = "K"
    v.valid_range = np.array([100, 400], "f4")
    v.missing_value = np.float32(-999)
    v.grid_mapping = "crs"
    v.cell_methods = "time: mean"
    v.count = np.int32(5)
    v.tenth = np.float32(0.1)
    v.empty = ""
    v = nc.createVariable("time", "f8", ("time",))
    v[:] = 30.0 * np.arange(first, first + STEPS)
    v.units = "days since 2001-01-01 00:00:00"
    v.calendar = "noleap"
    v.bounds = "time_bnds"
    nc.createVariable("lat", "f4", ("lat",))[:] = np.linspace(-60, 60, LATS)
    nc["lat"].units = "degrees_north"
    nc.createVariable("lon", "f4", ("lon",))[:] = np.arange(LONS) * 18.0
    nc["lon"].units = "degrees_east"
    nc.createVariable("time_bnds", "f8", ("time", "nv"))[:] = 30.0 * np.arange(STEPS)[:, None] + [[0, 30]]
    v = nc.createVariable("pressure", "i2", ("time", "lat", "lon"), fill_value=np.int16(-32768), **how)
    v.scale_factor, v.add_offset, v.units = 0.5, 1000.0, "hPa"
    v.set_auto_maskandscale(False)
    packed = np.clip(100 * np.nan_to_num(temperature(first) - 280), -3000, 3000).astype("i2")
    packed[0, 0, 0] = -32768
    v[:] = packed
    v = nc.createVariable("crs", "i4", ())
    v[...] = 7
    v.grid_mapping_name = "latitude_longitude"
    v.semi_major_axis = 6371229.0
    v = nc.createVariable("station", "S1", ("lat", "strlen"))
    v[:] = netCDF4.stringtochar(np.array(["st%02d" % k for k in range(LATS)], "S8"))
    v = nc.createVariable("landuse", "i1", ("lat", "lon"))
    v[:] = np.arange(LATS * LONS).reshape(LATS, LONS) % 3
    v.flag_values = np.array([0, 1, 2], "i1")
    v.flag_meanings = "sea land ice"
    # Half of it is never written: netCDF's own fill value.
    nc.createVariable("bare", "f4", ("lat", "lon"))[: LATS // 2] = 1.5
    nc.title, nc.history, nc.version = "A test", "made\nby hand", np.int16(3)
    nc.levels = np.array([1.5, 2.5, np.nan, np.inf])


def fill_netcdf4(nc):
    nc.strings = ["one", "two three"]
    nc.setncattr_string("alone", "é")
    g = nc.createGroup("ocean")
    g.comment = "a group"
    g.createDimension("depth", 4)
    g.createDimension("run", None)
    rng = np.random.default_rng(1)
    v = g.createVariable("salt", "f8", ("time", "depth", "lat"), zlib=True, complevel=1, fletcher32=True)
    v[:] = rng.normal(size=(STEPS, 4, LATS))
    v.units = "1"
    g.createVariable("depth", "f4", ("depth",))[:] = [1, 2, 3, 4]
    v = g.createGroup("deep").createVariable("w", "u8", ("run", "depth"))
    v.flag = np.uint64(2**63 + 1)
    v[:] = rng.integers(0, 9, (3, 4))
    nc.createVariable("names", str, ("lat",))[:] = np.array(["näme" * k for k in range(LATS)], object)
    nc.createVariable("big", ">f4", ("lat", "lon"), endian="big")[:] = np.arange(LATS * LONS).reshape(LATS, LONS)
    for kind in ["u1", "u2", "u4", "i8", "u8"]:
        v = nc.createVariable("int_" + kind, kind, ("lat",))
        v[:] = np.arange(LATS)
        v.setncattr("att", np.array([1, 2], kind))
    # A variable that is named as a dimension which is not its own.
    nc.createVariable("unused", "f4", ("lat",))[:] = 2.5


def netcdf(path, kind, first=0):
    nc = netCDF4.Dataset(path, "w", format=KINDS[kind])
    fill_common(nc, kind.startswith("netcdf4"), first)
    if kind == "netcdf4":
        fill_netcdf4(nc)
    nc.close()


def odd_netcdf(path):
    """Types that have no place in a .scz file."""
    nc = netCDF4.Dataset(path, "w")
    nc.createDimension("t", 3)
    pair = nc.createCompoundType(np.dtype([("a", "f4"), ("b", "i4")]), "pair")
    nc.createVariable("pairs", pair, ("t",))
    nc.createVariable("plain", "f4", ("t",))[:] = [1, 2, 3]
    nc.createVariable("lists", nc.createVLType("i4", "list"), ("t",))[0] = np.arange(3, dtype="i4")
    colour = nc.createEnumType("u1", "colour", {"red": 1, "blue": 2})
    nc.createVariable("colours", colour, ("t",))[:] = [1, 2, 1]
    nc.close()


def hdf5(path, **how):
    with h5py.File(path, "w", **how) as f:
        f["a"] = np.arange(24.0).reshape(2, 3, 4)
        f["a"].attrs.update({"units": "m", "list": np.array([1, 2, 3]), "flag": True, "names": ["x", "y"]})
        f["group/big"] = np.arange(10, dtype=">i4")
        f["group/sub/half"] = np.float16([1, 2])
        f["text"], f["texts"] = "one", np.array(["x", "yy"], object)
        f["fixed"] = np.array([[b"abc", b"de"]])
        data = np.cumsum(np.random.default_rng(2).normal(size=(100, 100)), 0)
        f.create_dataset("gzip", data=data, chunks=(7, 9), compression="gzip", shuffle=True)
        f.create_dataset("grown", data=data, chunks=(7, 9), maxshape=(None, None))
        f.create_dataset("lzf", data=data, chunks=(30, 30), compression="lzf")
        f["complex"], f["flags"] = np.zeros(3, "c8"), np.array([True, False])
        f["nothing"] = h5py.Empty("f4")
        f["reference"] = np.array([f["a"].ref], h5py.ref_dtype)
        f.create_dataset("none_yet", shape=(0, 5), maxshape=(None, 5), dtype="f4")
        f.create_dataset("unwritten", shape=(4, 5), dtype="f4", fillvalue=-9)


def zarr_store(path, version):
    attributes = {"title": "A test", "n": 3, "deep": {"a": [1, None]}}
    root = zarr.create_group(store=str(path), zarr_format=version, attributes=attributes)
    data = temperature()

    def add(group, name, values, chunks, dimensions, **how):
        if version == 3:
            how["dimension_names"] = dimensions
        array = group.create_array(name, shape=values.shape, dtype=values.dtype, chunks=chunks, **how)
        array[...] = values
        if version == 2:
            array.attrs["_ARRAY_DIMENSIONS"] = dimensions
        return array

    axes = ["time", "lat", "lon"]
    compressor = numcodecs.Blosc(cname="lz4") if version == 2 else zarr.codecs.BloscCodec(cname="lz4")
    array = add(root, "temperature", data, (2, 12, 7), axes, compressors=compressor)
    array.attrs.update({"units": "K", "valid_range": [100.0, 400.0], "count": 5})
    gzip = numcodecs.GZip() if version == 2 else zarr.codecs.GzipCodec()
    add(root, "gzipped", data, (2, 5, 7), axes, compressors=gzip)
    if version == 3:
        add(root, "sharded", data, (1, 4, 5), axes, shards=(2, 8, 10))
    add(root, "lat", np.linspace(-60, 60, LATS).astype("f4"), (LATS,), ["lat"])
    add(root, "lon", np.arange(LONS) * 18.0, (LONS,), ["lon"])
    add(root.create_group("ocean"), "salt", data.astype(">f8") if version == 2 else data.astype("f8"), (5, 6, 20), axes)


def blosc_arrays(version):
    for compressor in ["blosclz", "lz4", "lz4hc", "zlib", "zstd", "snappy"]:
        if compressor not in numcodecs.blosc.list_compressors():
            continue
        for shuffle, word in enumerate(["noshuffle", "shuffle", "bitshuffle"]):
            # Of the last, chunks of one short block that bits are not shuffled in, as it is no multiple of eight.
            for kind, shape, level in [("u1", (300, 310), 5), ("i2", (700,), 9), ("f4", (41, 37, 29), 1), ("f8", (3, 5), 5)]:
                data = np.cumsum(np.random.default_rng(3).integers(0, 3, shape), -1).astype(kind)
                if version == 2:
                    codec = numcodecs.Blosc(compressor, level, shuffle)
                else:
                    codec = zarr.codecs.BloscCodec(cname=compressor, clevel=level, shuffle=word)
                yield f"{compressor}-{word}-{kind}", data, codec
    if version == 2:
        # Level 0 copies, random bits do not get smaller, and a given size of blocks leaves a short one.
        random = np.random.default_rng(4).integers(0, 1 << 62, 5000)
        yield "copied", random, numcodecs.Blosc("lz4", 0)
        yield "random", random, numcodecs.Blosc("zstd", 5, 2)
        yield "blocks", random // (1 << 40), numcodecs.Blosc("lz4", 5, 1, blocksize=4096)
