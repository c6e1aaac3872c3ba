#!/usr/bin/env python3
"""The Python package: what a call costs over the program, and regions of a large file beside netCDF and Zarr.

    python3 benches/python/package.py [-o RESULT.md] [--turns 9] [--megabytes 1000]

Fields are float32 and made here: waves with white noise, with which zstd can do little but copy, and a field of all scales without noise,
each weaker than the next larger one as in the atmosphere: energy falls with the third power of the wave number, down to the grid.
Everything is done by turns; a figure is the median over the turns, a ratio the median of each turn's ratio. Seconds of the
processor count what program or call uses itself, on all cores (user and system), wall-clock seconds how long one waits.

**Calls**: waves of 100 MB, rel=1e-3, effort fast, one thread. The program reads .npy and writes .scz, or the other way round; the
package does the same, and also encodes and decodes in memory alone. **Regions**: each is opened and read anew: nothing is kept between
two reads, first ("cold") after the system was told to forget the files, so that they come from the disk, then from the system's cache.
Every reader is called as it comes: scicodec and Zarr then use all cores, netCDF one. scicodec's bound is rel=1e-3 with effort fast;
netCDF is deflated (level 4, shuffled), Zarr has its default, zstd. All have the same chunks, and each also the ones of its own choice.
How much of a chunk scicodec must decode depends on where a region lies: the series at a point is at even indices of its chunks, which
takes less than the one at odd indices.
"""

import argparse
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import environment

PINS = "requirements-package.txt"
PROGRAM = environment.TARGET / "release" / "scicodec"
BOUND = "rel=1e-3"
CHUNKS = (32, 128, 128)


def build(folder, built):
    """The program, and the package in a folder of its own: both of this tree."""
    words = ["cargo", "build", "--quiet", "--release", "-p", "scicodec-cli", "-p", "scicodec-python"]
    if not built:
        subprocess.run(words, cwd=environment.ROOT, check=True)
    package = shutil.copytree(environment.ROOT / "tools/python/python/scicodec", folder / "scicodec")
    shutil.copy(environment.TARGET / "release/lib_native.so", package / "_native.abi3.so")
    sys.path.insert(0, str(folder))


def planes(shape):
    """A field, plane by plane."""
    import numpy as np

    random = np.random.default_rng(1)
    y, x = np.ogrid[0 : shape[1], 0 : shape[2]]
    for t in range(shape[0]):
        wave = np.sin(t / 9 + x / 37) * np.cos(y / 51) + 0.3 * np.sin((x + 2 * y) / 11 + t / 5)
        yield (wave + random.normal(0, 2e-3, wave.shape)).astype("float32")


def scales(shape):
    """A field of all scales that moves and changes, plane by plane: the larger a wave, the stronger and the slower it is."""
    import numpy as np

    random = np.random.default_rng(2)
    ky, kx = np.fft.fftfreq(shape[1], 1 / shape[1])[:, None], np.fft.rfftfreq(shape[2], 1 / shape[2])
    k = np.hypot(ky, kx)
    # The energy of a ring of wave numbers is that of a wave times their number: of a wave it falls with the fourth power.
    strength = np.where(k > 0, np.maximum(k, 1) ** -2.0, 0) * random.rayleigh(size=k.shape)
    phase = random.uniform(0, 2 * np.pi, k.shape)
    turn = 0.01 * kx + 0.015 * np.maximum(k, 1) ** (2 / 3) * random.normal(size=k.shape)
    for t in range(shape[0]):
        wave = np.fft.irfft2(strength * np.exp(1j * (phase + turn * t)), shape[1:])
        yield (280 + 5 * shape[1] * shape[2] * wave).astype("float32")


FIELDS = {"Waves with noise": planes, "All scales": scales}


def used(who):
    """Seconds of the processor so far."""
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


def timed(work, who=resource.RUSAGE_SELF):
    """Processor and wall-clock seconds."""
    begun, at = used(who), time.perf_counter()
    work()
    return used(who) - begun, time.perf_counter() - at


