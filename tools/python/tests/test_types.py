"""Types: the package keeps its own, and its stubs are what the native half is."""

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parents[1]


@pytest.mark.parametrize(
    "words", [["mypy", "--config-file", HERE / "pyproject.toml"], ["mypy.stubtest", "scicodec._native"]]
)
def test_types_are_right(words, tmp_path):
    run = subprocess.run([sys.executable, "-m", *words], cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


def test_types_serve_users(tmp_path):
    (tmp_path / "use.py").write_text(
        "import numpy as np\nimport scicodec\n"
        "data: bytes = scicodec.encode(np.zeros(3), 'abs=1e-3', effort='fast')\n"
        "scicodec.encode(np.zeros(3), 'abs=1e-3', effort='slow')\n"
    )
    words = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", tmp_path / "cache", "use.py"]
    run = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
    assert run.stdout.count("error:") == 1 and 'use.py:4: error: Argument "effort"' in run.stdout


def test_everything_public_has_words():
    import scicodec
    import scicodec.numcodecs
    import scicodec.xarray
    import scicodec.zarr

    for module in [scicodec, scicodec.numcodecs, scicodec.xarray, scicodec.zarr]:
        assert module.__doc__
        for name in module.__all__:
            thing = getattr(module, name)
            if callable(thing):
                assert thing.__doc__, name
