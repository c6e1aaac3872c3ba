"""What the tests share."""

from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture
def field():
    """A smooth field with a little noise, 24 × 30 × 40."""
    t, y, x = np.ogrid[0:24, 0:30, 0:40]
    smooth = np.sin(t / 5) + np.cos(y / 7) * np.sin(x / 9)
    return (smooth + np.random.default_rng(1).normal(0, 1e-3, smooth.shape)).astype("float32")


@pytest.fixture
def sample():
    """The field that the project ships."""
    return np.load(ROOT / "testdata/samples/cam-temperature.npy")
