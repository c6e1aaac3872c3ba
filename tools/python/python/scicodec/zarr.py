"""A codec for Zarr v3: one chunk of an array to bytes and back, under an error bound.

>>> import numpy as np, zarr
>>> from scicodec.zarr import Scicodec
>>> store = zarr.storage.MemoryStore()
>>> array = zarr.create_array(
...     store, shape=(100, 100), chunks=(50, 50), dtype="float32",
...     serializer=Scicodec("abs=1e-3"), compressors=None,
... )
>>> array[:] = np.ones((100, 100))
>>> float(array[3, 4])
1.0

Reading needs no configuration: what a chunk was coded with is in the chunk. zarr-python finds the codec by itself where
this package is installed. A chunk is a whole ``.scz`` file.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from zarr.abc.codec import ArrayBytesCodec, ArrayBytesCodecPartialDecodeMixin

from ._chunk_bound import chunk_bound
from ._errors import CorruptError, Error, InvalidArgumentError
from ._file import from_bytes
from ._write import Effort, ShippedModel, encode

__all__ = ["Scicodec"]
NAME = "scicodec"


@dataclass(frozen=True)
class Scicodec(ArrayBytesCodec, ArrayBytesCodecPartialDecodeMixin):
    """The ``serializer`` of a Zarr v3 array.

    Args:
        error_bound: ``"abs=E"``, ``"pw_rel=E"`` or ``"lossless"``. A codec sees one chunk at a time: bounds that speak of
            a whole array are to be asked for as ``"chunk_rel=E"``, ``"chunk_psnr=DB"``, ``"chunk_nrmse=E"`` and
            ``"chunk_l2=E"``, and are then of each chunk.
        effort: ``"fast"``, ``"default"`` or ``"max"``.
        model: ``"none"`` does without the network that ships with the package.
        fill_value: A value that stands for "no value" and comes back exactly; by default the array's own fill value,
            unless that is 0. NaN and ±∞ always come back exactly.

    Chunks are coded by one thread each: Zarr and Dask code several at once.
    """

    is_fixed_size = False

    error_bound: str
    effort: Effort = "default"
    model: ShippedModel = "default"
    fill_value: float | None = None

    def __post_init__(self) -> None:
        chunk_bound(self.error_bound)
        if self.effort not in ("fast", "default", "max"):
            raise InvalidArgumentError(f"effort {self.effort!r}: expected fast, default or max")
        if self.model not in ("none", "default"):
            raise InvalidArgumentError(f"model {self.model!r}: expected none or default")

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """The codec of this JSON; its schema is ``schema/zarr-codec.json`` in this package."""
        if data.get("name") != NAME or not isinstance(data.get("configuration"), dict):
            raise InvalidArgumentError(f"expected the name {NAME!r} and a configuration, got {data!r}")
        configuration = dict(data["configuration"])
        unknown = set(configuration) - {"error_bound", "effort", "model", "fill_value"}
        if unknown or "error_bound" not in configuration:
            raise InvalidArgumentError(
                f"the codec is configured by error_bound, effort, model and fill_value, got {configuration!r}"
            )
        return cls(**configuration)

    def to_dict(self) -> dict[str, Any]:
        """The JSON of this codec."""
        configuration: dict[str, Any] = {
            "error_bound": self.error_bound,
            "effort": self.effort,
            "model": self.model,
        }
        if self.fill_value is not None:
            configuration["fill_value"] = self.fill_value
        return {"name": NAME, "configuration": configuration}

    def validate(self, *, shape: tuple[int, ...], dtype: Any, chunk_grid: Any) -> None:
        """Refuses arrays that could not be written."""
        chunk_bound(self.error_bound, dtype.to_native_dtype())
        if len(shape) > 6:
            raise InvalidArgumentError(f"arrays of up to six axes can be encoded, not of {len(shape)}")

    def compute_encoded_size(self, input_byte_length: int, chunk_spec: Any) -> int:
        raise NotImplementedError("the size of a chunk is known once it is encoded")

    def _encode_sync(self, chunk_array: Any, chunk_spec: Any) -> Any:
        fill = self.fill_value
        if fill is None and chunk_spec.fill_value is not None and chunk_spec.fill_value != 0:
            fill = chunk_spec.fill_value
        data = encode(
            chunk_array.as_numpy_array(),
            chunk_bound(self.error_bound),
            effort=self.effort,
            model=self.model,
            fill_value=fill,
            threads=1,
        )
        return chunk_spec.prototype.buffer.from_bytes(data)

    async def _encode_single(self, chunk_array: Any, chunk_spec: Any) -> Any:
        return await asyncio.to_thread(self._encode_sync, chunk_array, chunk_spec)

    def _decode_sync(self, chunk_bytes: Any, chunk_spec: Any, selection: Any = ...) -> Any:
        dtype = chunk_spec.dtype.to_native_dtype()
        with from_bytes(chunk_bytes.as_numpy_array(), threads=1) as file:
            chunk = file.only()
            if chunk.shape != tuple(chunk_spec.shape) or chunk.dtype != dtype.newbyteorder("="):
                raise CorruptError(
                    f"the chunk holds {chunk.dtype} of shape {list(chunk.shape)},"
                    f" the array has chunks of {dtype} of shape {list(chunk_spec.shape)}"
                )
            simple = isinstance(selection, tuple) and all(isinstance(s, (int, np.integer, slice)) for s in selection)
            values = chunk[selection] if simple else chunk[...][selection]
        return chunk_spec.prototype.nd_buffer.from_ndarray_like(values.astype(dtype, copy=False))

    async def _decode_single(self, chunk_bytes: Any, chunk_spec: Any) -> Any:
        return await asyncio.to_thread(self._decode_sync, chunk_bytes, chunk_spec)

    async def _decode_partial_single(self, byte_getter: Any, selection: Any, chunk_spec: Any) -> Any:
        """Reads a part of a chunk, and names the chunk in errors."""
        data = await byte_getter.get(prototype=chunk_spec.prototype)
        if data is None:
            return None
        try:
            return await asyncio.to_thread(self._decode_sync, data, chunk_spec, selection)
        except Error as error:
            raise type(error)(f"{byte_getter}: {error}") from error
