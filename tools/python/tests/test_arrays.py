"""Arrays in memory: every dtype, layout and shape, and what is refused."""

import os
import pickle
import subprocess

import numpy as np
import pytest
import scicodec
from scicodec._arrays import DTYPES


@pytest.mark.parametrize(
    "bound", ["abs=1e-2", "rel=1e-3", "pw_rel=1e-2", "psnr=60", "nrmse=1e-3", "l2=0.5", "lossless"]
)
def test_bound_holds(field, bound):
    decoded = scicodec.decode(scicodec.encode(field, bound))
    assert decoded.shape == field.shape and decoded.dtype == field.dtype
    x, y = field.astype("float64"), decoded.astype("float64")
    error, span = abs(x - y), np.ptp(x)
    rmse = np.sqrt((error**2).mean())
    kind, _, value = bound.partition("=")
    holds = {
        "abs": lambda e: error.max() <= e,
        "rel": lambda e: error.max() <= e * span,
        "pw_rel": lambda e: (error <= e * abs(x)).all(),
        "psnr": lambda e: 20 * np.log10(span / rmse) >= e,
        "nrmse": lambda e: rmse / span <= e,
        "l2": lambda e: np.sqrt((error**2).sum()) <= e,
        "lossless": lambda _: (x == y).all(),
    }
    assert holds[kind](float(value or 0))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("order", "<>")
def test_round_trip_of_every_dtype_in_both_byte_orders(dtype, order):
    array = (np.arange(60).reshape(3, 4, 5) * 2).astype(np.dtype(dtype).newbyteorder(order))
    decoded = scicodec.decode(scicodec.encode(array, "lossless"))
    assert decoded.dtype == np.dtype(dtype) and (decoded == array).all()


def test_any_memory_layout(field):
    plain = scicodec.encode(field, "abs=1e-3")
    assert scicodec.encode(np.asfortranarray(field), "abs=1e-3") == plain
    assert scicodec.encode(field.astype(">f4"), "abs=1e-3") == plain
    wide = np.repeat(field, 2, axis=1)[:, ::2]
    assert not wide.flags.c_contiguous and scicodec.encode(wide, "abs=1e-3") == plain
    turned = field[::-1, :, ::-1]
    assert (scicodec.decode(scicodec.encode(turned, "lossless")) == turned).all()
    read_only = field.copy()
    read_only.flags.writeable = False
    assert scicodec.encode(read_only, "abs=1e-3") == plain


@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 5), (1,), (1, 1, 1, 1, 1, 1), (2, 1, 3, 1, 2, 2)])
def test_any_shape(shape):
    array = np.arange(np.prod(shape, dtype=int), dtype="float64").reshape(shape)
    decoded = scicodec.decode(scicodec.encode(array, "lossless"))
    assert decoded.shape == shape and (decoded == array).all()


def test_whatever_numpy_takes_as_an_array():
    for given in [3.5, [[1, 2], [3, 4]], np.float32(7)]:
        decoded = scicodec.decode(scicodec.encode(given, "lossless"))
        assert decoded.dtype == np.asarray(given).dtype and (decoded == given).all()


@pytest.mark.parametrize(
    "array",
    [
        np.array(["a", "b"]),
        np.array([b"a"]),
        np.array([object(), None]),
        np.array([1j]),
        np.array([True]),
        np.array(["2020-01-01"], "datetime64[s]"),
        np.zeros(3, [("a", "f4")]),
        np.ma.masked_array(["a"]),
    ],
)
def test_other_dtypes_are_refused_by_name(array):
    with pytest.raises(TypeError, match="cannot be encoded, only of float16") as caught:
        scicodec.encode(array, "abs=1")
    assert isinstance(caught.value, scicodec.Error) and str(array.dtype) in str(caught.value)


def test_special_values_come_back_exactly(field):
    field[0, 0, :5] = [np.nan, np.inf, -np.inf, 1e20, 0]
    decoded = scicodec.decode(scicodec.encode(field, "pw_rel=0.1", fill_value=1e20))
    assert (decoded[0, 0, :5].view("u4") == field[0, 0, :5].view("u4")).all()


def test_masked_arrays(field):
    masked = np.ma.masked_greater(field, 1)
    data = scicodec.encode(masked, "abs=1e-3")
    decoded = scicodec.decode(data, masked=True)
    assert (decoded.mask == masked.mask).all() and abs(decoded - masked).max() <= 1e-3
    assert (scicodec.decode(data)[masked.mask] == np.float32(1e20)).all()
    nothing = np.ma.masked_array(field)
    assert scicodec.encode(nothing, "abs=1e-3") == scicodec.encode(field, "abs=1e-3")
    clash = np.ma.masked_array([1, 2, 3], mask=[0, 0, 1], fill_value=2)
    with pytest.raises(scicodec.InvalidArgumentError, match="give another fill_value"):
        scicodec.encode(clash, "lossless")
    assert scicodec.decode(scicodec.encode(clash, "lossless", fill_value=-1)).tolist() == [1, 2, -1]


