"""A codec for numcodecs, and so for the ``compressor`` of Zarr v2 arrays.

>>> import numcodecs, numpy as np
>>> codec = numcodecs.get_codec({"id": "scicodec", "error_bound": "abs=1e-3"})
>>> values = codec.decode(codec.encode(np.ones((4, 5), "float32")))
>>> values.shape
(4, 5)
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numcodecs.abc import Codec
from numcodecs.compat import ndarray_copy

from ._chunk_bound import chunk_bound
from ._file import from_bytes
from ._write import Effort, ShippedModel, encode

__all__ = ["Scicodec"]

#: Says that the bytes were big-endian: numcodecs wants them back as they were.
_BIG = {"byte_order": "big"}


class Scicodec(Codec):  # type: ignore[misc]
    """A chunk to bytes and back, under an error bound.

    Args:
        error_bound: ``"abs=E"``, ``"pw_rel=E"``, ``"lossless"``, or of each chunk ``"chunk_rel=E"``, ``"chunk_psnr=DB"``,
            ``"chunk_nrmse=E"``, ``"chunk_l2=E"``.
        effort: ``"fast"``, ``"default"`` or ``"max"``.
        model: ``"none"`` does without the network that ships with the package.
        fill_value: A value that stands for "no value" and comes back exactly, as NaN and ±∞ always do.

    It needs arrays as they are: no filters that make bytes of them may come before it.
    """

    codec_id = "scicodec"

    def __init__(
        self,
        error_bound: str,
        effort: Effort = "default",
        model: ShippedModel = "default",
        fill_value: float | None = None,
    ) -> None:
        chunk_bound(error_bound)
        self.error_bound = error_bound
        self.effort = effort
        self.model = model
        self.fill_value = fill_value

    def encode(self, buf: Any) -> bytes:
        """Encodes an array. One in Fortran order is taken as what lies in memory: with its axes turned around."""
        array = np.asarray(buf)
        if array.flags.f_contiguous and not array.flags.c_contiguous:
            array = array.T
        return encode(
            array,
            chunk_bound(self.error_bound, array.dtype),
            effort=self.effort,
            model=self.model,
            fill_value=self.fill_value,
            attributes=_BIG if array.dtype.str[0] == ">" else None,
            threads=1,
        )

    def decode(self, buf: Any, out: Any = None) -> Any:
        """Decodes into a new array, in the memory order and byte order of what was encoded, or into ``out``."""
        with from_bytes(buf, threads=1) as file:
            chunk = file.only()
            values = chunk[...]
            if chunk.attributes == _BIG:
                values = values.astype(values.dtype.newbyteorder(">"))
        return values if out is None else ndarray_copy(values, out)

    def get_config(self) -> dict[str, Any]:
        """The JSON of this codec; its schema is ``schema/numcodecs-codec.json`` in this package."""
        config = {
            "id": self.codec_id,
            "error_bound": self.error_bound,
            "effort": self.effort,
            "model": self.model,
        }
        return config if self.fill_value is None else {**config, "fill_value": self.fill_value}
