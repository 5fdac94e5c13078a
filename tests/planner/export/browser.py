"""A browser without a screen: what it complains of, and what it painted."""

from __future__ import annotations

import shutil
import subprocess
import zlib
from pathlib import Path

import pytest


def _chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not found:
        pytest.skip("not run: no Chromium on this machine")
    return found


def browse(folder: Path, *arguments: str) -> str:
    """Run a browser without a screen and return what it complained of; skips where there is none."""
    command = [_chromium(), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
               f"--user-data-dir={folder / 'profile'}", "--enable-logging=stderr", *arguments]  # fmt: skip
    ran = subprocess.run(command, capture_output=True, timeout=120, check=True)
    return ran.stderr.decode("utf-8", "replace")


def pixels(path: Path) -> tuple[int, int, int]:
    """Return width, height and how many different lines of pixels a PNG holds."""
    data = path.read_bytes()
    width, height = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
    packed, at = b"", 8
    while at < len(data):
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        packed += data[at + 8 : at + 8 + size] if kind == b"IDAT" else b""
        at += size + 12
    raw = zlib.decompress(packed)
    line = len(raw) // height
    return width, height, len({raw[at : at + line] for at in range(0, len(raw), line)})
