"""The cycle collector of Python, kept away from where nothing goes in circles.

Each of its rounds goes over all that is in memory: beside an inventory of 10,000 VMs it takes two fifths of
the time in which a plan is spelled out.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Keep the collector away from what is made meanwhile: millions of objects, and hardly a cycle."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@contextmanager
def loading() -> Iterator[None]:
    """Keep the collector away while modules are loaded, and from what is there then: it stays anyway."""
    with uncollected():
        yield
        gc.freeze()
