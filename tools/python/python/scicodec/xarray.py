"""Files as xarray datasets: ``xarray.open_dataset("x.scz", engine="scicodec", chunks={})``, and back.

xarray finds the engine by itself where this package is installed, and uses it for files that end in ``.scz``. Variables
are decoded when they are computed, region by region; with ``chunks={}`` in Dask chunks that are chunks of the file.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import xarray as xr
from xarray.backends import BackendArray, BackendEntrypoint
from xarray.core import indexing

from ._conventions import describe
from ._errors import DTypeError, UnknownVariableError
from ._file import File, Variable, open_file
from ._write import ConditionOn, Effort, Model, create

__all__ = ["ScicodecBackend", "to_scz"]
MAGIC = b"\x89SCZ\r\n\x1a\n"


class _LazyArray(BackendArray):
    """One variable, read when xarray asks for values."""

    def __init__(self, file: File, name: str) -> None:
        self._file, self._name = file, name
        self.shape, self.dtype = file[name].shape, file[name].dtype

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        support = indexing.IndexingSupport.BASIC
        return indexing.explicit_indexing_adapter(key, self.shape, support, self._read)

    def _read(self, key: tuple[Any, ...]) -> Any:
        return np.asarray(self._file[self._name][key])


class ScicodecBackend(BackendEntrypoint):
    """The engine ``scicodec``."""

    description = "Open .scz files in xarray"
    url = ""
    open_dataset_parameters = (
        "filename_or_obj",
        "drop_variables",
        "mask_and_scale",
        "decode_times",
        "concat_characters",
        "decode_coords",
        "use_cftime",
        "decode_timedelta",
        "group",
        "threads",
    )

    def open_dataset(
        self,
        filename_or_obj: Any,
        *,
        drop_variables: str | Iterable[str] | None = None,
        mask_and_scale: bool = True,
        decode_times: bool = True,
        concat_characters: bool = True,
        decode_coords: bool = True,
        use_cftime: bool | None = None,
        decode_timedelta: bool | None = None,
        group: str | None = None,
        threads: int = 1,
    ) -> xr.Dataset:
        """Opens a file, or one group of it. Each read uses ``threads`` threads (0: one per core); Dask adds its own."""
        path = os.fspath(filename_or_obj)
        file = open_file(path, threads)
        try:
            raw = _raw_dataset(path, file, group or "")
            decoded = xr.decode_cf(
                raw,
                concat_characters=concat_characters,
                mask_and_scale=mask_and_scale,
                decode_times=decode_times,
                decode_coords=decode_coords,
                drop_variables=drop_variables,
                use_cftime=use_cftime,
                decode_timedelta=decode_timedelta,
            )
        except BaseException:
            file.close()
            raise
        decoded.set_close(file.close)
        decoded.encoding["source"] = path
        return decoded

    def guess_can_open(self, filename_or_obj: Any) -> bool:
        """Whether it looks like one of our files."""
        try:
            path = os.fspath(filename_or_obj)
        except TypeError:
            return False
        if str(path).endswith(".scz"):
            return True
        try:
            with open(path, "rb") as file:
                return file.read(len(MAGIC)) == MAGIC
        except OSError:
            return False


def _raw_dataset(path: str, file: File, group: str) -> xr.Dataset:
    """The variables of a group as they are in the file."""
    prefix = group.strip("/") + "/" if group.strip("/") else ""
    attributes = file.group_attributes(prefix)
    variables = {}
    for name in file:
        local = name.removeprefix(prefix)
        if name.startswith(prefix) and "/" not in local:
            variables[local or "data"] = _raw_variable(path, file, name, local or "data")
    if group and not variables and attributes is None:
        raise UnknownVariableError(f"{path}: no group {group!r}")
    return xr.Dataset(variables, attrs=attributes or {})


def _raw_variable(path: str, file: File, name: str, local: str) -> xr.Variable:
    v: Variable = file[name]
    dims = v.dims or tuple(f"{local}_{axis}" for axis in range(v.ndim))
    attributes = dict(v.attributes)
    if v.units:
        attributes.setdefault("units", v.units)
    if v.fill_value is not None and not {"_FillValue", "missing_value"} & set(attributes):
        attributes["_FillValue"] = v.fill_value
    if v._text == "char":
        return xr.Variable(dims, v[...].view("S1"), attributes)
    if v._text == "string":
        rows = v[...].reshape(-1, v.shape[-1])
        texts = np.array([bytes(row).rstrip(b"\0").decode("utf-8", "replace") for row in rows], dtype=object)
        return xr.Variable(dims[:-1], texts.reshape(v.shape[:-1]), attributes)
    lazy = indexing.LazilyIndexedArray(_LazyArray(file, name))
    encoding = {"preferred_chunks": dict(zip(dims, v.chunks)), "source": path}
    return xr.Variable(dims, lazy, attributes, encoding)


def to_scz(
    dataset: xr.Dataset,
    path: str | os.PathLike[str],
    error_bound: str | Mapping[str, str],
    *,
    effort: Effort = "default",
    model: Model = "default",
    embed_model: bool = False,
    condition_on: ConditionOn = "none",
    threads: int = 0,
    overwrite: bool = False,
) -> int:
    """Writes a dataset into a ``.scz`` file; gives the bytes of the file.

    Data variables of floats keep ``error_bound``, one for all or one each by name; integers, coordinates, and
    variables that it does not name keep every bit. Times and whatever else CF knows is written as CF says, attributes and
    names of dimensions are kept. Dask arrays are computed chunk by chunk. Data variables may be coded beside earlier ones
    as ``condition_on`` says (see `Writer.add`).

    Raises DTypeError for variables that hold no numbers, UnknownVariableError for bounds of variables that are not there.
    """
    if isinstance(error_bound, Mapping):
        unknown = [name for name in error_bound if name not in dataset.variables]
        if unknown:
            raise UnknownVariableError(f"no variable {unknown[0]!r}; it has {', '.join(map(str, dataset.variables))}")
    encoded, attributes = xr.conventions.cf_encoder(*xr.conventions.encode_dataset_coordinates(dataset))
    unlimited = set(dataset.encoding.get("unlimited_dims", ()))
    dimensions = [
        {"name": str(d), "size": n, **({"unlimited": True} if d in unlimited else {})} for d, n in dataset.sizes.items()
    ]
    names = () if isinstance(condition_on, str) else tuple(condition_on)
    unknown = [name for name in names if name not in dataset.variables]
    if unknown:
        raise UnknownVariableError(f"no variable {unknown[0]!r}; it has {', '.join(map(str, dataset.variables))}")
    with create(path, overwrite=overwrite) as writer:
        written: list[str] = []
        for name, variable in encoded.items():
            beside = [n for n in names if n in written] if names else condition_on
            data, dims, reserved = variable.data, [str(d) for d in variable.dims], {}
            bound = _bound_of(str(name), variable, dataset, error_bound)
            if variable.dtype.kind in "UO":
                data, dims, reserved, bound = _characters(str(name), data), [*dims, ""], {"text": "string"}, "lossless"
            try:
                writer._add(
                    data,
                    False,
                    bound,
                    effort=effort,
                    model=model,
                    embed_model=embed_model,
                    condition_on=beside if name in dataset.data_vars else "none",
                    fill_value=_fill_of(variable),
                    name=str(name),
                    units=str(variable.attrs.get("units", "")),
                    attributes=describe(variable.attrs, **reserved),
                    dims=dims,
                    threads=threads,
                )
            except DTypeError as error:
                raise DTypeError(f"variable {name!r}: {error}") from None
            written.append(str(name))
        writer._describe_group("/", describe(attributes, dimensions=dimensions, format="netcdf4"))
    return os.stat(path).st_size


def _bound_of(name: str, variable: xr.Variable, dataset: xr.Dataset, asked: str | Mapping[str, str]) -> str:
    if isinstance(asked, Mapping):
        return asked.get(name, "lossless")
    lossy = name in dataset.data_vars and variable.dtype.kind == "f"
    return asked if lossy else "lossless"


def _characters(name: str, texts: Any) -> np.ndarray[Any, Any]:
    """Texts as UTF-8 along one more axis, padded with zeros (SPEC.md §6.11)."""
    texts = np.asarray(texts)
    if not all(isinstance(t, str) for t in texts.flat):
        raise DTypeError(f"variable {name!r}: only numbers and texts can be encoded, not objects")
    rows = [t.encode() for t in texts.flat]
    width = max(map(len, rows), default=0)
    joined = b"".join(row.ljust(width, b"\0") for row in rows)
    return np.frombuffer(joined, np.uint8).reshape(*texts.shape, width)


def _fill_of(variable: xr.Variable) -> Any:
    fill = variable.attrs.get("_FillValue", variable.attrs.get("missing_value"))
    return None if fill is None or np.ndim(fill) != 0 or np.isnan(fill) else fill