def calls(scratch, turns):
    """{what: [(processor, wall)]}, a pair for each turn."""
    import numpy as np
    import scicodec

    source, coded, back = scratch / "field.npy", scratch / "field.scz", scratch / "back.npy"
    np.save(source, np.stack(list(planes((100, 500, 500)))))
    array = np.load(source)
    data = scicodec.encode(array, BOUND, effort="fast", threads=1)

    def program(*words):
        subprocess.run([PROGRAM, *words, "-q", "-f", "-T", "1"], check=True)

    def encode_file():
        with scicodec.create(coded, overwrite=True) as file:
            file.add("field", np.load(source, mmap_mode="r"), BOUND, effort="fast", threads=1)

    def decode_file():
        with scicodec.open(coded, threads=1) as file:
            np.save(back, file["field"][...])

    children = resource.RUSAGE_CHILDREN
    works = {
        "encode, program": (lambda: program("encode", source, "-o", coded, "-e", BOUND, "--effort", "fast"), children),
        "encode, package, files": (encode_file, resource.RUSAGE_SELF),
        "encode, package, memory": (
            lambda: scicodec.encode(array, BOUND, effort="fast", threads=1),
            resource.RUSAGE_SELF,
        ),
        "decode, program": (lambda: program("decode", coded, "-o", back), children),
        "decode, package, files": (decode_file, resource.RUSAGE_SELF),
        "decode, package, memory": (lambda: scicodec.decode(data, threads=1), resource.RUSAGE_SELF),
    }
    times = {what: [] for what in works}
    for turn in range(turns + 1):
        for what, (work, who) in works.items():
            taken = timed(work, who)
            if turn > 0:  # the first turn warms caches
                times[what].append(taken)
    assert abs(np.load(back) - array).max() <= 1e-3 * np.ptp(array)
    return times


def write_stores(scratch, shape, field):
    """{what: path} of the same field in each format."""
    import netCDF4
    import numpy as np
    import scicodec
    import zarr

    raw = np.lib.format.open_memmap(scratch / "large.npy", "w+", "float32", shape)
    for t, plane in enumerate(field(shape)):
        raw[t] = plane
    paths = {}
    for label, chunks in (("same chunks", CHUNKS), ("own chunks", None)):
        paths[f"scicodec, {label}"] = scratch / f"{label}.scz"
        with scicodec.create(paths[f"scicodec, {label}"]) as file:
            file.add("T", raw, BOUND, effort="fast", chunks=chunks)
        paths[f"netCDF, {label}"] = scratch / f"{label}.nc"
        with netCDF4.Dataset(paths[f"netCDF, {label}"], "w") as file:
            for name, n in zip("tyx", shape):
                file.createDimension(name, n)
            options = {"compression": "zlib", "complevel": 4, "shuffle": True, "chunksizes": chunks}
            file.createVariable("T", "f4", tuple("tyx"), **options)[:] = raw
        paths[f"Zarr, {label}"] = scratch / f"{label}.zarr"
        array = zarr.create_array(paths[f"Zarr, {label}"], shape=shape, chunks=chunks or "auto", dtype="float32")
        array[:] = raw
    return paths


def readers():
    """{format: a function that opens a path and reads a region}."""
    import netCDF4
    import scicodec
    import zarr

    def scz(path, region):
        with scicodec.open(path) as file:
            return file["T"][region]

    def netcdf(path, region):
        with netCDF4.Dataset(path) as file:
            return file["T"][region]

    return {"scicodec": scz, "netCDF": netcdf, "Zarr": lambda path, region: zarr.open_array(path, mode="r")[region]}


def regions(scratch, shape, field, turns):
    """Chunks and bytes of each store, and {(region, store): [(processor, wall, cold wall)]}."""
    import numpy as np

    paths = write_stores(scratch, shape, field)
    read = readers()
    middle = [n // 2 for n in shape]
    wanted = {
        "a box of 8×64×64": np.s_[middle[0] : middle[0] + 8, 200:264, 300:364],
        "a series at a point": np.s_[:, middle[1], middle[2]],
        "a series at odd indices": np.s_[:, middle[1] | 1, middle[2] | 1],
        "a plane": np.s_[middle[0]],
    }
    times = {}
    for turn in range(turns + 1):
        for region, key in wanted.items():
            for store, path in paths.items():
                once = lambda: timed(lambda: read[store.split(",")[0]](path, key))  # noqa: B023
                forget(path)
                _, cold = once()
                if turn > 0:
                    times.setdefault((region, store), []).append((*once(), cold))
    return {store: (chunks_of(path), size_of(path)) for store, path in paths.items()}, times


def files_of(path):
    """A file, or all in a folder."""
    return [p for p in ([path] if path.is_file() else path.rglob("*")) if p.is_file()]


def forget(path):
    """Asks the system to keep nothing of a store's files in memory."""
    for file in files_of(path):
        descriptor = os.open(file, os.O_RDONLY)
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)


