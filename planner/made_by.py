"""What a cache was made by: the code itself, so that a newer wherry never shows an older one's answers."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from planner import __version__


@cache
def code_digest() -> str:
    """Return a digest of the version and of name, size and time of every file of this package.

    It is asked once a process: what runs is what was there when it began.
    """
    root = Path(__file__).parent
    found = hashlib.blake2b(__version__.encode(), digest_size=8)
    for path in sorted(root.rglob("*.py")):
        about = path.stat()
        found.update(f"{path.relative_to(root)} {about.st_size} {about.st_mtime_ns}\n".encode())
    return found.hexdigest()
