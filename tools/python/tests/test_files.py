"""Files: lazy reading, writing, and errors."""

import json
import os
import pickle
import random
import signal
import subprocess
import threading
import time

import numpy as np
import pytest
import scicodec
from conftest import ROOT
from scicodec import _file


@pytest.fixture
def path(tmp_path, field):
    """A file of two variables, in many chunks."""
    where = tmp_path / "two.scz"
    with scicodec.create(where) as file:
        about = {"long_name": "temperature", "valid_range": np.array([-3, 3], "float32"), "level": 2}
        file.add(
            "T", field, "abs=1e-3", effort="fast", chunks=(7, 8, 9), units="K", dims=("t", "y", "x"), attributes=about
        )
        file.add("count", np.arange(10), "lossless")
    return where


def test_variables_tell_what_they_are(path, field):
    with scicodec.open(path) as file:
        assert list(file) == ["T", "count"] and len(file) == 2 and "T" in file
        t = file["T"]
        assert (t.shape, t.dtype, t.ndim, t.size, t.nbytes) == (field.shape, field.dtype, 3, field.size, field.nbytes)
        assert (t.dims, t.units, t.chunks, t.error_bound) == (("t", "y", "x"), "K", (7, 8, 9), "abs=0.001")
        assert t.attributes["long_name"] == "temperature" and t.attributes["level"] == 2
        assert t.attributes["valid_range"].dtype == "float32" and t.attributes["valid_range"].tolist() == [-3, 3]
        assert t.max_error <= 1e-3 and t.fill_value is None and len(t) == 24
        assert file.nbytes == os.path.getsize(path) and file.verify() == 4 * 4 * 5 + 1
        assert "T" in repr(file) and "t: 24" in repr(t)
        assert abs(np.asarray(t) - field).max() <= 1e-3 and np.mean(file["count"]) == 4.5


def test_a_variable_may_be_coded_beside_another(tmp_path, field):
    noise = np.random.default_rng(3).normal(0, 0.05, field.shape).astype("float32")
    sizes = {}
    for word in ["none", "auto", ["T"]]:
        where = tmp_path / f"{word}.scz"
        with scicodec.create(where) as file:
            file.add("T", field + noise, "abs=1e-3")
            sizes[str(word)] = file.add("S", 2 * field + 3 * noise, "abs=1e-3", condition_on=word)["compressed_bytes"]
        with scicodec.open(where) as file:
            s = file["S"]
            assert (s.conditioned_on, s.conditioned_chunks) == (({}, 0) if word == "none" else ({"T": 1}, 1))
            assert abs(s[2:5, 3] - (2 * field + 3 * noise)[2:5, 3]).max() <= 1e-3
    assert sizes["auto"] == sizes["['T']"] < 0.8 * sizes["none"]
    for word in ["all", ["nowhere"]]:
        with pytest.raises(scicodec.InvalidArgumentError, match="condition"):
            with scicodec.create(tmp_path / "wrong.scz") as file:
                file.add("S", field, "abs=1e-3", condition_on=word)
    assert not (tmp_path / "wrong.scz").exists()


def test_indexing_is_that_of_numpy(path):
    choose = random.Random(5)

    def key(n):
        if choose.random() < 0.25:
            return choose.randrange(-n - 1, n + 1)
        end = lambda: choose.choice([None, choose.randrange(-n - 3, n + 4)])
        return slice(end(), end(), choose.choice([None, 1, 2, 3, 11, 100, -1, -2, -9]))

    with scicodec.open(path) as file:
        lazy, whole = file["T"], file["T"][...]
        for _ in range(600):
            keys = [key(n) for n in whole.shape[: choose.randrange(4)]]
            if choose.random() < 0.3:
                keys.insert(choose.randrange(len(keys) + 1), Ellipsis)
            keys = tuple(keys)
            try:
                want = whole[keys]
            except IndexError:
                with pytest.raises(IndexError):
                    lazy[keys]
                continue
            got = lazy[keys]
            assert got.shape == want.shape and got.dtype == want.dtype and (got == want).all(), keys
        assert isinstance(lazy[1, 2, 3], np.float32) and isinstance(lazy[0:0], np.ndarray)
        for wrong in [(0, 0, 0, 0), (..., ...), [1, 2], "T", True, 1.5, None]:
            with pytest.raises(IndexError):
                lazy[wrong]


