"""What a cache was made by: the code itself, so that a newer wherry never shows an older one's answers."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from planner import __version__


@cache
def code_digest() -> str:
    """Return the digest of the code that runs.

    It is asked once a process: what runs is what was there when it began.
    """
    return code_on_disk()


def code_on_disk() -> str:
    """Return a digest of the version and of name, size and time of all files of this package now."""
    root = Path(__file__).parent
    found = hashlib.blake2b(__version__.encode(), digest_size=8)
    for path in sorted(root.rglob("*.py")):
        try:
            about = path.stat()
        except FileNotFoundError:  # it is being replaced
            continue
        found.update(f"{path.relative_to(root)} {about.st_size} {about.st_mtime_ns}\n".encode())
    return found.hexdigest()
