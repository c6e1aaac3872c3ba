"""xarray: files as datasets, datasets as files, and our codec in Zarr stores that xarray writes."""

import json
import os
import pickle
import subprocess

import numpy as np
import pytest
import scicodec
import xarray as xr
from scicodec.xarray import to_scz
from scicodec.zarr import Scicodec


@pytest.fixture
def dataset(field):
    """Coordinates of all kinds, attributes of all types, times, texts and integers."""
    t, y, x = field.shape
    return xr.Dataset(
        {
            "T": (
                ("time", "lat", "lon"),
                field,
                {"units": "K", "valid_range": np.array([-5, 5], "f4"), "standard_name": "air_temperature"},
            ),
            "level": ((), np.int16(3)),
            "count": (("time",), np.arange(t)),
        },
        coords={
            "time": np.datetime64("2020-02-28", "ns") + np.arange(t) * np.timedelta64(6, "h"),
            "lat": np.linspace(-90, 90, y),
            "lon": np.linspace(0, 351, x, dtype="f4"),
            "area": (("lat", "lon"), np.ones((y, x))),
            "station": (("lat",), [f"Zürich {i}" for i in range(y)]),
        },
        attrs={"title": "a test", "version": 3, "numbers": np.array([1.5, np.inf]), "names": ["a", "b"]},
    )


@pytest.fixture
def path(tmp_path, dataset):
    where = tmp_path / "x.scz"
    assert to_scz(dataset, where, "abs=1e-3", effort="fast") == where.stat().st_size
    return where


def test_a_dataset_comes_back(path, dataset):
    with xr.open_dataset(path) as opened:
        assert abs(opened["T"] - dataset["T"]).max() <= 1e-3
        xr.testing.assert_identical(opened.drop_vars("T"), dataset.drop_vars("T"))
        assert opened["T"].dims == dataset["T"].dims and set(opened["T"].coords) == set(dataset["T"].coords)
        assert opened["T"].attrs["units"] == "K" and opened["T"].attrs["valid_range"].dtype == "f4"
        assert opened.encoding["source"] == str(path)


def test_the_program_says_the_same_of_it(path):
    said = subprocess.run([os.environ["SCICODEC_PROGRAM"], "info", "--json", path], check=True, capture_output=True)
    assert scicodec.info(path) == json.loads(said.stdout)


def test_variables_that_know_each_other(tmp_path, field):
    both = xr.Dataset({"T": (("t", "y", "x"), field), "S": (("t", "y", "x"), 3 * field)})
    for word in ["auto", ["T"]]:
        to_scz(both, tmp_path / "both.scz", "abs=1e-3", condition_on=word, overwrite=True)
        assert scicodec.open(tmp_path / "both.scz")["S"].conditioned_on == {"T": 1}
    with pytest.raises(scicodec.UnknownVariableError, match="nowhere"):
        to_scz(both, tmp_path / "wrong.scz", "abs=1e-3", condition_on=["nowhere"])


def test_variables_are_read_when_they_are_computed(path, monkeypatch):
    reads = []
    read = scicodec.Variable.__getitem__
    monkeypatch.setattr(scicodec.Variable, "__getitem__", lambda v, k: reads.append(v.name) or read(v, k))
    with xr.open_dataset(path, engine="scicodec", chunks={}) as opened:
        assert "T" not in reads
        part = opened["T"].isel(time=slice(2, 9, 3), lat=5)
        assert part.chunks is not None and "T" not in reads
        part.load()
        assert "T" in reads


def test_dask_chunks_are_chunks_of_the_file(tmp_path, field):
    with scicodec.create(tmp_path / "c.scz") as file:
        file.add("T", field, "abs=1e-2", effort="fast", chunks=(5, 30, 13), dims=("t", "y", "x"))
    with xr.open_dataset(tmp_path / "c.scz", chunks={}) as opened:
        assert opened["T"].data.chunksize == (5, 30, 13)
        assert float(opened["T"].mean()) == pytest.approx(field.mean(), abs=1e-2)
        assert abs(opened["T"].sel(x=[3, 17]) - field[:, :, [3, 17]]).max() <= 1e-2


def test_chunks_of_dask_arrays_are_computed_once(tmp_path, dataset):
    seen = []

    def count(block):
        seen.append(block.shape)
        return block

    lazy = (
        dataset["T"]
        .chunk({"time": 10, "lat": 30, "lon": 25})
        .data.map_blocks(count, dtype="f4", meta=np.empty((0, 0, 0)))
    )
    to_scz(xr.Dataset({"T": (("t", "y", "x"), lazy)}), tmp_path / "d.scz", "abs=1e-2", effort="fast")
    assert len(seen) == 3 * 2 and max(seen) == (10, 30, 25)
    with scicodec.open(tmp_path / "d.scz") as file:
        assert file["T"].chunks == (10, 30, 25) and abs(file["T"][...] - dataset["T"].values).max() <= 1e-2


