"""The native half: flat arrays of bytes, in C order and the machine's byte order."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, TypedDict, final, type_check_only

import numpy as np

_Bytes: TypeAlias = np.ndarray[Any, np.dtype[np.uint8]]
_Elements: TypeAlias = _Bytes | Callable[[list[int], list[int]], _Bytes]

__all__ = ["File", "Writer", "__version__", "compare", "encode", "parse_bound"]

__version__: str

@type_check_only
class Options(TypedDict):
    dtype: str
    shape: list[int]
    error_bound: str
    effort: str
    model: str
    embed_model: bool
    condition_on: str | list[str]
    chunks: list[int] | None
    fill: int | None
    threads: int
    verify: bool
    name: str
    units: str
    attributes: list[tuple[str, str]]
    dimensions: list[str]

@type_check_only
class VariableInfo(TypedDict):
    name: str
    units: str
    attributes: list[tuple[str, str]]
    dimensions: list[str]
    dtype: str
    shape: list[int]
    chunk_shape: list[int]
    error_bound: str
    fill: int | None
    chunks: int
    bases: dict[str, int]
    conditioned_on: dict[str, int]
    conditioned_chunks: int
    raw_bytes: int
    compressed_bytes: int
    achieved_max_error: float | None

@type_check_only
class Report(TypedDict):
    name: str
    raw_bytes: int
    compressed_bytes: int
    chunks: int
    max_error: float
    rmse: float

def encode(elements: _Elements, options: Options) -> bytes: ...
def compare(a: _Bytes, a_dtype: str, b: _Bytes, b_dtype: str, shape: Sequence[int]) -> dict[str, Any]: ...
def parse_bound(text: str, dtype: str | None) -> tuple[str, float]: ...

@final
class File:
    @staticmethod
    def open(path: str | bytes, model: str | None) -> File: ...
    @staticmethod
    def from_bytes(data: _Bytes, model: str | None) -> File: ...
    def variables(self) -> list[VariableInfo]: ...
    def models(self) -> list[dict[str, Any]]: ...
    def decode_into(
        self, variable: int, start: Sequence[int], stop: Sequence[int], threads: int, out: _Bytes
    ) -> None: ...
    def verify(self) -> int: ...
    @property
    def length(self) -> int: ...
    @property
    def format_version(self) -> int: ...

@final
class Writer:
    @staticmethod
    def create(path: str | bytes, overwrite: bool) -> Writer: ...
    @staticmethod
    def append(path: str | bytes) -> Writer: ...
    def add(self, elements: _Elements, options: Options, extend: bool) -> Report: ...
    def finish(self) -> int: ...
    def cancel(self) -> None: ...
