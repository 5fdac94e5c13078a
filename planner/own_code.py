"""Where our own code lies: the path and environment of processes that we start, wherever they run from."""

from __future__ import annotations

import os
from pathlib import Path


def python_path() -> str:
    """Return PYTHONPATH for a child, with our own code first."""
    root = str(Path(__file__).resolve().parents[1])
    rest = os.environ.get("PYTHONPATH", "")
    return f"{root}{os.pathsep}{rest}" if rest else root


def child_environment() -> dict[str, str]:
    """Return our environment as a child gets it."""
    return {**os.environ, "PYTHONPATH": python_path()}


def foreign_environment() -> dict[str, str]:
    """Return our environment as a process gets it that is none of ours: it has no use for our code."""
    return {word: value for word, value in os.environ.items() if word != "PYTHONPATH"}
