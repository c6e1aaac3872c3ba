"""The Python that a bench runs in, with the pinned packages, and the words that say what machine it ran on."""

import hashlib
import os
import pathlib
import platform
import subprocess
import sys
import venv

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))


def enter(requirements="requirements.txt"):
    """Runs this script again inside a virtual environment that has the requirements, and makes that first if need be.

    One folder per set of requirements, so that a changed pin is never run with the old package.
    """
    wanted = (HERE / requirements).read_bytes()
    digest = hashlib.sha256(wanted + platform.python_version().encode()).hexdigest()[:16]
    folder = TARGET / f"bench-venv-{digest}"
    python = folder / "bin" / "python"
    if pathlib.Path(sys.prefix) == folder:
        return
    ready = folder / "ready"
    if not ready.exists():
        print(f"making {folder}", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", HERE / requirements], check=True)
        ready.write_bytes(wanted)
    # Peers must not start threads of their own.
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    os.execve(python, [str(python), *sys.argv], environment)


def _output(*command):
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def cpu():
    """The processor's name as the system tells it."""
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    named = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines) if value}
    family = ", ".join(f"{key} {named[key]}" for key in ("cpu family", "model") if key in named)
    return f"{named.get('model name', platform.machine())} ({family})" if family else platform.machine()


def describe(requirements="requirements.txt"):
    """(what, which) pairs for the head of a result."""
    changed = "" if _output("git", "status", "--porcelain", "--untracked-files=no") == "" else ", with changes"
    return [
        ("scicodec", _output("git", "rev-parse", "--short=12", "HEAD") + changed),
        ("processor", f"{cpu()}, {os.cpu_count()} cores"),
        ("rustc", _output("rustc", "--version")),
        ("python", f"{platform.python_version()}, {platform.system()} {platform.machine()}"),
        ("packages", ", ".join((HERE / requirements).read_text().split())),
    ]
