"""Where the disks of a VM changed, round by round, as the record of its wave's run has it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from migrate.run.cycles import away_of
from migrate.run.runbook import part_of
from planner.errors import BadInput, NotFound
from planner.names import visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from migrate.run.cycles import Cycle
    from migrate.run.history import History
    from migrate.run.runbook import Step
    from planner.store.project import Project


@dataclass(frozen=True, slots=True)
class DiskPass:
    """One pass over a disk, in bytes: read at the source, and sent.

    ``changed`` is a line of ``migrate.spans``: what the source said had changed. ``moved`` is such a line of
    a first copy or a comparison, to whom nobody tells: where lay what it brought; ``earlier_bytes`` were
    brought by tries before, and where is not kept. Both are empty where nobody knows. They are ``areas``
    runs, the longest of ``longest_bytes``.
    """

    step: str
    mode: str
    data_bytes: int
    wire_bytes: int
    changed: str
    moved: str = ""
    areas: int = 0
    longest_bytes: int = 0
    earlier_bytes: int = 0

    @property
    def where(self) -> str:
        """The line there is."""
        return self.changed or self.moved


def where_of(told: Mapping[str, Any]) -> DiskPass:
    """Return a pass from what its step left, without the step's own id."""
    return DiskPass(
        "",
        str(told.get("mode", "")),
        int(told.get("data_bytes", 0)),
        int(told.get("wire_bytes", 0)),
        str(told.get("changed", "")),
        str(told.get("moved", "")),
        int(told.get("areas", 0)),
        int(told.get("longest_bytes", 0)),
        int(told.get("resumed_bytes", 0)),
    )


@dataclass(frozen=True, slots=True)
class Away:
    """Rounds that were put away: how many, when the first and the last snapshot was taken, ISO 8601 in UTC.

    Bytes are those of the disk's whole group: more is not kept. They lie before pass ``before`` of the disk.
    """

    rounds: int
    since: str
    until: str
    data_bytes: int
    wire_bytes: int
    before: int


@dataclass(frozen=True, slots=True)
class DiskMap:
    """A disk of a VM, and the passes over it that are on record, oldest first; ``away`` is what is not."""

    volume: str
    label: str
    size_bytes: int
    passes: tuple[DiskPass, ...]
    away: Away | None = None

    @property
    def often(self) -> str:
        """In how many of the rounds that are known each span changed, in ninths; empty for none.

        What came after the first pass counts, comparisons too: they find what was written meanwhile.
        """
        lines = [one.where for at, one in enumerate(self.passes) if one.changed or (at and one.moved)]
        counts = [sum(digit > "0" for digit in digits) for digits in zip(*lines, strict=True)]
        return "".join(str(-(-9 * count // len(lines))) for count in counts)


def disk_maps(project: Project, wave: str, vm: str) -> tuple[DiskMap, ...]:
    """Return a VM's disks as its wave's newest run copied them; raises NotFound, BadInput."""
    from migrate.run.waves import find_wave

    standing = find_wave(project, wave)
    wave = standing.wave.name
    called = [one for one in standing.wave.vms if one.name.casefold() == vm.casefold()]
    found = next((one for one in standing.wave.vms if one.id == vm), called[0] if called else None)
    if found is None:
        raise NotFound(
            f"no VM {visible(vm, 80)} moves in {visible(wave, 40)}",
            f"see which do: wherry status {visible(wave, 40)}",
        )
    if found.id != vm and len(called) > 1:
        raise BadInput(
            f"{len(called)} VMs of {visible(wave, 40)} are called {visible(vm, 80)}",
            f"give the id of the one that is meant: {', '.join(one.id for one in called)}",
        )
    run, history = standing.run, standing.history
    away = away_of(project, run) if run is not None else []
    return tuple(
        DiskMap(
            disk.volume,
            held.label,
            disk.size_bytes,
            _passes(history, disk.volume),
            _away(history, disk.volume, away),
        )
        for disk in standing.wave.disks
        for held in disk.attachments
        if held.vm == found.id
    )


def _done(history: History | None, volume: str) -> list[Step]:
    if history is None:
        return []
    return [
        step
        for step in history.runbook.steps
        if step.kind == "transfer" and step.params["volume"] == volume and step.id in history.results
    ]


def _away(history: History | None, volume: str, away: Sequence[Cycle]) -> Away | None:
    """Return what was put away of the rounds of a disk's group; rounds of the plan itself stay on record."""
    done = _done(history, volume)
    parts = {part_of(step.id) for step in done}
    mine = [one for one in away if one.part in parts]
    if history is None or not mine:
        return None
    return Away(
        len(mine),
        min(one.instant for one in mine),
        max(one.instant for one in mine),
        sum(one.data_bytes for one in mine),
        sum(one.wire_bytes for one in mine),
        next((at for at, step in enumerate(done) if step.id in history.added), len(done)),
    )


def _passes(history: History | None, volume: str) -> tuple[DiskPass, ...]:
    if history is None:
        return ()
    return tuple(replace(where_of(history.results[step.id]), step=step.id) for step in _done(history, volume))
