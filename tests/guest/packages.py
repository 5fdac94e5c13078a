"""Debian packages downloaded and unpacked into a folder; nothing is installed.

Only the standard library is used, see ``system``.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

_LIBRARIES = ("lib", "zlib")


def required(package: str) -> list[str]:
    """Return the packages that one needs by itself."""
    told = run(["apt-cache", "depends", "--important", package])
    lines = [line.split() for line in told.splitlines()]
    return [words[1] for words in lines if len(words) == 2 and words[0] in {"Depends:", "PreDepends:"}]


def libraries(package: str) -> set[str]:
    """Return the packages of the libraries that a package needs, and those that these need."""
    found: set[str] = set()
    unseen = [package]
    while unseen:
        new = {name for name in required(unseen.pop()) if name.startswith(_LIBRARIES)} - found
        found |= new
        unseen += new
    return found


def unpack(packages: Iterable[str], folder: Path) -> None:
    """Download packages and unpack them into ``folder``, which must exist."""
    debs = folder / "debs"
    debs.mkdir()
    run(["apt-get", "download", "-qq", *sorted(set(packages))], debs)
    for deb in sorted(debs.glob("*.deb")):
        run(["dpkg-deb", "-x", str(deb), str(folder)])


def run(command: Sequence[str], cwd: Path | None = None) -> str:
    """Return what a command says; raises RuntimeError with its words when it fails."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:3])} failed: {done.stderr.strip()[-500:]}")
    return done.stdout
