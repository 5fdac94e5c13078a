"""place-seed: an image that is at hand brought onto the disk that was made for it.

The first pass then compares both sides, whatever the image was. A disk that was there before the run is
left as it is, for it is compared as well.
"""

from __future__ import annotations

from pathlib import Path

from migrate.run.runbook import Step
from migrate.steps.kind import Context, Repeatable, Result
from planner.errors import StepFailed
from planner.names import visible
from planner.units import show_bytes


class PlaceSeed(Repeatable):
    """One image. Doing it again goes on where it was; once a pass has begun it is not done again."""

    def plan(self, step: Step) -> str:
        """Name the image."""
        size = show_bytes(step.params["size_bytes"])
        return f"bring in {visible(step.params['image'], 200)} of {size}, which is only read"

    def act(self, ctx: Context, step: Step, op: str) -> Result:
        """Bring it in; the result says what of it the next pass need not send if it is right."""
        volume, size = step.params["volume"], step.params["size_bytes"]
        if not ctx.need(step.params["create"]).get("created"):
            return {"kept": "the disk was there before the run"}
        if ctx.placing is None:
            raise StepFailed("this run has no place for seeds", "go back and begin without --seed-from")
        brought = ctx.placing.place(Path(step.params["image"]), volume, size, ctx.run, ctx.report)
        return {
            "data_bytes": brought.data_bytes,
            "copied_bytes": brought.copied_bytes,
            "resumed_bytes": brought.resumed_bytes,
            "cloned": brought.cloned,
        }