def test_only_the_chunks_of_a_region_are_read(path, field):
    whole = scicodec.open(path)["T"][...]
    info = scicodec.info(path)
    assert info["variables"][0]["chunks"] == 80
    spoilt = bytearray(path.read_bytes())
    # Ten bytes in the middle of the data: one chunk or two.
    middle = len(spoilt) // 2
    for i in range(middle, middle + 10):
        spoilt[i] ^= 0xFF
    path.write_bytes(spoilt)
    with scicodec.open(path) as file:
        with pytest.raises(scicodec.CorruptError, match="two.scz: corrupt"):
            file["T"][...]
        with pytest.raises(scicodec.CorruptError):
            file.verify()
        assert (file["T"][:7] == whole[:7]).all() and (file["T"][-3:, ::29, ::39] == whole[-3:, ::29, ::39]).all()


def test_steps_longer_than_chunks_skip_chunks(path):
    with scicodec.open(path) as file:
        t = file["T"]
        boxes = []
        read = t._read_box
        t._read_box = lambda a, b: boxes.append((a, b)) or read(a, b)
        assert (t[::20, 3:5, 0] == np.asarray(t)[::20, 3:5, 0]).all()
        assert boxes[:2] == [((0, 3, 0), (1, 5, 1)), ((20, 3, 0), (21, 5, 1))]


def test_files_grow(tmp_path, field):
    path = tmp_path / "grows.scz"
    with scicodec.create(path) as file:
        file.add("T", field, "rel=1e-3")
    with scicodec.append(path) as file:
        report = file.extend("T", field + 1, "rel=1e-3")
        assert report["max_error"] <= 1e-3 * np.ptp(field) and report["raw_bytes"] == field.nbytes
    with scicodec.open(path) as file:
        assert file["T"].shape == (48, 30, 40) and abs(file["T"][24:] - field - 1).max() <= 1e-2
    with scicodec.append(path) as file, pytest.raises(scicodec.InvalidArgumentError, match="does not continue"):
        file.extend("T", field[:, 1:], "rel=1e-3")


def test_arrays_that_are_sliced_as_they_are_encoded(tmp_path, path, field):
    with scicodec.open(path) as source, scicodec.create(tmp_path / "copy.scz") as file:
        file.add("T", source["T"], "lossless", chunks=(5, 30, 40))
        want = source["T"][...]
    with scicodec.open(tmp_path / "copy.scz") as file:
        assert (file["T"][...] == want).all()

    class Wrong:
        shape, dtype = (4, 4), np.dtype("f4")

        def __init__(self, answer):
            self.answer = answer

        def __getitem__(self, key):
            return self.answer(key)

    def fails(_):
        raise RuntimeError("the disk is gone")

    with pytest.raises(RuntimeError, match="the disk is gone"), scicodec.create(tmp_path / "a.scz") as file:
        file.add("T", Wrong(fails), "abs=1")
    with pytest.raises(scicodec.InvalidArgumentError, match="12 bytes"), scicodec.create(tmp_path / "a.scz") as file:
        file.add("T", Wrong(lambda _: np.zeros(3)), "abs=1")
    assert not (tmp_path / "a.scz").exists()


def test_nothing_is_left_of_what_failed(tmp_path, field):
    with pytest.raises(ZeroDivisionError), scicodec.create(tmp_path / "a.scz") as file:
        file.add("T", field, "abs=1e-3")
        1 / 0  # noqa: B018
    assert list(tmp_path.iterdir()) == []
    file = scicodec.create(tmp_path / "a.scz")
    file.finish()
    for late in [file.finish, lambda: file.add("T", field, "abs=1")]:
        with pytest.raises(scicodec.InvalidArgumentError, match="is finished"):
            late()
    with pytest.raises(FileExistsError):
        scicodec.create(tmp_path / "a.scz")
    scicodec.create(tmp_path / "a.scz", overwrite=True).finish()


