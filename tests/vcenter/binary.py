"""The simulator's binary: built once from the overlay beside this file, kept under ``.cache/vcsim``.

Its name holds a hash of what it is built from, so that a changed overlay is a new binary. Only the
standard library is used: ``scripts/prepare test`` runs this file before there is a virtual environment.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
CACHE = HERE.parents[1] / ".cache" / "vcsim"
_KEPT = 3  # binaries of the last overlays
_GO = Path("/usr/bin/go")
_GOVMOMI = Path("/usr/share/gocode/src/github.com/vmware/govmomi/simulator")


def lacking() -> tuple[str, ...]:
    """Return the Debian packages that are missing, in the order to install them."""
    needed = {
        "golang-go": _GO.exists(),
        "golang-github-vmware-govmomi-dev": _GOVMOMI.is_dir(),
        "patch": shutil.which("patch") is not None,
        "openssl": shutil.which("openssl") is not None,
    }
    return tuple(name for name, there in needed.items() if not there)


def binary_path(sources: Path = HERE) -> Path:
    """Return where the binary of an overlay lies or will lie."""
    digest = hashlib.sha256()
    overlay = sorted(path for path in (sources / "overlay").rglob("*") if path.is_file())
    for path in (sources / "build", *overlay):
        body = path.read_bytes()
        digest.update(f"{path.relative_to(sources)} {len(body)}\n".encode() + body)
    return CACHE / f"vcsim-{digest.hexdigest()[:16]}"


def built(say: Callable[[str], None]) -> Path:
    """Return the binary, building it first where this overlay was never built here.

    Raises RuntimeError with the compiler's words when it cannot be built.
    """
    out = binary_path()
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # others may be building the same
        if out.exists():
            return out
        say("building the test vCenter once, about a minute")
        fresh = out.with_suffix(f".{os.getpid()}")
        done = subprocess.run([HERE / "build", fresh], capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"the test vCenter cannot be built: {done.stderr.strip()[-2000:]}")
        fresh.rename(out)
        made = sorted(CACHE.glob("vcsim-*"), key=lambda path: path.stat().st_mtime)
        for old in made[:-_KEPT]:
            old.unlink()
    return out


def _narrate(line: str) -> None:
    print(f"prepare: {line}", flush=True)


if __name__ == "__main__":
    if lacking():
        sys.exit(1)
    try:
        built(_narrate)
    except RuntimeError as error:
        sys.exit(f"prepare: {error}")
