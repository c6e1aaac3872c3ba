"""Dask: many processes write the store that one would."""

import hashlib

import dask
import dask.array as da
import numpy as np
import pytest
import xarray as xr
import zarr
from distributed import Client, LocalCluster
from scicodec.xarray import to_scz
from scicodec.zarr import Scicodec


@pytest.fixture(scope="module")
def client():
    """Processes, as on several machines."""
    with (
        LocalCluster(n_workers=3, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        yield client


def block(block_info=None):
    """A part of a field that is nowhere as a whole."""
    ranges = block_info[None]["array-location"]
    t, y, x = np.ix_(*(np.arange(*r) for r in ranges))
    return (np.sin(t / 3) * np.cos(y / 11) + np.sin(x / 17) + 1e-3 * ((t * 7919 + y * 104729 + x * 31) % 997)).astype(
        "f4"
    )


def field():
    return da.map_blocks(block, chunks=((8,) * 3, (40,) * 3, (40, 40, 20)), dtype="f4", meta=np.empty((0, 0, 0), "f4"))


def write(path):
    source = field()
    array = zarr.create_array(
        path,
        shape=source.shape,
        chunks=(8, 40, 40),
        dtype="f4",
        serializer=Scicodec("abs=1e-3", effort="fast"),
        compressors=None,
    )
    da.store(source, array, lock=False)
    return array


def digests(folder):
    return {p.relative_to(folder): hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.rglob("*") if p.is_file()}


def test_a_store_written_by_several_processes_equals_the_serial_one(tmp_path, client):
    assert len(client.scheduler_info()["workers"]) == 3
    write(tmp_path / "many.zarr")
    with dask.config.set(scheduler="synchronous"):
        write(tmp_path / "one.zarr")
    assert len(digests(tmp_path / "one.zarr")) == 28
    assert digests(tmp_path / "many.zarr") == digests(tmp_path / "one.zarr")
    lazy = da.from_zarr(tmp_path / "many.zarr")
    assert float(abs(lazy - field()).max().compute()) <= 1e-3


def test_several_processes_read_a_file(tmp_path, client):
    with dask.config.set(scheduler="synchronous"):
        data = xr.Dataset({"T": (("t", "y", "x"), field())})
        to_scz(data, tmp_path / "f.scz", "abs=1e-3", effort="fast")
    with xr.open_dataset(tmp_path / "f.scz", chunks={}) as opened:
        assert float(abs(opened["T"].data - field().rechunk(opened["T"].data.chunks)).max().compute()) <= 1e-3
