"""SPEC.md §6.11: what variables stand for."""
import json

RANGES = {k + str(8 * n): n for k in "iu" for n in (1, 2, 4, 8)}


def fits(kind, item):
    if kind in RANGES:
        low = -(1 << 8 * RANGES[kind] - 1) if kind[0] == "i" else 0
        return type(item) is int and low <= item < low + (1 << 8 * RANGES[kind])
    if kind in ("f32", "f64"):
        return type(item) in (int, float) or item in ("NaN", "Infinity", "-Infinity")
    return kind == "string" and isinstance(item, str)


def parse(text):
    try:
        return json.loads(text, parse_constant=lambda name: {}[name])
    except (ValueError, KeyError):
        return None


def attribute(name, text, types):
    """[name, type, value]: a list for all types but json; no type for text."""
    kind = types.get(name) if isinstance(types, dict) else None
    value = parse(text)
    if kind == "json" and (value is not None or text == "null"):
        return [name, kind, value]
    items = value if isinstance(value, list) else [value]
    if isinstance(kind, str) and all(fits(kind, item) for item in items):
        return [name, kind, items]
    return [name, None, text]


def describe(variable):
    """What a variable of a container stands for, as JSON."""
    note = {}
    for name, text in variable.attributes:
        if name == "_scz":
            note = parse(text)
    note = note if isinstance(note, dict) else {}
    rest = [pair for pair in variable.attributes if pair[0] != "_scz"]
    said = {"name": variable.name, "attributes": [attribute(*pair, note.get("types")) for pair in rest]}
    if variable.name.endswith("/") and isinstance(note.get("dimensions"), list):
        dimensions = [[d["name"], d["size"], d.get("unlimited", False)] for d in note["dimensions"]]
        return {**said, "group": variable.name[:-1], "dimensions": dimensions, "format": note.get("format", "")}
    text = note.get("text")
    return {**said, "text": text if text in ("char", "string") else None, "dimensions": variable.dimensions or []}