def chunks_of(path):
    """Extents of a chunk."""
    import netCDF4
    import scicodec
    import zarr

    if path.suffix == ".scz":
        return scicodec.open(path)["T"].chunks
    if path.suffix == ".nc":
        with netCDF4.Dataset(path) as file:
            return tuple(file["T"].chunking())
    return zarr.open_array(path, mode="r").chunks


def size_of(path):
    """Bytes of a file or of all in a folder."""
    return sum(p.stat().st_size for p in files_of(path))


def ratio(ours, theirs, which):
    """The median over the turns of ours ÷ theirs."""
    return statistics.median(a[which] / b[which] for a, b in zip(ours, theirs))


def middle_of(times, which):
    return statistics.median(t[which] for t in times)


def markdown(command, taken, shape, fields):
    """The result as a page."""
    text = ["# The Python package", ""]
    text += [f"- {what}: {which}" for what, which in environment.describe(PINS)]
    text += [f"- command: `{command}`", ""]
    text += [" ".join(part.split()) + "\n" for part in __doc__.split("\n\n")[2:]]
    text += ["## Calls", "", "| what | processor s | ÷ program | wall s | ÷ program |", "|---|---|---|---|---|"]
    for what, times in taken.items():
        program = taken[what.split(",")[0] + ", program"]
        cells = [f"{middle_of(times, i):.3f} | {ratio(times, program, i):.3f}" for i in (0, 1)]
        text.append(f"| {what} | {' | '.join(cells)} |")
    for field, (stores, read) in fields.items():
        text += ["", f"## Regions: {field.lower()}", "", f"A field of {'×'.join(map(str, shape))} float32.", ""]
        text += ["| store | chunks | MB |", "|---|---|---|"]
        for store, (chunks, size) in stores.items():
            text.append(f"| {store} | {'×'.join(map(str, chunks))} | {size / 1e6:.0f} |")
        text += [
            "",
            "Milliseconds of the processor and of wall-clock time to open and read from the system's cache, of wall-clock time from "
            "the disk, and each ÷ scicodec's with the chunks so called.",
            "",
        ]
        columns = ["region", "store", "processor ms", "÷ scicodec", "wall ms", "÷ scicodec", "cold ms", "÷ scicodec"]
        text += [f"| {' | '.join(columns)} |", "|---" * 8 + "|"]
        for (region, store), times in read.items():
            ours = read[region, "scicodec, " + store.split(", ")[1]]
            cells = [f"{middle_of(times, i) * 1e3:.2f} | {ratio(times, ours, i):.2f}" for i in (0, 1, 2)]
            text.append(f"| {region} | {store} | {' | '.join(cells)} |")
    return "\n".join(text) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", help="write Markdown here instead of to standard output")
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--megabytes", type=int, default=1000, help="size of the field of which regions are read")
    parser.add_argument("--built", action="store_true", help="do not build: what was built last is measured")
    arguments = parser.parse_args()
    environment.enter(PINS)
    shape = (max(32, arguments.megabytes * 10**6 // (4 * 1000 * 1000)), 1000, 1000)
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        build(scratch, arguments.built)
        taken = calls(scratch, arguments.turns)
        fields = {}
        for name, field in FIELDS.items():
            folder_of_field = scratch / name
            folder_of_field.mkdir()
            fields[name] = regions(folder_of_field, shape, field, arguments.turns)
            shutil.rmtree(folder_of_field)
    command = " ".join(["python3", os.path.relpath(sys.argv[0], environment.ROOT), *sys.argv[1:]])
    page = markdown(command, taken, shape, fields)
    pathlib.Path(arguments.output).write_text(page) if arguments.output else print(page)


if __name__ == "__main__":
    main()
