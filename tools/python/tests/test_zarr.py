"""The codecs for Zarr v3 and, through numcodecs, for Zarr v2."""

import json
from importlib import resources
from pathlib import Path

import jsonschema
import numcodecs
import numpy as np
import pytest
import scicodec
import scicodec.numcodecs
import zarr
from scicodec.zarr import Scicodec


def write(path, array, codec, **options):
    made = zarr.create_array(
        path, shape=array.shape, dtype=options.pop("dtype", array.dtype), compressors=None, serializer=codec, **options
    )
    made[...] = array
    return zarr.open_array(path, mode="r")


@pytest.fixture
def store(tmp_path, field):
    """The path of an array in chunks, some of them at edges."""
    path = tmp_path / "t.zarr"
    write(path, field, Scicodec("abs=1e-3", effort="fast"), chunks=(10, 10, 15))
    return path


def test_bound_holds_in_every_chunk(store, field):
    array = zarr.open_array(store)
    assert array.metadata.codecs == (Scicodec("abs=1e-3", effort="fast"),)
    assert abs(array[...] - field).max() <= 1e-3
    assert sum(p.stat().st_size for p in store.rglob("c/*/*/*")) < field.nbytes / 2


def test_parts_of_chunks_are_those_of_the_whole(store):
    array = zarr.open_array(store)
    whole = array[...]
    for key in [np.s_[3], np.s_[3:20:4, -1], np.s_[..., 5:7], np.s_[1, 2, 3], np.s_[5:5]]:
        assert (array[key] == whole[key]).all() and array[key].shape == whole[key].shape
    rows = [1, 5, 23]
    assert (array.oindex[rows, :, [0, 39]] == whole[np.ix_(rows, range(30), [0, 39])]).all()
    assert (array.vindex[rows, rows, rows] == whole[rows, rows, rows]).all()
    assert (array.oindex[whole[:, 0, 0] > 0] == whole[whole[:, 0, 0] > 0]).all()


def test_chunks_are_files_that_any_reader_reads(store, field):
    chunk = scicodec.decode((store / "c/0/1/2").read_bytes())
    assert abs(chunk[:, :, :10] - field[:10, 10:20, 30:]).max() <= 1e-3


@pytest.mark.parametrize("dtype", ["<f2", "<f4", ">f8", "|i1", ">i2", "<i4", "<i8", "|u1", "<u2", ">u4", "<u8"])
def test_every_dtype(tmp_path, dtype):
    values = (np.arange(300).reshape(15, 20) % 120).astype(dtype)
    assert (write(tmp_path / "a.zarr", values, Scicodec("lossless"), chunks=(4, 6))[...] == values).all()


def test_inside_shards(tmp_path, field):
    array = write(tmp_path / "s.zarr", field, Scicodec("abs=1e-2"), chunks=(4, 10, 10), shards=(8, 30, 40))
    assert abs(array[...] - field).max() <= 1e-2 and (array[3:9, 5, ::3] == array[...][3:9, 5, ::3]).all()


def test_after_filters_and_before_compressors(tmp_path, field):
    made = zarr.create_array(
        tmp_path / "f.zarr",
        data=field,
        chunks=(10, 10, 15),
        filters=[zarr.codecs.TransposeCodec(order=(2, 1, 0))],
        serializer=Scicodec("abs=1e-2"),
        compressors=[zarr.codecs.Crc32cCodec()],
    )
    assert abs(made[...] - field).max() <= 1e-2


def test_fill_values_are_exact(tmp_path, field):
    field[field > 1] = 1e20
    array = write(tmp_path / "a.zarr", field, Scicodec("pw_rel=0.1"), chunks=(10, 10, 15), fill_value=1e20)
    assert ((array[...] == np.float32(1e20)) == (field == np.float32(1e20))).all()
    array = write(tmp_path / "b.zarr", field, Scicodec("pw_rel=0.1", fill_value=1e20), chunks=(10, 10, 15))
    assert ((array[...] == np.float32(1e20)) == (field == np.float32(1e20))).all()


@pytest.mark.parametrize("kind", ["rel=1e-3", "psnr=60", "nrmse=1e-3", "l2=1"])
def test_bounds_of_the_whole_are_to_be_asked_of_chunks_by_name(tmp_path, field, kind):
    for codec in [Scicodec, scicodec.numcodecs.Scicodec]:
        with pytest.raises(scicodec.InvalidArgumentError, match=f"ask for chunk_{kind}"):
            codec(kind)
    array = write(tmp_path / "a.zarr", field, Scicodec(f"chunk_{kind}", effort="fast"), chunks=(10, 10, 15))
    if kind == "rel=1e-3":
        chunk = np.s_[:10, :10, :15]
        assert abs(array[chunk] - field[chunk]).max() <= 1e-3 * np.ptp(field[chunk])


