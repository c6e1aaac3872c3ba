"""Every Python example in the READMEs runs."""

import re
import shutil

import pytest
from conftest import ROOT

#: Sizes of examples that would take too long here.
SMALLER = {"2500, 1000, 1000  # 10 GB": "12, 60, 80", "(10, 500, 500)": "(4, 30, 40)"}


def examples(name):
    """The blocks of a document that are about the package, in order, each with the line where it begins."""
    text = (ROOT / name).read_text()
    start, end = 0, len(text)
    if name == "README.md":
        start = text.index("\n## Python\n")
        end = text.index("\n## ", start + 1)
    for found in re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL).finditer(text, start, end):
        line = text[: found.start(1)].count("\n")
        yield line, found[1]


@pytest.mark.parametrize("name", ["README.md", "tools/python/README.md"])
def test_examples_run(name, tmp_path, monkeypatch):
    shutil.copytree(ROOT / "testdata/samples", tmp_path / "testdata/samples")
    monkeypatch.chdir(tmp_path)
    known = {"__name__": "__main__"}
    count = 0
    for line, code in examples(name):
        for size, smaller in SMALLER.items():
            code = code.replace(size, smaller)
        exec(compile("\n" * line + code, name, "exec"), known)
        count += 1
    assert count >= 3
    if name == "README.md":
        assert len([p for p in (tmp_path / "wave.zarr/c").rglob("*") if p.is_file()]) == 3 * 2 * 2