@pytest.mark.parametrize("fill", [300, -1, 1.5, "x", [1]])
def test_fill_values_that_the_dtype_does_not_have_are_refused(fill):
    with pytest.raises(scicodec.InvalidArgumentError, match="not a value of uint8"):
        scicodec.encode(np.zeros(4, "u1"), "lossless", fill_value=fill)


@pytest.mark.parametrize(
    ("bound", "words"),
    [
        ("abs=0", "allows no error: ask for lossless"),
        ("abs=-1", "must be a positive, finite number"),
        ("abs", "expected abs=E, rel=E"),
        ("rel=x", '"x" is not a number'),
    ],
)
def test_bounds_that_make_no_sense_are_refused_in_the_words_of_the_library(field, bound, words):
    with pytest.raises(scicodec.InvalidArgumentError, match=words):
        scicodec.encode(field, bound)


def test_other_arguments_that_make_no_sense(field):
    for wrong in [{"effort": "slow"}, {"model": "big"}, {"chunks": (1, 2)}, {"chunks": (0, 1, 1)}, {"dims": ["x"]}]:
        with pytest.raises(scicodec.InvalidArgumentError):
            scicodec.encode(field, "abs=1", **wrong)
    with pytest.raises(scicodec.InvalidArgumentError):
        scicodec.encode(np.zeros((1,) * 7), "abs=1")


def test_bytes_do_not_depend_on_threads(field):
    one = scicodec.encode(field, "abs=1e-3", chunks=(8, 8, 8), threads=1)
    assert scicodec.encode(field, "abs=1e-3", chunks=(8, 8, 8), threads=5) == one


def test_any_buffer_can_be_decoded(field):
    data = scicodec.encode(field, "abs=1e-3")
    for given in [bytearray(data), memoryview(data), np.frombuffer(data, "u1")]:
        assert (scicodec.decode(given) == scicodec.decode(data)).all()


def test_part_of_an_array_in_memory(field):
    data = scicodec.encode(field, "abs=1e-3", chunks=(8, 8, 8))
    assert (scicodec.decode(data, region=np.s_[3, ..., ::7]) == scicodec.decode(data)[3, ..., ::7]).all()


def test_compare(field):
    other = field + np.float32(0.5)
    m = scicodec.compare(field, other)
    assert m.points == field.size and m.max_abs == pytest.approx(0.5, rel=1e-4) and m.range == np.ptp(field)
    assert scicodec.compare(field, field).psnr == np.inf
    assert scicodec.compare(np.array([1, np.nan]), np.array([1.0, 2])).mismatches == 1
    with pytest.raises(scicodec.InvalidArgumentError, match="shapes differ"):
        scicodec.compare(field, field[1:])


def test_absolute_bound(field):
    with_hole = field.copy()
    with_hole[0, 0, 0] = np.nan
    for array in [field, with_hole]:
        kind, _, value = scicodec.absolute_bound(array, "rel=1e-3").partition("=")
        assert kind == "abs" and float(value) == pytest.approx(1e-3 * np.ptp(field), rel=1e-6)
    assert scicodec.absolute_bound(field, "abs=3") == "abs=3"
    with pytest.raises(scicodec.InvalidArgumentError):
        scicodec.absolute_bound(np.ones(3), "rel=1e-3")


def test_models_are_given_by_file_and_may_be_embedded(field, tmp_path):
    program = os.environ.get("SCICODEC_PROGRAM")
    if program is None:
        pytest.skip("no program to make a model with")
    own, fields = tmp_path / "own.scm", tmp_path / "fields"
    fields.mkdir()
    np.save(fields / "a.npy", field)
    subprocess.run([program, "model", "prime", fields, "--from", "default", "-o", own], check=True)
    named = scicodec.encode(field, "rel=1e-2", model=own)
    whole = scicodec.encode(field, "rel=1e-2", model=own, embed_model=True)
    assert scicodec.info(whole)["models"][0]["embedded"] and not scicodec.info(named)["models"][0]["embedded"]
    with pytest.raises(scicodec.ModelMissingError):
        scicodec.decode(named)
    assert np.array_equal(scicodec.decode(named, model=str(own)), scicodec.decode(whole))
    with scicodec.create(tmp_path / "named.scz") as file:
        file.add("a", field, "rel=1e-2", model=own)
    with scicodec.open(tmp_path / "named.scz", model=own) as file:
        assert np.array_equal(pickle.loads(pickle.dumps(file))["a"][...], scicodec.decode(whole))
    for wrong in [{"model": "none", "embed_model": True}, {"model": "abcdef012345"}, {"model": "abc"}]:
        with pytest.raises(scicodec.InvalidArgumentError):
            scicodec.encode(field, "rel=1e-2", **wrong)
