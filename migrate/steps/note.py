"""note: what people have to know or do by hand at this point of a run; nothing is touched."""

from __future__ import annotations

from migrate.run.runbook import Step
from migrate.steps.kind import Context, Repeatable, Result
from planner.names import visible


class Note(Repeatable):
    """Say it, so that it stands in the record and in the run's report."""

    def plan(self, step: Step) -> str:
        """Say it before the run too."""
        return visible("; ".join(step.params["says"]))

    def act(self, ctx: Context, step: Step, op: str) -> Result:
        """Return what is said."""
        return {"says": list(step.params["says"])}
