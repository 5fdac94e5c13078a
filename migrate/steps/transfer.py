"""transfer: bring one replica up to date: seed, delta since the last change id, or a full pass.

When change tracking has no answer (another epoch, a physical RDM, a disk that was there before) both
sides' digests are compared instead, so nothing is ever skipped on trust. So it is with what was half done
when its snapshot was given up; a pass that was whole is what the next one stands on.
"""

from __future__ import annotations

from typing import Any

from migrate.claims import Standing
from migrate.replication.passes import Mode
from migrate.run.ahead_steps import AHEAD, is_ahead
from migrate.run.beside import rank_of
from migrate.run.runbook import Step, disk_of
from migrate.sites.ports import ChangeId, Consistency, Extent
from migrate.sites.ways import Rationed, RationedToWrite
from migrate.spans import tallied
from migrate.steps.foreign import held_by
from migrate.steps.history import cycles_of
from migrate.steps.kind import Context, Repeatable, Result
from migrate.steps.larger import may_be_larger, named
from migrate.steps.snapshots import frozen_as
from migrate.steps.standstill import stand
from migrate.steps.untouched import check_untouched
from migrate.transfers.ports import Copied, Wanted
from planner.errors import StepFailed
from planner.model import Power
from planner.names import content_id, visible
from planner.units import show_bytes


class Transfer(Repeatable):
    """One pass over one volume. Doing it again resumes from what the receiver holds."""

    def plan(self, step: Step) -> str:
        """Describe the pass."""
        what = {
            "seed": "copy all allocated blocks",
            "delta": "copy what changed",
            AHEAD: "copy what is there now, which proves nothing,",
        }
        return f"{what[step.params['mode']]} of a {show_bytes(step.params['size_bytes'])} disk"

    def held(self, ctx: Context, step: Step) -> Result | None:
        """Wait with the last delta, which reads the disk itself, until it has no snapshot of others."""
        return None if step.params["snapshot"] or is_ahead(step) else held_by(ctx, step)

    def takes(self, ctx: Context, step: Step) -> tuple[Standing, ...]:
        """Return what reading the disk takes at its site, and writing it where it goes."""
        volume, rank = step.params["volume"], rank_of(step)
        found: tuple[Standing, ...] = ()
        if isinstance(ctx.source, Rationed):
            taken = ctx.result(step.params["snapshot"]) if step.params["snapshot"] else {}
            found = ctx.source.takes(volume, frozen_as(taken, volume), rank)
        if isinstance(ctx.target, RationedToWrite):
            found += ctx.target.takes_to_write(volume, rank)
        return found

    def act(self, ctx: Context, step: Step, op: str) -> Result:
        """Copy; the result carries the change id from which the next delta counts."""
        volume = step.params["volume"]
        _must_be_free(ctx, step)
        if step.params["snapshot"]:
            check_untouched(ctx, step)
        stood = {} if step.params["snapshot"] or is_ahead(step) else stand(ctx, step)
        taken = ctx.need(step.params["snapshot"]) if step.params["snapshot"] else {}
        base = _last_change(ctx, step)
        change = taken.get("changes", {}).get(volume, "")
        mode, extents = _scope(ctx, step, base)
        if mode is Mode.COMPARE and step.params["mode"] == Mode.DELTA and ctx.histories is not None:
            ctx.histories.resynced(volume, "the changes at its source are not known")
        content = taken.get("id") or (AHEAD if is_ahead(step) else _stopped(stood))
        wanted = Wanted(
            volume,
            step.params["size_bytes"],
            mode,
            pass_id=f"{ctx.run}/{step.id}/{content}",
            base=base,
            change=change,
            snapshot=frozen_as(taken, volume),
            live=is_ahead(step),
            extents=extents,
            cycle=f"{cycles_of(ctx, step)}{taken.get('id') or (AHEAD if is_ahead(step) else 'final')}",
            consistency=Consistency(taken.get("label", Consistency.CRASH)),
            larger=may_be_larger(step),
        )
        with named(ctx, volume, stopped=bool(stood)):
            copied = ctx.transfers.copy(wanted, ctx.report)
        return {
            "mode": copied.mode.value,
            "data_bytes": copied.data_bytes,
            "wire_bytes": copied.wire_bytes,
            "deduped_bytes": copied.deduped_bytes,
            "seconds": round(copied.seconds, 3),
            "resumed_bytes": copied.resumed_bytes,
            "why": copied.why,
            **_spared(ctx, step, copied.data_bytes),
            "change_id": change,
            **_where(extents, copied, step.params["size_bytes"]),
            **({"stood": stood} if stood else {}),
        }


