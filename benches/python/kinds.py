#!/usr/bin/env python3
"""Small fields of many kinds that no model was trained on, as .npy files: what peers.py takes.

    python3 benches/python/kinds.py FOLDER

Needs numpy, scipy and scikit-image, which brings photographs and microscopy. The rest is made here, from fixed seeds: clipped,
counted, categorical, periodic, noisy and sorted values, land and missing ones, in one to five dimensions.
"""

import pathlib
import sys

import numpy as np
from scipy import ndimage, signal
from skimage import data


def power_law(shape, slope, seed):
    """Gaussian noise [shape] of unit standard deviation whose amplitudes fall as k**(-slope / 2)."""
    modes = np.fft.fftn(np.random.default_rng(seed).standard_normal(shape))
    k = np.sqrt(sum(np.meshgrid(*[np.fft.fftfreq(n) ** 2 for n in shape], indexing="ij")))
    k.flat[0] = 1
    modes *= k ** (-slope / 2)
    modes.flat[0] = 0
    field = np.fft.ifftn(modes).real
    return field / field.std()


def images():
    """8-bit pictures as floats."""
    for name in ("camera", "moon", "coins", "page", "brick", "grass", "cell", "clock", "microaneurysms"):
        yield f"image__{name}", getattr(data, name)()
    yield "image__hubble", data.hubble_deep_field()[:400, :400, 1]
    yield "image__retina", data.retina()[300:800, 300:800, 0]
    yield "image__faces", data.lfw_subset()
    yield "image__histology", data.immunohistochemistry()
    yield "image__phantom", data.shepp_logan_phantom()


def counts(rng):
    """Numbers of things: stars, photons, particles, hits."""
    sky = np.zeros((400, 400))
    for _ in range(600):
        sky[rng.integers(400), rng.integers(400)] += 10 ** rng.uniform(1, 5)
    yield "astronomy__stars", rng.poisson(ndimage.gaussian_filter(sky, 1.5) + 100)
    yield "astronomy__photons", rng.poisson(ndimage.gaussian_filter(sky, 6) * 0.05 + 0.02)
    dense = np.argwhere(power_law((64, 64, 64), 3, 2) > 1.8)
    density = np.zeros((64, 64, 64))
    np.add.at(density, tuple(dense[rng.integers(len(dense), size=4000)].T), 1)
    yield "plasma__density", density
    y, x = np.mgrid[0:300, 0:300]
    yield "detector__hits", rng.poisson(np.exp(-((x - 150) ** 2 + (y - 150) ** 2) / 4000) * 30)
    saturated = rng.poisson(np.exp(power_law((256, 256), 2.8, 15)) * 100 + 100)
    yield "detector__saturated", np.where(rng.random((256, 256)) < 1e-4, 65535, saturated)


def series(rng):
    """Lines, and some side by side."""
    channels = (rng.standard_normal((24, 24)) * 0.2 + np.eye(24)) @ np.cumsum(rng.standard_normal((24, 4096)), axis=1)
    b, a = signal.butter(3, [1 / 128, 40 / 128], "band")
    yield "eeg__channels", signal.lfilter(b, a, channels, axis=1) + 0.05 * rng.standard_normal((24, 4096))
    burst = rng.standard_normal(60000) * np.exp(-np.abs(np.arange(60000) - 20000) / 6000)
    yield "seismic__trace", np.convolve(burst, np.sinc(np.linspace(-3, 3, 41)) * np.hanning(41), "same")
    yield "series__walk", np.cumsum(rng.standard_normal(60000))
    yield "series__track", np.cumsum(np.cumsum(rng.standard_normal(40000) * 1e-4)).astype(np.float64)
    slow = ndimage.gaussian_filter1d(rng.standard_normal(30000), 60) * 8
    yield "series__logger", np.round(20 + 5 * np.sin(np.arange(30000) / 1440 * 2 * np.pi) + slow, 1)
    yield "series__sorted", np.sort(rng.standard_normal(50000)).astype(np.float64)
    lattice = np.stack(np.meshgrid(*[np.arange(24)] * 3, indexing="ij"), -1).reshape(-1, 3)
    yield "particles__positions", lattice * 3.6 + 0.15 * rng.standard_normal((24**3, 3))
    yield "particles__unordered", rng.random(100000) * 256
    yield "particles__velocities", rng.standard_normal(100000) * 300
    baselines = rng.standard_normal(40000) * 50
    yield "radio__visibilities", np.cos(0.3 * baselines) + 0.5 * np.cos(0.9 * baselines) + 0.1 * rng.standard_normal(40000)


def wind(member, step):
    """One member of an ensemble at one time: alike through time, with noise of its own."""
    noise = power_law((12, 48, 64), 2.2, 60 + 7 * member + step)
    return power_law((12, 48, 64), 3.4, 40 + member) * (1 + 0.1 * step) + 0.1 * noise