def test_what_could_not_be_written_is_refused_when_the_array_is_made(tmp_path):
    for dtype in ["bool", "S3", "complex64"]:
        with pytest.raises(scicodec.DTypeError, match="cannot be encoded"):
            write(tmp_path / dtype, np.zeros(3, dtype), Scicodec("abs=1"), chunks=(2,))
    with pytest.raises(scicodec.InvalidArgumentError, match="int16 values take lossless, abs or rel"):
        write(tmp_path / "i", np.zeros(3, "i2"), Scicodec("pw_rel=0.1"), chunks=(2,))
    with pytest.raises(scicodec.InvalidArgumentError, match="six axes"):
        write(tmp_path / "r", np.zeros((1,) * 7), Scicodec("abs=1"), chunks=(1,) * 7)
    with pytest.raises(scicodec.InvalidArgumentError, match="effort 'slow'"):
        Scicodec("abs=1", effort="slow")


def test_a_corrupt_chunk_is_named_by_its_key(store):
    chunk = store / "c/1/2/0"
    spoilt = bytearray(chunk.read_bytes())
    spoilt[len(spoilt) // 2] ^= 1
    chunk.write_bytes(spoilt)
    array = zarr.open_array(store)
    for key in [np.s_[15, 25, 3], np.s_[...]]:
        with pytest.raises(scicodec.CorruptError, match=r"t\.zarr/c/1/2/0: corrupt file at byte"):
            array[key]
    array[:10]
    chunk.write_bytes(scicodec.encode(np.zeros(3), "lossless"))
    with pytest.raises(scicodec.CorruptError, match="holds float64 of shape"):
        array[...]
    chunk.write_bytes(b"")
    with pytest.raises(scicodec.TruncatedError, match="c/1/2/0"):
        array[...]


def schema(name):
    return json.loads(resources.files("scicodec").joinpath(f"schema/{name}").read_text())


def test_configuration_is_json_with_a_schema(store):
    metadata = json.loads((store / "zarr.json").read_text())["codecs"]
    jsonschema.validate(metadata[0], schema("zarr-codec.json"))
    for codec in [Scicodec("chunk_rel=1e-3"), Scicodec("lossless", "max", "none", -999.0)]:
        data = json.loads(json.dumps(codec.to_dict()))
        jsonschema.validate(data, schema("zarr-codec.json"))
        assert Scicodec.from_dict(data) == codec
        v2 = json.loads(json.dumps(scicodec.numcodecs.Scicodec(**data["configuration"]).get_config()))
        jsonschema.validate(v2, schema("numcodecs-codec.json"))
        assert numcodecs.get_codec(v2).get_config() == v2
    for wrong in [{}, {"error_bound": "rel=1e-3"}, {"error_bound": "abs=1", "level": 3}, {"error_bound": 1}]:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({"name": "scicodec", "configuration": wrong}, schema("zarr-codec.json"))
        with pytest.raises(scicodec.InvalidArgumentError):
            Scicodec.from_dict({"name": "scicodec", "configuration": wrong})


@pytest.mark.parametrize("order", "CF")
@pytest.mark.parametrize("dtype", ["<f4", ">f4", ">i2", "|u1"])
def test_zarr_v2_in_every_memory_order(tmp_path, order, dtype):
    values = (np.arange(24 * 10).reshape(24, 10) % 100).astype(dtype)
    made = zarr.create_array(
        tmp_path / "v2.zarr",
        shape=values.shape,
        chunks=(7, 4),
        dtype=dtype,
        order=order,
        zarr_format=2,
        compressors=numcodecs.get_codec({"id": "scicodec", "error_bound": "abs=0.4"}),
    )
    made[...] = values
    found = json.loads((Path(tmp_path) / "v2.zarr/.zarray").read_text())
    assert found["compressor"]["id"] == "scicodec" and found["order"] == order
    decoded = zarr.open_array(tmp_path / "v2.zarr")[...]
    assert abs(decoded.astype("f8") - values).max() <= 0.4


def test_numcodecs_gives_back_what_lies_in_memory(field):
    codec = scicodec.numcodecs.Scicodec("lossless")
    for array in [field, np.asfortranarray(field), field.astype(">f4"), field[::2, ::3]]:
        memory = (array if array.flags.f_contiguous else np.ascontiguousarray(array)).tobytes("A")
        decoded = codec.decode(codec.encode(array))
        assert decoded.tobytes() == memory
        out = np.empty_like(decoded)
        codec.decode(codec.encode(array), out=out)
        assert out.tobytes() == memory
    with pytest.raises(TypeError, match="cannot be encoded"):
        codec.encode(np.array(["a", "b"], dtype=object))
