"""The sample estates that ship with wherry, found by name.

They lie in ``sample_inventories`` beside this package, in a clone and in an installed wheel alike.
"""

from __future__ import annotations

from pathlib import Path

from planner.errors import NotFound

_ROOT = Path(__file__).resolve().parent.parent / "sample_inventories"


def sample_names() -> tuple[str, ...]:
    """Return the names of all samples, sorted; empty when none are installed."""
    return tuple(sorted(found.parent.name for found in _ROOT.glob("*/inventory.json")))


def sample_path(name: str) -> Path:
    """Return the directory of a sample; raises NotFound.

    The name is compared with the samples there are and never joined to a path.
    """
    for known in sample_names():
        if known == name:
            return _ROOT / known
    raise NotFound(
        f"sample {name!r} does not exist",
        f"use one of: {', '.join(sample_names()) or 'none is installed'}",
    )