def test_errors_are_of_one_family(tmp_path, path, field):
    with pytest.raises(FileNotFoundError) as caught:
        scicodec.open(tmp_path / "none.scz")
    assert isinstance(caught.value, scicodec.NotFoundError) and "none.scz: No such file" in str(caught.value)
    data = path.read_bytes()
    with pytest.raises(scicodec.TornError, match="scicodec recover"):
        scicodec.decode(data[:-10])
    with pytest.raises(scicodec.TruncatedError):
        scicodec.decode(b"")
    with pytest.raises(scicodec.CorruptError, match="not a .scz file"):
        scicodec.decode(b"x" * 100)
    with pytest.raises(scicodec.InvalidArgumentError, match="several variables; give one of T, count"):
        scicodec.decode(data)
    with pytest.raises(KeyError, match="no variable 'U'; it has T, count"):
        scicodec.decode(data, "U")
    with scicodec.open(path) as file:
        pass
    with pytest.raises(scicodec.InvalidArgumentError, match="closed"):
        file["T"][0]
    family = [c for c in vars(scicodec).values() if isinstance(c, type) and issubclass(c, Exception)]
    assert len(family) == 16 and all(issubclass(c, scicodec.Error) for c in family)


def test_open_files_can_be_pickled(path):
    with scicodec.open(path) as file:
        again = pickle.loads(pickle.dumps(file))
        assert (again["T"][3] == file["T"][3]).all()
    with pytest.raises(TypeError, match="in memory"):
        pickle.dumps(_file.from_bytes(path.read_bytes()))


def test_hostile_bytes_are_an_exception(path):
    data = path.read_bytes()
    choose = random.Random(7)
    for _ in range(150):
        spoilt = bytearray(data)
        for _ in range(choose.randrange(1, 4)):
            spoilt[choose.randrange(len(spoilt))] = choose.randrange(256)
        try:
            scicodec.decode(spoilt, "count")
            scicodec.decode(spoilt, "T", region=np.s_[0, 0])
        except scicodec.Error:
            pass


def test_the_interpreter_is_free_while_values_are_coded(field):
    big = np.tile(field, (2, 1, 1))
    ticks, done = [], threading.Event()

    def tick():
        while not done.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.001)

    thread = threading.Thread(target=tick)
    thread.start()
    start = time.perf_counter()
    data = scicodec.encode(big, "abs=1e-4", threads=1)
    stop = time.perf_counter()
    done.set()
    thread.join()
    during = [t for t in ticks if start < t < stop]
    assert len(during) > 3 and max(np.diff([start, *during, stop])) < (stop - start) * 0.9
    assert scicodec.decode(data).shape == big.shape


@pytest.mark.skipif(os.name == "nt", reason="needs signals")
def test_encoding_can_be_interrupted(tmp_path, field):
    # A shell that runs the tests in the background may have told them to ignore the signal.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    big = np.tile(field, (60, 2, 2))
    timer = threading.Timer(0.3, signal.raise_signal, [signal.SIGINT])
    timer.start()
    begun = time.perf_counter()
    with pytest.raises(KeyboardInterrupt), scicodec.create(tmp_path / "a.scz") as file:
        for name in map(str, range(1000)):
            file.add(name, big, "abs=1e-5", chunks=(16, 30, 40), threads=1)
    signal.signal(signal.SIGINT, before)
    assert time.perf_counter() - begun < 60 and list(tmp_path.iterdir()) == []


def test_bytes_and_words_are_those_of_the_program(tmp_path, sample):
    program = os.environ["SCICODEC_PROGRAM"]
    path, source = tmp_path / "cam-temperature.scz", ROOT / "testdata/samples/cam-temperature.npy"
    words = ["encode", source, "-o", path, "-e", "rel=1e-3", "--effort", "fast", "--units", "K", "-q"]
    subprocess.run([program, *words], check=True)
    ours = scicodec.encode(sample, "rel=1e-3", effort="fast", name="cam-temperature", units="K")
    assert path.read_bytes() == ours
    said = subprocess.run([program, "info", "--json", path], check=True, capture_output=True).stdout
    assert scicodec.info(path) == json.loads(said)
    assert scicodec.info(ours)["variables"] == json.loads(said)["variables"]
    wrong = subprocess.run([program, "info", "none.scz"], cwd=tmp_path, capture_output=True, text=True).stderr
    with pytest.raises(scicodec.NotFoundError) as caught:
        scicodec.info("none.scz")
    assert str(caught.value) == wrong.removeprefix("scicodec: error: ").strip()


@pytest.mark.parametrize("path", sorted((ROOT / "testdata/golden").rglob("*.scz")), ids=lambda p: p.name)
def test_golden_files_can_be_read(path):
    with scicodec.open(path) as file:
        for variable in file.values():
            assert variable[...].shape == variable.shape
