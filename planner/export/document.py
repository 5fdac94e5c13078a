"""The plan as its own document: JSON with fingerprints, the form that is reviewed and imported."""

from __future__ import annotations

from planner.export.printout import Printout
from planner.plan import dump_plan


def render(printout: Printout) -> bytes:
    """Return the plan file's bytes."""
    return dump_plan(printout.plan).encode("utf-8")
