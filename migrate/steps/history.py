"""journal, fold and promote: a group's history at the target, and its end before a VM starts there.

    journal ─▶ seed, deltas: a checkpoint each ─▶ GATE go ─▶ fold ─▶ stop ─▶ final ─▶ promote ─▶ verify

On the way home it is kept at the source, and stands on a checkpoint of what its disks hold at the commit.

While there is a journal a replica lags behind what is newest. So before the replicas are compared and a VM
is built on them the journal is brought into them and ends: from there on the target files are all there is.
"""

from __future__ import annotations

from migrate.run.runbook import Step, part_of
from migrate.steps.kind import Context, Repeatable, Result
from migrate.steps.larger import must_still_fit
from migrate.steps.untouched import LEFT_BEHIND, check_untouched, is_written, marks
from migrate.transfers.ports import HistoryWanted, Moving
from planner.units import show_bytes, show_duration


class KeepHistory(Repeatable):
    """Have the receiver keep a journal of a group's disks, from the first complete cycle on."""

    def plan(self, step: Step) -> str:
        """Describe what is kept."""
        if not step.params["history_s"]:
            return "keep no checkpoints; a journal of an earlier run is removed"
        limit = show_bytes(step.params["hard_bytes"])
        kept = f"keep checkpoints back to {show_duration(step.params['history_s'])}, in {limit} at most"
        base = step.params.get("base")
        return f"{kept}, and what the disks hold now as {base!r}" if base else kept

    def act(self, ctx: Context, step: Step, op: str) -> Result:
        """Begin one; an older one goes on where no replica was made anew."""
        group = part_of(step.id)
        if ctx.histories is None:
            return {"kept": False}
        if not step.params["history_s"]:
            return {"kept": False, "removed": ctx.histories.dismiss(group)}
        volumes, base = step.params["volumes"], step.params.get("base", "")
        if base and is_written(ctx, step.params.get("stood", {})):
            base = LEFT_BEHIND  # by somebody who is in no record of ours
        held = {"base": base, "held": marks(ctx, volumes)} if base else {}
        made = any(ctx.result(create).get("created", True) for create in step.params["creates"])
        wanted = HistoryWanted(
            title=f"{ctx.wave}/{step.params['name']}",
            volumes=tuple(volumes),
            cycles=cycles_of(ctx, step),
            history_s=step.params["history_s"],
            hard_bytes=step.params["hard_bytes"],
            warning_bytes=step.params["warning_bytes"],
            base=base,
        )
        ctx.histories.keep(group, wanted, anew=made)
        return {"kept": True, "anew": made, **held}

    def undo(self, ctx: Context, step: Step, op: str) -> Result:
        """Remove it with all its checkpoints."""
        return {"removed": ctx.histories.dismiss(part_of(step.id)) if ctx.histories else False}


class Fold(Repeatable):
    """Bring the replicas close to what is newest while the sources still run: it costs no downtime."""

    def plan(self, step: Step) -> str:
        """Describe it."""
        older = "what was committed goes" if step.params.get("home") else "those before it go"
        return f"bring the replicas to the newest checkpoint; {older}"

    def act(self, ctx: Context, step: Step, op: str) -> Result:
        """Do it; raises ProjectBusy while somebody looks at an older checkpoint.

        Raises PastEnd, with all history as it was, for a disk that does not fit where it comes home to.
        """
        check_untouched(ctx, step)
        must_still_fit(ctx, step.params["vms"])
        return {"checkpoint": ctx.histories.fold(part_of(step.id)) if ctx.histories else 0}


class Promote(Repeatable):
    """Bring the replicas to the last pass, and end the journal. Once it is done it only says so."""

    def plan(self, step: Step) -> str:
        """Describe it."""
        return f"make a checkpoint, bring {len(step.params['volumes'])} replicas to it, end the journal"

    def act(self, ctx: Context, step: Step, op: str) -> Result:
        """Return number and name of the checkpoint."""
        moved = sum(int(ctx.result(final).get("data_bytes", 0)) for final in step.params["finals"])
        name = f"{'failback' if step.params.get('home') else 'cutover'} {ctx.wave}"
        if ctx.histories is None:
            return {"name": name, "bytes": moved}

        def told(done_bytes: int) -> None:
            ctx.report(Moving(step.subject, min(done_bytes, moved), moved, 0))

        return {"bytes": moved, **ctx.histories.promote(part_of(step.id), name, moved, told)}


def cycles_of(ctx: Context, step: Step) -> str:
    """Return what the cycles of a group begin with in this run."""
    return f"{ctx.run}/{part_of(step.id)}/"