def planes_and_volumes(rng):
    """What is clipped, categorical, periodic, or noise."""
    y, x = np.mgrid[0:300, 0:300]
    yield "noise__gauss", rng.standard_normal((256, 256))
    yield "noise__uniform", rng.random((40, 40, 40))
    time, channel = np.mgrid[0:300, 0:256]
    pulse = 5 * np.exp(-(((channel - 0.4 * time - 50) / 6) ** 2)) + 40 * (channel % 61 == 7)
    yield "radio__dynamic-spectrum", pulse + np.random.default_rng(9).chisquare(2, (300, 256))
    yield "optics__fringes", np.cos(0.31 * x + 0.11 * y) + 0.3 * np.cos(0.002 * (x - 150) ** 2 + 0.0017 * (y - 140) ** 2)
    rough = np.cos(0.31 * x + 0.11 * y + 0.5 * power_law((300, 300), 3.5, 3))
    yield "optics__fringes-noisy", rough + 0.05 * rng.standard_normal((300, 300))
    yield "optics__periodic", np.cos(2 * np.pi * x / 20) * np.cos(2 * np.pi * y / 25)
    heights = ndimage.gaussian_filter(np.abs(power_law((320, 320), 3.2, 4)), 0.7) * 900
    yield "terrain__heights", heights
    yield "terrain__metres", np.round(heights)
    returns = heights[:256, :256] + 0.05 * rng.standard_normal((256, 256))
    yield "terrain__lidar", np.where(rng.random((256, 256)) < 0.1, -9999, returns)
    yield "landcover__classes", np.argmax([power_law((300, 300), 2.6, k) for k in range(10, 18)], axis=0)
    yield "grid__latitude", np.broadcast_to(np.linspace(-89.75, 89.75, 360)[:, None], (360, 720))
    greenness = np.round(np.clip(0.4 + 0.2 * power_law((256, 256), 2.4, 21), -0.2, 1), 4)
    yield "satellite__ndvi", np.where(power_law((256, 256), 3, 20) > 0.9, np.nan, greenness)
    yield "weather__rain", np.maximum(power_law((24, 96, 96), 2.8, 30) - 1.0, 0) ** 1.5
    yield "weather__cloud", np.clip(power_law((16, 128, 128), 3, 31) * 0.5 + 0.3, 0, 1)
    profile = np.exp(-np.linspace(0, 6, 32))[:, None, None]
    yield "weather__humidity", profile * np.exp(0.3 * power_law((32, 96, 96), 3.3, 32)) * 0.015
    yield "weather__ensemble", np.array([[wind(member, step) for step in range(3)] for member in range(2)])
    echo = np.round((power_law((20, 128, 128), 2.5, 91) * 12 + 25) * 2) / 2
    yield "weather__radar", np.where(power_law((20, 128, 128), 2.9, 90) > 0.3, echo, -32)
    coast = np.broadcast_to(power_law((200, 240), 3.2, 95) > 0.4, (4, 200, 240))
    yield "ocean__temperature", np.where(coast, np.nan, 15 + 8 * power_law((4, 200, 240), 3.6, 96))
    yield "ocean__land-of-zeros", np.where(coast, 0, power_law((4, 200, 240), 3.0, 97))
    at = np.linspace(0, 1, 400)
    tube = np.select([at < 0.3, at < 0.5, at < 0.7, at < 0.85], [1, 1 - (at - 0.3) * 2.5, 0.42, 0.26], 0.125)
    yield "shock__tube", (tube[None, :] + 1e-6 * rng.standard_normal((200, 400))).astype(np.float64)
    radius = np.sqrt(sum((g - 32) ** 2 for g in np.mgrid[0:64, 0:64, 0:64]))
    yield "shock__blast", np.where(radius < 22, (radius / 22) ** 9 * 4, 1).astype(np.float64)
    front = 0.5 * (1 + np.tanh((x - 150 + 20 * power_law((300, 300), 3.6, 70)) / 3))
    yield "combustion__front", front * (1 + 0.02 * power_law((300, 300), 3, 71))
    yield "cosmology__density", np.exp(2 * power_law((72, 72, 72), 3.0, 1))
    yield "cosmology__baryons", np.exp(2 * power_law((64, 64, 64), 2.6, 1))
    refined = np.kron(power_law((32, 32, 32), 3.0, 23), np.ones((2, 2, 2)))
    refined[16:48, 16:48, 16:48] += 0.2 * power_law((32, 32, 32), 2.5, 24)
    yield "astronomy__refined", refined
    yield "materials__grains", np.kron(np.random.default_rng(6).gamma(2, 1, (20, 30, 30)), np.ones((1, 3, 3)))
    yield "weather__accumulated", np.cumsum(np.maximum(power_law((30, 80, 80), 2.8, 16) - 0.8, 0), 0)
    solid = power_law((64, 64, 64), 3, 18) > 0
    yield "geometry__distance", ndimage.distance_transform_edt(solid) - ndimage.distance_transform_edt(~solid)
    yield "rock__pores", ndimage.gaussian_filter(rng.standard_normal((64, 64, 64)), 2) > 0
    phantom = data.shepp_logan_phantom()
    yield "tomography__phantom", phantom * 1000 + 20 * ndimage.gaussian_filter(rng.standard_normal((400, 400)), 0.8)
    yield "mri__magnitude", np.abs(np.fft.fftshift(np.fft.fft2(phantom[:256, :256])))
    yield "mri__real-part", np.fft.fft2(data.camera()[:256, :256].astype(float)).real
    yield "lattice__phases", np.angle(np.exp(3j * power_law((128, 128), 2.5, 80)))


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(5)
    for name, field in [*images(), *counts(rng), *series(rng), *planes_and_volumes(rng)]:
        dtype = np.float64 if field.dtype == np.float64 and name.split("__")[0] in ("series", "shock", "mri") else np.float32
        np.save(folder / f"{name}.npy", np.ascontiguousarray(field.astype(dtype)))
        print(name, *field.shape)


if __name__ == "__main__":
    main()