def test_every_way_of_indexing(path, dataset):
    with xr.open_dataset(path) as opened:
        whole = opened["T"].copy(deep=True).load()
        for pick in [
            {"time": 3},
            {"time": [5, 1, 1]},
            {"lat": slice(None, None, -4), "lon": [0, 39]},
            {"time": xr.DataArray([0, 1], dims="p"), "lat": xr.DataArray([2, 3], dims="p")},
        ]:
            with xr.open_dataset(path) as again:
                xr.testing.assert_identical(again["T"].isel(pick).load(), whole.isel(pick))


def test_files_without_names_for_axes(tmp_path, field):
    (tmp_path / "plain.scz").write_bytes(scicodec.encode(field, "abs=1e-2", effort="fast", fill_value=-1))
    with xr.open_dataset(tmp_path / "plain.scz", mask_and_scale=False) as opened:
        assert opened["data"].dims == ("data_0", "data_1", "data_2") and opened["data"].attrs["_FillValue"] == -1


def test_fill_values_become_nan(tmp_path, field):
    masked = np.ma.masked_greater(field, 1)
    with scicodec.create(tmp_path / "m.scz") as file:
        file.add("T", masked, "abs=1e-2", effort="fast")
    with xr.open_dataset(tmp_path / "m.scz") as opened:
        assert (np.isnan(opened["T"].values) == masked.mask).all()


def test_packed_variables_and_missing_values(tmp_path, dataset):
    dataset["T"].encoding = {"dtype": "int16", "scale_factor": 1e-3, "_FillValue": -32768}
    dataset["T"][0, 0, 0] = np.nan
    to_scz(dataset, tmp_path / "p.scz", {"count": "abs=1"})
    with scicodec.open(tmp_path / "p.scz") as file:
        assert file["T"].dtype == "int16" and file["T"].error_bound == "lossless" and file["T"].fill_value == -32768
    with xr.open_dataset(tmp_path / "p.scz") as opened:
        assert np.isnan(opened["T"][0, 0, 0]) and abs(opened["T"] - dataset["T"]).max() <= 1.001e-3 / 2
        assert abs(opened["count"] - dataset["count"]).max() <= 1


def test_what_cannot_be_written_is_named(tmp_path, dataset):
    with pytest.raises(scicodec.UnknownVariableError, match="no variable 'U'; it has T"):
        to_scz(dataset, tmp_path / "a.scz", {"U": "abs=1"})
    with pytest.raises(scicodec.DTypeError, match="variable 'z': arrays of complex128"):
        to_scz(dataset.assign(z=1j), tmp_path / "a.scz", "abs=1")
    with pytest.raises(scicodec.DTypeError, match="variable 'z': only numbers and texts"):
        to_scz(dataset.assign(z=("time", [object()] * 24)), tmp_path / "a.scz", "abs=1")
    assert not (tmp_path / "a.scz").exists()


def test_groups(tmp_path, field):
    with scicodec.create(tmp_path / "g.scz") as file:
        file.add("a", field[0], "lossless")
        file.add("ocean/salt", field[1], "lossless", dims=("y", "x"))
    with xr.open_dataset(tmp_path / "g.scz", group="ocean") as opened:
        assert list(opened) == ["salt"] and (opened["salt"] == field[1]).all()
    with pytest.raises(scicodec.UnknownVariableError, match="no group 'air'"):
        xr.open_dataset(tmp_path / "g.scz", group="air")


def test_lazy_datasets_can_be_pickled(path):
    with xr.open_dataset(path, chunks={}) as opened:
        again = pickle.loads(pickle.dumps(opened))
        xr.testing.assert_identical(again.load(), opened.load())


def test_files_are_recognised(path, tmp_path):
    bare = path.rename(tmp_path / "no-extension")
    with xr.open_dataset(bare) as opened:
        assert "T" in opened
    with pytest.raises(FileNotFoundError):
        xr.open_dataset(tmp_path / "none.scz", engine="scicodec")
    (tmp_path / "other.scz").write_bytes(b"CDF\x01" * 20)
    with pytest.raises(scicodec.CorruptError, match=r"other\.scz: corrupt file"):
        xr.open_dataset(tmp_path / "other.scz", engine="scicodec")


@pytest.mark.parametrize("lazy", [False, True])
def test_zarr_stores_that_xarray_writes(tmp_path, dataset, lazy):
    plain = dataset.drop_vars("station")
    codec = {"serializer": Scicodec("abs=1e-3", effort="fast"), "compressors": None}
    source = plain.chunk({"time": 12, "lat": 30, "lon": 20}) if lazy else plain
    source.to_zarr(tmp_path / "e.zarr", encoding={"T": codec}, zarr_format=3, consolidated=False)
    with xr.open_zarr(tmp_path / "e.zarr", consolidated=False) as opened:
        assert (
            abs(opened["T"] - dataset["T"]).max() <= 1e-3 and opened["T"].encoding["serializer"] == codec["serializer"]
        )
        xr.testing.assert_equal(opened.drop_vars("T"), plain.drop_vars("T"))
