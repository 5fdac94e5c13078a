"""What runs measured: the rates that estimates of the waves still to come rest on.

    step record ──bytes and times of steps that are done──▶ a reading of each run ──medians──▶ Measured

A run counts once its VMs have landed, or when it is over. A step whose outcome was asked for after a crash
has no time of its own, and a run that moved next to nothing says nothing about a line. Of a line that is
set otherwise since, the same part is taken. The same record and settings give the same figures.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median
from typing import TYPE_CHECKING

from migrate.run import store as runs
from migrate.run.ahead_steps import is_ahead
from migrate.run.history import Event, History
from migrate.run.runbook import Phase, Step
from migrate.run.store import RunKind
from planner.estimate import Measured, churn_bytes_day, goodput_bytes_s
from planner.names import visible
from planner.sending import as_decided
from planner.store import inventories, plans
from planner.store import settings as settings_store
from planner.volumes import volumes

if TYPE_CHECKING:
    from migrate.run.store import Run
    from planner.model import Inventory
    from planner.settings import Link
    from planner.store.project import Project

_LEAST_BYTES = 16 * 1024**2  # below it a rate is that of opening and closing
_LEAST_S = 3600.0  # what is written in less than an hour says nothing about a day
_DAY_S = 86400.0
_BEFORE_START = frozenset({"quiesce", "stop", "build", "readdress", "mark", "rules"})
_STARTING = frozenset({"start", "probe", "landed"})


@dataclass(slots=True)
class _Reading:
    """What one run says; None where it says nothing."""

    disks: int = 0
    link_bytes_s: float | None = None
    compare_bytes_s: float | None = None
    stop_min: float | None = None
    boot_batch_min: float | None = None
    pass_s: list[float] = field(default_factory=list)  # of last deltas, beside what their bytes took
    written: dict[str, float] = field(default_factory=dict)  # bytes a day by VM


def measured(project: Project, inventory: Inventory, fingerprint: str, link: Link) -> Measured | None:
    """Return what the runs of a project measured for a line, None when none of them can say anything.

    ``inventory`` is the newest one with its fingerprint; plans made on an older one are held against that.
    """
    held = {fingerprint: inventory}
    readings: list[_Reading] = []
    told: list[str] = []
    factors: list[float] = []
    written: dict[str, float] = {}
    for run in runs.every(project, RunKind.WAVE):
        history = runs.history(project, run)
        landed = "landed" in history.results
        if not landed and runs.outcome(history) is None:
            continue
        found = _read(history, _spans(project, run, history), landed)
        if not found.disks and found.stop_min is None:
            continue
        if found.link_bytes_s is not None:
            then = settings_store.in_force(project, run.at).link
            found.link_bytes_s *= goodput_bytes_s(link) / goodput_bytes_s(then)
        readings.append(found)
        told.append(f"{visible(run.wave)} of {run.at[:10]}")
        if found.written:
            written |= found.written
            expected = _expected(project, run, found.written, held)
            if expected > 0:
                factors.append(sum(found.written.values()) / expected)
    if not readings:
        return None
    return Measured(
        link_bytes_s=_median(item.link_bytes_s for item in readings),
        compare_bytes_s=_median(item.compare_bytes_s for item in readings),
        stop_min=_median(item.stop_min for item in readings),
        boot_batch_min=_median(item.boot_batch_min for item in readings),
        churn=_median(factors),
        pass_s=_median(beside for item in readings for beside in item.pass_s),
        churn_bytes_day=written,
        runs=tuple(told),
        disks=sum(item.disks for item in readings),
    )


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(median(known), 6) if known else None


def _spans(project: Project, run: Run, history: History) -> dict[str, tuple[float, float]]:
    """Return begin and end of each step that its own process saw end, in seconds of the epoch."""
    begun: dict[str, float] = {}
    spans: dict[str, tuple[float, float]] = {}
    for row in project.rows("SELECT step, kind, at FROM step_record WHERE run = ? ORDER BY seq", run.id):
        at_s = datetime.fromisoformat(row["at"]).timestamp()
        if row["kind"] == Event.INTENT:
            begun[row["step"]] = at_s
        elif row["kind"] == Event.DONE and row["step"] in begun:
            spans[row["step"]] = begun[row["step"]], max(at_s, begun[row["step"]])
    return {step: span for step, span in spans.items() if not history.results.get(step, {}).get("asked")}


def _busy_s(spans: Iterable[tuple[float, float]]) -> float:
    """Return how long at least one step was under way: what people waited in between is left out."""
    total, until = 0.0, float("-inf")
    for begin, end in sorted(spans):
        total += max(end - max(begin, until), 0.0)
        until = max(until, end)
    return total


def _read(history: History, spans: Mapping[str, tuple[float, float]], landed: bool) -> _Reading:
    found = _Reading()
    steps = history.runbook.steps
    _read_transfers(found, steps, history, spans)
    compared = [step for step in steps if step.kind == "verify" and step.id in spans]
    size_bytes = sum(step.params["size_bytes"] for step in compared)
    took_s = _busy_s(spans[step.id] for step in compared)
    if size_bytes >= _LEAST_BYTES and took_s > 0:
        found.compare_bytes_s = size_bytes / took_s
    if landed:
        found.stop_min = _minutes(_BEFORE_START, steps, spans)
        # VMs of one batch wait for the same probes, whatever group they are of.
        batches = len({step.needs[1:] for step in steps if step.kind == "start"})
        starting = _minutes(_STARTING, steps, spans)
        if batches and starting is not None:
            found.boot_batch_min = starting / batches
    found.written = _written(history, spans)
    return found


def _read_transfers(
    found: _Reading, steps: Iterable[Step], history: History, spans: Mapping[str, tuple[float, float]]
) -> None:
    sent_bytes, took_s = 0, 0.0
    last: list[tuple[int, float]] = []
    for step in steps:
        if step.kind != "transfer" or step.id not in spans:
            continue
        said = history.results[step.id]
        if said["mode"] == "seed" and not said.get("resumed_bytes"):
            found.disks += 1
            sent_bytes += said["data_bytes"]
            took_s += said["seconds"]
        elif said["mode"] == "delta" and step.id.endswith("/final"):
            last.append((said["data_bytes"], said["seconds"]))
    if sent_bytes >= _LEAST_BYTES and took_s > 0:
        rate = found.link_bytes_s = sent_bytes / took_s
        found.pass_s = [max(seconds - size / rate, 0.0) for size, seconds in last]


def _minutes(
    kinds: Collection[str], steps: Iterable[Step], spans: Mapping[str, tuple[float, float]]
) -> float | None:
    """Return how long the cutover's steps of these kinds took, None when one of them has no time."""
    mine = [step.id for step in steps if step.kind in kinds and step.phase is Phase.CUTOVER]
    if not mine or any(step not in spans for step in mine):
        return None
    return _busy_s(spans[step] for step in mine) / 60


