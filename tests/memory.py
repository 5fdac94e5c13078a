"""What a process that runs tests holds: little, for all that tests fork from it would pay for it."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_MUCH_PAGES = 24 * 256  # of 4 KiB
_HELD = Path("/proc/self/statm")
_give_back = getattr(ctypes.CDLL(None), "malloc_trim", lambda _spare: 0)  # glibc keeps what was freed


class Memory:
    """A plugin that looks for garbage seldom, and lets go of it when tests left much."""

    def __init__(self) -> None:
        self._base = 0

    @pytest.hookimpl(wrapper=True)
    def pytest_collection(self) -> Iterator[Any]:
        """Collect without looking for garbage: what is read then stays."""
        gc.disable()
        try:
            return (yield)
        finally:
            gc.enable()

    def pytest_collection_finish(self) -> None:
        """Look for garbage less often, and not among what stays: a fifth of the time of the screens."""
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self) -> Iterator[Any]:
        """Let go of what tests left behind, buffers in circles for the most, before others fork."""
        try:
            return (yield)
        finally:
            if _held_pages() - self._base > _MUCH_PAGES:
                gc.collect()
                _give_back(0)
                self._base = _held_pages()


def _held_pages() -> int:
    return int(_HELD.read_bytes().split()[1])
