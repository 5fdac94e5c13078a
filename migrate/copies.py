"""How fresh the copies of one wave are, VM by VM: which disks, what changed, how often was it tried.

All of it is read from the record of a run; what moves at this moment is told elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from migrate.disk_maps import DiskPass, where_of
from migrate.members import GroupState, Member, members_of
from migrate.run import cycles
from migrate.run.history import History
from migrate.run.runbook import Step, part_of

if TYPE_CHECKING:
    from migrate.run.store import Run
    from planner.plan import Wave
    from planner.store.project import Project

_PASSES = ("transfer", "verify", "place-seed")


@dataclass(frozen=True, slots=True)
class Copy:
    """The copy of one VM. ``volumes`` are its disks, with those it shares, ``labels`` what they are called.

    ``doing`` is the pass or comparison under way, as its step is called, empty for none. ``changed_bytes`` is
    what the newest whole round found changed, None before the first. ``tries`` counts tries in vain.
    ``newest`` is the last pass over each disk of which is known where it changed it, None for none.
    """

    member: Member
    volumes: tuple[str, ...]
    labels: tuple[str, ...]
    size_bytes: int
    doing: str = ""
    changed_bytes: int | None = None
    tries: int = 0
    newest: tuple[DiskPass | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Copies:
    """The copies of a wave. ``copied_at`` is the instant of each group's newest whole copy, by group;
    ``histories`` is how far its checkpoints reach back, as its last round found it.

    Bytes are those of all passes in the record: read at the source, sent, and left out because the target
    held them.
    """

    groups: tuple[GroupState, ...]
    vms: tuple[Copy, ...]
    copied_at: Mapping[str, str]
    histories: Mapping[str, Mapping[str, Any]]
    data_bytes: int
    wire_bytes: int
    deduped_bytes: int


def copies(
    project: Project,
    wave: Wave,
    run: Run,
    history: History,
    times: Mapping[tuple[int, str], str],
    *,
    home: bool,
) -> Copies:
    """Return how the copies of a wave stand in a run; ``times`` is ``cycles.times_of``."""
    groups, members = members_of(project, wave, run, history, home=home)
    sizes = {disk.volume: disk.size_bytes for disk in wave.disks}
    disks: dict[str, dict[str, str]] = {}
    for disk in wave.disks:
        for held in disk.attachments:
            disks.setdefault(held.vm, {}).setdefault(disk.volume, held.label)
    steps = _steps(history)
    known = cycles.copied_by_group(run, history, times)
    done = [history.results[step.id] for of in steps.values() for step in of if step.id in history.results]
    return Copies(
        groups,
        tuple(_copy(member, disks.get(member.vm, {}), sizes, steps, history) for member in members),
        {group.name: known.get(f"g{number}", "") for number, group in enumerate(wave.groups)},
        _histories(wave, history),
        *(sum(int(one.get(f"{what}_bytes", 0)) for one in done) for what in ("data", "wire", "deduped")),
    )


def _steps(history: History) -> dict[str, list[Step]]:
    """Return the passes over each volume, and what compares it, in order."""
    found: dict[str, list[Step]] = {}
    for step in history.runbook.steps:
        if step.kind in _PASSES and "volume" in step.params:
            found.setdefault(step.params["volume"], []).append(step)
    return found


def _histories(wave: Wave, history: History) -> dict[str, Mapping[str, Any]]:
    """Return what the newest checkpoint of each group said of its history, by group; none before it."""
    newest: dict[str, Mapping[str, Any]] = {}
    for step in history.runbook.steps:  # in order: later rounds replace earlier ones
        if step.kind == "checkpoint" and (found := history.results.get(step.id, {}).get("history")):
            newest[part_of(step.id)] = found
    return {
        group.name: newest[f"g{number}"] for number, group in enumerate(wave.groups) if f"g{number}" in newest
    }


def _copy(
    member: Member,
    disks: Mapping[str, str],
    sizes: Mapping[str, int],
    steps: Mapping[str, list[Step]],
    history: History,
) -> Copy:
    volumes = tuple(disks)
    mine = [step for volume in volumes for step in steps.get(volume, ())]
    doing = next((step for step in mine if step.id in history.unsettled), None)
    return Copy(
        member,
        volumes,
        tuple(disks.values()),
        sum(sizes.get(volume, 0) for volume in volumes),
        doing.title.rpartition(": ")[2] if doing else "",
        _changed(volumes, steps, history),
        sum(_vain(history, step) for step in mine if step.id in history.unsettled),
        tuple(_newest(steps.get(volume, ()), history) for volume in volumes),
    )


def _newest(steps: Sequence[Step], history: History) -> DiskPass | None:
    """Return the last pass of these that knows where it changed its disk."""
    for step in reversed(steps):
        told = history.results.get(step.id)
        if step.kind == "transfer" and told is not None and (found := where_of(told)).where:
            return replace(found, step=step.id)
    return None


def _vain(history: History, step: Step) -> int:
    return history.attempts.get(step.id, 1) - (step.id not in history.failures)


def _changed(volumes: tuple[str, ...], steps: Mapping[str, list[Step]], history: History) -> int | None:
    """Return the bytes of the newest whole delta of all these volumes together, None before the first."""
    found = [
        next(
            (
                int(history.results[step.id].get("data_bytes", 0))
                for step in reversed(steps.get(volume, ()))
                if "/delta/" in step.id and step.id in history.results
            ),
            None,
        )
        for volume in volumes
    ]
    known = [one for one in found if one is not None]
    return sum(known) if known else None
