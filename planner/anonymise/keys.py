"""The key of a run: random and forgotten, or kept in a file that only its owner can read."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from planner.errors import BadInput
from planner.names import visible

_BYTES = 32


def random_key() -> bytes:
    """Return a key that nobody else has."""
    return secrets.token_bytes(_BYTES)


def kept_key(path: Path) -> bytes:
    """Return the key in a file, after making the file when there is none; raises BadInput."""
    shown = visible(str(path), 120)
    try:
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return _read(path, shown)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            key = random_key()
            file.write(key.hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
        return key
    except OSError as error:
        raise BadInput(
            f"{shown} cannot be used as a key: {error.strerror}", "name a file you may write"
        ) from error


def _read(path: Path, shown: str) -> bytes:
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise BadInput(f"{shown} can be read by others", "take their rights away: chmod 600")
    try:
        with path.open("rb") as file:
            key = bytes.fromhex(file.read(_BYTES * 4).decode("ascii"))
    except ValueError as error:
        raise BadInput(
            f"{shown} holds no key", "name a file that does not exist: one is made there"
        ) from error
    if len(key) != _BYTES:
        raise BadInput(f"{shown} holds no key", "name a file that does not exist: one is made there")
    return key