def _where(extents: tuple[Extent, ...] | None, copied: Copied, size_bytes: int) -> dict[str, Any]:
    """Return where the pass changed the disk: as its source told, else where lay what it brought."""
    if extents is not None and (copied.mode is Mode.DELTA or not copied.moved):
        told = tallied(extents, size_bytes)
        return {"changed": told.line(), "areas": told.areas, "longest_bytes": told.longest_bytes}
    if not copied.moved:
        return {}
    return {"moved": copied.moved, "areas": copied.areas, "longest_bytes": copied.longest_bytes}


def _must_be_free(ctx: Context, step: Step) -> None:
    """Raise StepFailed when a VM on the disk is at the target: its writes must not be copied over.

    On the way home the fenced VM is there; its disks are written as long as it is certainly off.
    """
    for vm in step.params.get("vms", ()):
        if (found := ctx.target.observe(vm)) is None:
            continue
        if step.params.get("home"):
            if found.power is not Power.OFF:
                raise StepFailed(
                    f"{step.title}: {visible(found.name)} is not off at site {ctx.target.name}, "
                    "where its disks are to be written",
                    "it moved away and is fenced: shut it down there, then run the verb again",
                )
        else:
            raise StepFailed(
                f"{step.title}: {visible(found.name)} is at site {ctx.target.name} already",
                "look whether another run moved it, then go back",
            )


def _stopped(stood: dict[str, Any]) -> str:
    """Return a name for what stopped VMs left: another one when one of them ran meanwhile."""
    powers = (f"{vm}\0{op}" for vm, op in sorted(stood["powers"].items()))
    return f"stopped-{content_id(*powers)}"


def _spared(ctx: Context, step: Step, sent_bytes: int) -> dict[str, int]:
    """Return what of a seed that was brought in did not travel, for the pass that comes first."""
    placed = ctx.result(f"{disk_of(step.id)}/place").get("data_bytes")
    if step.params["mode"] != Mode.SEED or placed is None:
        return {}
    return {"seeded_bytes": placed, "spared_bytes": max(placed - sent_bytes, 0)}


def _scope(ctx: Context, step: Step, base: str) -> tuple[Mode, tuple[Extent, ...] | None]:
    """Return how much must be looked at, and the changed areas where they are known."""
    is_again = step.id in ctx.history.cut_short  # from a later snapshot, over what it left
    if is_ahead(step) or (step.params["mode"] == Mode.SEED and not is_again):
        placed = ctx.result(f"{disk_of(step.id)}/place")
        fresh = ctx.result(f"{disk_of(step.id)}/create").get("created") and not placed
        fresh = fresh and not _came_ahead(ctx, step)
        return (Mode.SEED if fresh else Mode.COMPARE), None
    if not base:
        return Mode.COMPARE, None
    areas = ctx.source.changed_areas(step.params["volume"], ChangeId.parse(base))
    return (Mode.COMPARE, None) if areas is None else (Mode.DELTA, areas)


def _came_ahead(ctx: Context, step: Step) -> bool:
    """Return whether another pass over the disk was begun while it was written to."""
    disk, attempts = disk_of(step.id), ctx.history.attempts
    begins = f"{disk}/{AHEAD}"
    of_disk = ctx.history.runbook.of_disks[disk]
    return any(one.startswith(begins) and one != step.id and one in attempts for one in of_disk)


def _last_change(ctx: Context, step: Step) -> str:
    """Return the change id of the newest finished pass over the disk, empty when there is none."""
    disk, results = disk_of(step.id), ctx.history.results
    deltas = f"{disk}/delta/"  # not one after the other: those of old cycles are put away
    of_disk = ctx.history.runbook.of_disks[disk]
    numbers = (int(one.removeprefix(deltas)) for one in of_disk if one.startswith(deltas) and one in results)
    newest = max(numbers, default=0)
    return str(ctx.result(f"{deltas}{newest}" if newest else f"{disk}/seed").get("change_id", ""))