def _written(history: History, spans: Mapping[str, tuple[float, float]]) -> dict[str, float]:
    """Return the bytes a day that running VMs wrote between their passes; a shared disk is its first VM's."""
    steps = history.runbook.steps
    ran = {step.params["vm"] for step in steps if step.kind == "stop" and step.params["was_on"]}
    last: dict[str, float] = {}  # by volume: the instant its newest pass stands for
    numbers: dict[str, int] = {}
    total: dict[str, tuple[float, float]] = {}
    holder: dict[str, str] = {}
    torn: set[str] = set()
    for step in steps:
        if step.kind != "transfer" or step.params["vms"][0] not in ran or is_ahead(step):
            continue
        vm, volume = step.params["vms"][0], step.params["volume"]
        holder[volume] = vm
        instant = spans.get(step.params["snapshot"] or step.id)
        said = history.results.get(step.id)
        if said is None:
            continue
        if instant is None or (volume in last and said["mode"] != "delta"):
            torn.add(vm)
            continue
        at_s = instant[1] if step.params["snapshot"] else instant[0]
        number = int(step.params["snapshot"].rpartition("/")[2]) if step.params["snapshot"] else None
        if volume in last and number in (None, numbers[volume] + 1):  # what is in between may be put away
            sent, over = total.get(volume, (0.0, 0.0))
            total[volume] = sent + said["data_bytes"], over + max(at_s - last[volume], 0.0)
        last[volume] = at_s
        if number is not None:
            numbers[volume] = number
    by_vm: dict[str, float] = {}
    for volume, (sent, over) in total.items():
        vm = holder[volume]
        if over < _LEAST_S:
            torn.add(vm)
        else:
            by_vm[vm] = by_vm.get(vm, 0.0) + sent / over * _DAY_S
    return {vm: round(size, 3) for vm, size in by_vm.items() if vm not in torn}


def _expected(project: Project, run: Run, vms: Collection[str], held: dict[str, Inventory]) -> float:
    """Return the bytes a day that were expected of these VMs, 0 when their inventory is gone."""
    fingerprint = plans.inventory_of(project, run.plan)
    if fingerprint not in held:
        summary = inventories.find_fingerprint(project, fingerprint)
        if summary is None:
            return 0.0
        held[fingerprint] = inventories.get(project, summary.id).inventory
    mine = [volume for volume in volumes(held[fingerprint]) if volume.attachments[0].vm.id in vms]
    return churn_bytes_day(as_decided(mine, settings_store.in_force(project, run.at)))
