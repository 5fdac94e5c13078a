"""One showing of ``wherry demo`` for several tests: from a built wheel, outside the clone.

Where no wheel can be built, the demo runs from the clone, and the tests of the wheel say so.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

CLONE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Built:
    """A wheel and the directory it is unpacked in; ``why_not`` says why there is none."""

    wheel: Path
    site: Path
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """A showing that ended: where, from which code, with what exit code and words."""

    root: Path
    code: int
    out: str
    err: str


@cache
def scratch() -> Path:
    """Return a directory outside the clone that lasts as long as the tests."""
    import atexit

    made = Path(tempfile.mkdtemp(prefix="wherry-demo-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


@cache
def built() -> Built:
    """Build the wheel and unpack it with the installer, without its dependencies."""
    place = scratch() / "wheel"
    for tool in ("build", "hatchling", "pip"):
        if find_spec(tool) is None:
            return Built(place, place, f"not run: {tool} is not installed")
    wheels, site = place / "dist", place / "site"
    _checked("-m", "build", "--wheel", "--no-isolation", "--outdir", str(wheels), str(CLONE))
    (wheel,) = wheels.glob("*.whl")
    _checked("-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(site), str(wheel))
    return Built(wheel, site)


def _checked(*arguments: str) -> None:
    ended = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def environment(site: Path) -> dict[str, str]:
    """Return an environment in which our packages come from ``site`` and the libraries from here."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "WHERRY"))}
    return {**kept, "PYTHONPATH": str(site)}


def run_demo(site: Path, directory: Path, *arguments: str) -> Shown:
    """Run ``wherry demo`` from the code under ``site`` in a directory."""
    ended = subprocess.run(
        [sys.executable, "-m", "tui.cli.main", "demo", *arguments],
        cwd=directory,
        env=environment(site),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    return Shown(directory / ".demo", ended.returncode, ended.stdout, ended.stderr)


@cache
def shown() -> Shown:
    """Return the one showing, made when first asked for."""
    directory = scratch() / "empty"
    directory.mkdir()
    made = built()
    return run_demo(CLONE if made.why_not else made.site, directory)
