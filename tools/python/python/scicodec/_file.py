"""Files that are open for reading. Nothing is decoded before it is asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any, Self

import numpy as np

from . import _index, _native
from ._arrays import buffer_bytes, fill_element
from ._conventions import Meaning, interpret
from ._errors import InvalidArgumentError, UnknownVariableError


class Variable:
    """A variable of an open file: an array that is decoded region by region.

    Index it with ints, slices (of any step) and an ellipsis, as a numpy array: only the chunks that meet the region
    are read and decoded. Decoded values are the same bits on every machine.

    Attributes:
        name: Its name; that of a lone array may be empty.
        shape: Extents, slowest axis first.
        dtype: Element type, in the machine's byte order.
        dims: Names of the axes, slowest first; empty where the file does not tell.
        units: Units of the values; may be empty.
        attributes: What else the file says of it: texts, numbers, arrays.
        chunks: Extents of a chunk: the least that is decoded for a value.
        error_bound: The bound that was asked for, for example ``"rel=0.001"``.
        fill_value: The value that stands for "no value", or None.
        compressed_nbytes: Bytes that it takes in the file, without the index.
        max_error: No decoded value is further than this from what was encoded; None where the file does not tell.
        bases: How many chunks are coded in which way.
        conditioned_on: Which variables must be decoded before this one, each with for how many chunks.
        conditioned_chunks: How many chunks need others.
    """

    def __init__(
        self, file: _native.File, ordinal: int, about: _native.VariableInfo, meaning: Meaning, threads: int
    ) -> None:
        self._file: _native.File | None = file
        self._ordinal = ordinal
        self._threads = threads
        #: "char" or "string" where its uint8 values are text.
        self._text = meaning.text
        self.name = about["name"]
        self.shape = tuple(about["shape"])
        self.dtype = np.dtype(about["dtype"])
        self.dims = tuple(about["dimensions"])
        self.units = about["units"]
        self.attributes = meaning.attributes
        self.chunks = tuple(about["chunk_shape"])
        self.error_bound = about["error_bound"]
        self.fill_value = fill_element(about["fill"], self.dtype)
        self.compressed_nbytes = about["compressed_bytes"]
        self.max_error = about["achieved_max_error"]
        self.bases = dict(about["bases"])
        self.conditioned_on = dict(about["conditioned_on"])
        self.conditioned_chunks = about["conditioned_chunks"]

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of values."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def nbytes(self) -> int:
        """Bytes of the decoded values."""
        return self.size * self.dtype.itemsize

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a variable without axes")
        return self.shape[0]

    def __getitem__(self, key: Any) -> Any:
        """Decodes a region into a new array, or a single value. Raises CorruptError for damaged chunks, IndexError as numpy does."""
        return _index.read(key, self.shape, self.chunks, self.dtype, self._read_box)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        if copy is False:
            raise ValueError("decoding a variable makes a new array: it cannot be had without a copy")
        values: np.ndarray[Any, Any] = self[...]
        return values if dtype is None else values.astype(dtype, copy=False)

    def masked(self, key: Any = ...) -> np.ma.MaskedArray[Any, Any]:
        """A region as a masked array: its fill values are masked."""
        values = self[key]
        if self.fill_value is None:
            return np.ma.asarray(values)
        bits = f"u{self.dtype.itemsize}"
        mask = np.asarray(values).view(bits) == np.asarray(self.fill_value).view(bits)
        return np.ma.masked_array(values, mask=mask, fill_value=self.fill_value)

    def _read_box(self, start: tuple[int, ...], stop: tuple[int, ...]) -> np.ndarray[Any, Any]:
        if self._file is None:
            raise InvalidArgumentError("the file is closed")
        out = np.empty([b - a for a, b in zip(start, stop)], self.dtype)
        self._file.decode_into(self._ordinal, start, stop, self._threads, out.reshape(-1).view(np.uint8))
        return out

    def __repr__(self) -> str:
        axes = ", ".join(f"{d}: {n}" for d, n in zip(self.dims or [f"axis {i}" for i in range(self.ndim)], self.shape))
        return f"<scicodec.Variable {self.name!r} ({axes}) {self.dtype.name}, {self.error_bound}>"


class File(Mapping[str, Variable]):
    """A file that is open for reading: a mapping of names to variables, in the order of the file.

    It is a context manager; leaving it closes the file. A file is memory-mapped: it may be replaced or appended to
    meanwhile, but must not be cut shorter.
    """

    def __init__(
        self, native: _native.File, threads: int = 0, path: str | None = None, model: str | None = None
    ) -> None:
        self._native: _native.File | None = native
        self._path, self._threads, self._model = path, threads, model
        self._variables: dict[str, Variable] = {}
        self._groups: dict[str, Meaning] = {}
        for i, about in enumerate(native.variables()):
            name = about["name"]
            meaning = interpret(name, about["attributes"])
            if meaning.dimensions is None:
                self._variables[name] = Variable(native, i, about, meaning, threads)
            else:
                self._groups[name] = meaning
        self._nbytes = native.length
        self._version = native.format_version

    def __getitem__(self, name: str) -> Variable:
        try:
            return self._variables[name]
        except KeyError:
            names = ", ".join(self._variables)
            raise UnknownVariableError(f"no variable {name!r}; it has {names}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._variables)

    def __len__(self) -> int:
        return len(self._variables)

    def only(self, name: str | None = None) -> Variable:
        """The variable of that name, or the only one there is."""
        if name is not None:
            return self[name]
        if len(self._variables) != 1:
            names = ", ".join(self._variables)
            raise InvalidArgumentError(f"there are several variables; give one of {names}")
        return next(iter(self._variables.values()))

    @property
    def attributes(self) -> dict[str, Any]:
        """What the file says of itself as a whole: texts, numbers, arrays."""
        return self.group_attributes("/") or {}

    def group_attributes(self, group: str) -> dict[str, Any] | None:
        """The attributes of a group (``"ocean"``); None where there is no such group."""
        found = self._groups.get(group.strip("/") + "/")
        return None if found is None else found.attributes

    @property
    def nbytes(self) -> int:
        """Bytes of the file."""
        return self._nbytes

    @property
    def format_version(self) -> int:
        """Version of the format that the file is written in."""
        return self._version

    @property
    def models(self) -> list[dict[str, Any]]:
        """The models that are in the file or that its chunks name by digest, as ``scicodec info --json`` gives them."""
        if self._native is None:
            raise InvalidArgumentError("the file is closed")
        return self._native.models()

    def verify(self) -> int:
        """Decodes every chunk and so checks every checksum; gives the number of chunks.

        Raises CorruptError for the first chunk that is damaged.
        """
        if self._native is None:
            raise InvalidArgumentError("the file is closed")
        return self._native.verify()

    def close(self) -> None:
        """Lets go of the file."""
        self._native = None
        for variable in self._variables.values():
            variable._file = None

    def __reduce__(self) -> tuple[Any, ...]:
        """A file that was opened by its path is opened anew where it is unpickled, as in a Dask worker."""
        if self._path is None:
            raise TypeError("a file in memory cannot be pickled")
        return _open_again, (self._path, self._threads, self._model)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<scicodec.File of {len(self)} variable(s): {', '.join(map(repr, self))}>"


def _open_again(path: str, threads: int, model: str | None) -> File:
    return open_file(path, threads, model=model)


def open_file(
    path: str | os.PathLike[str], threads: int = 0, *, model: str | os.PathLike[str] | None = None
) -> File:
    """Opens a file by mapping it: its index is read and checked, no chunk is. Reads use ``threads`` (0: one per core).

    ``model`` is for files that name a model that is neither embedded in them nor installed: its file.
    """
    path, word = os.fspath(path), model_word(model)
    return File(_native.File.open(path, word), threads, os.path.abspath(path), word)


def from_bytes(data: Any, threads: int = 0, *, model: str | os.PathLike[str] | None = None) -> File:
    """Reads a file that is in memory: anything with the buffer protocol."""
    return File(_native.File.from_bytes(buffer_bytes(data), model_word(model)), threads)


def model_word(model: str | os.PathLike[str] | None) -> str | None:
    """A model as the native half takes it. A path stays one whatever folder a process runs in."""
    if model is None:
        return None
    word = os.fspath(model)
    return os.path.abspath(word) if os.path.isfile(word) else word
