"""The plan as its own document: JSON with fingerprints, the form that is reviewed and imported."""

from __future__ import annotations

from planner.export.printout import Printout
from planner.plan_file import plan_text


def render(printout: Printout) -> bytes:
    """Return the plan file's bytes."""
    return b"".join(piece.encode("utf-8") for piece in plan_text(printout.plan))
