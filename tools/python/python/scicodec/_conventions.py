"""Attributes of any type, dimensions and groups, as SPEC.md §6.11 puts them into texts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

#: The attribute that says what the others are; no variable can have one of its own by this name.
RESERVED = "_scz"
_NUMBERS = {
    "i8": "int8", "i16": "int16", "i32": "int32", "i64": "int64", "u8": "uint8", "u16": "uint16",
    "u32": "uint32", "u64": "uint64", "f32": "float32", "f64": "float64",
}  # fmt: skip
_CODES = {name: code for code, name in _NUMBERS.items()}


class Meaning(NamedTuple):
    """What a variable's attributes say."""

    attributes: dict[str, Any]
    #: "char" or "string" where a uint8 variable holds text.
    text: str | None
    #: Of the description of a group, its dimensions; None for ordinary variables.
    dimensions: list[dict[str, Any]] | None
    #: Of the description of the root group, the format that it was read from.
    format: str | None


def interpret(name: str, pairs: list[tuple[str, str]]) -> Meaning:
    """Attributes with their types. What is not as it should be stays text."""
    texts = dict(pairs)
    reserved = _object(texts.pop(RESERVED, "{}"))
    types = reserved.get("types")
    types = types if isinstance(types, dict) else {}
    attributes = {key: _typed(text, types.get(key)) for key, text in texts.items()}
    dimensions = reserved.get("dimensions")
    group = name.endswith("/") and isinstance(dimensions, list)
    text = reserved.get("text")
    return Meaning(
        attributes,
        text if text in ("char", "string") else None,
        dimensions if group else None,
        reserved.get("format") or "" if group else None,
    )


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _typed(text: str, kind: Any) -> Any:
    if not isinstance(kind, str):
        return text
    try:
        value = json.loads(text)
        if kind in _NUMBERS:
            number = np.array(value, dtype=_NUMBERS[kind])
            return number[()] if number.ndim == 0 else number
    except (ValueError, TypeError, OverflowError):
        return text
    return value


def describe(attributes: Mapping[str, Any] | None, **reserved: Any) -> list[tuple[str, str]]:
    """The pairs of text for these attributes: texts as they are, numbers, lists and the rest with their types."""
    pairs, types = [], {}
    for key, value in (attributes or {}).items():
        if key == RESERVED:
            continue
        kind, text = _text(value)
        pairs.append((str(key), text))
        if kind:
            types[str(key)] = kind
    if types:
        reserved = {"types": types, **reserved}
    if reserved:
        pairs.append((RESERVED, json.dumps(reserved, separators=(",", ":"))))
    return pairs


def _text(value: Any) -> tuple[str | None, str]:
    if isinstance(value, str):
        return None, value
    if isinstance(value, (list, tuple)) and value and all(isinstance(v, str) for v in value):
        return "string", json.dumps(list(value))
    array = np.asarray(value)
    if array.dtype.name in _CODES and array.ndim <= 1:
        return _CODES[array.dtype.name], json.dumps(plain(array))
    return "json", json.dumps(value, default=str)


def plain(value: Any) -> Any:
    """An attribute as JSON can say it. Numbers that are not finite are strings, which numpy reads back."""
    if isinstance(value, np.ndarray):
        return plain(value[()]) if value.ndim == 0 else [plain(v) for v in value]
    if isinstance(value, np.float32):
        value = float(str(value))
    elif isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return "NaN" if np.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value
