"""checkpoint and verify: no replica is called good without equal digests of the whole disk."""

from __future__ import annotations

from dataclasses import asdict

from migrate.run.runbook import Step, part_of
from migrate.steps.kind import Context, Repeatable, Result
from migrate.steps.larger import may_be_larger, named
from migrate.steps.resized import resized
from migrate.steps.snapshots import frozen_as
from planner.errors import StepFailed, WherryError


class Checkpoint(Repeatable):
    """Compare a group's replicas with the snapshot they were made from."""

    def plan(self, step: Step) -> str:
        """Describe the comparison."""
        return f"compare {len(step.params['volumes'])} replicas with the snapshot, byte for byte"

    def act(self, ctx: Context, step: Step, op: str) -> Result:
        """Return the digests; raises StepFailed at the first difference."""
        taken = ctx.need(step.params["snapshot"])
        digests = {
            volume: _digest(ctx, step, volume, size_bytes, frozen_as(taken, volume))
            for volume, size_bytes in step.params["volumes"]
        }
        return {
            "consistency": taken["label"],
            "digests": digests,
            "changes": taken["changes"],
            **_reach(ctx, step),
        }


class Verify(Repeatable):
    """Compare a stopped VM's disk with its replica."""

    def plan(self, step: Step) -> str:
        """Describe the comparison."""
        return "hash the whole disk at both sites and compare"

    def act(self, ctx: Context, step: Step, op: str) -> Result:
        """Return the digest; raises StepFailed when the sides differ."""
        volume, size_bytes = step.params["volume"], step.params["size_bytes"]
        digest = _digest(ctx, step, volume, size_bytes, None)
        mark = ctx.target.change_id(volume)  # nobody writes the replica from here to the VM's start
        return {
            "source": digest,
            "target": digest,
            "size_bytes": size_bytes,
            "equal": True,
            "proved": str(mark) if mark else "",
            **resized(ctx, step, volume, size_bytes),
        }


def _reach(ctx: Context, step: Step) -> Result:
    """Return how the history of the group stands; that nobody can say it makes no copy worse."""
    try:
        found = ctx.histories.kept(part_of(step.id)) if ctx.histories is not None else None
    except WherryError:
        return {}
    return {"history": asdict(found) | {"said": list(found.said)}} if found is not None else {}


def _digest(ctx: Context, step: Step, volume: str, size_bytes: int, snapshot: str | None) -> str:
    with named(ctx, volume, stopped=snapshot is None):
        compared = ctx.transfers.compare(volume, size_bytes, snapshot, ctx.report, larger=may_be_larger(step))
    if not compared.equal:
        raise StepFailed(
            f"{step.title}: source and target differ ({compared.source[:16]} and {compared.target[:16]})",
            "do not go on; roll back or abort, then replicate again",
        )
    return compared.source
