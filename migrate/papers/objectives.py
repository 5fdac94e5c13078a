"""Planned and achieved RTO and RPO, by VM, group and wave. What is not known is said, never guessed."""

from __future__ import annotations

from collections.abc import Sequence

from migrate.papers.moments import Moments, between
from migrate.run.history import Event, Status
from migrate.run.runbook import Step
from migrate.run.store import RunKind
from planner.plan import PlannedDisk, PlannedVM, Spread
from planner.run_report import Figures

_LOST = "the record was rebuilt, the evidence is lost"
_NOT_YET = "under way"
_OFF = "it was off and stays off: it has no outage"

Known = tuple[float | None, str]  # seconds, or None and why


def figures(told: Moments) -> tuple[Figures, tuple[Figures, ...], tuple[Figures, ...]]:
    """Return the figures of the wave, of its groups and of its VMs."""
    by_vm = {vm.id: _of_vm(told, vm) for vm in told.wave.vms}
    groups = tuple(
        _worst(told, group.name, group.name, [by_vm[vm] for vm in group.vms if vm in by_vm])
        for group in told.wave.groups
    )
    planned = None if told.run.kind is RunKind.FAILBACK else told.wave.estimate.downtime_min
    whole = _worst(told, told.wave.name, told.wave.name, list(by_vm.values()), planned)
    return whole, groups, tuple(by_vm.values())


def _planned(told: Moments, what: str) -> Spread | None:
    """Return the minutes down that the plan gives a VM or a group alone."""
    if told.run.kind is RunKind.FAILBACK:
        return None  # the plan's figures are of the way out
    return next((take.downtime_min for take in told.wave.takes if take.what == what), None)


def _plan_words(told: Moments, planned: Spread | None) -> tuple[float | None, float | None, str]:
    if planned is not None:
        return round(planned.p50 * 60, 1), round(planned.p95 * 60, 1), f"plan {told.run.plan}"
    if told.run.kind is RunKind.FAILBACK:
        return None, None, "not planned: the plan's figures are of the way out"
    return None, None, "not known: the plan says it of the wave only"


def _of_vm(told: Moments, vm: PlannedVM) -> Figures:
    stops, starts = told.of("stop", vm.id), told.of("start", vm.id)
    stop = told.begun(stops)
    return _figures(
        told,
        (vm.id, vm.name),
        _planned(told, vm.id),
        _rto(told, vm, stops, starts),
        _rpo(told, vm, stop),
        _cutover(told, vm, stops),
        _back(told, stops, stop),
    )


def _figures(
    told: Moments,
    of: tuple[str, str],
    planned: Spread | None,
    rto: Known,
    rpo: Known,
    cutover: Known,
    back_s: float | None,
) -> Figures:
    p50_s, p95_s, by = _plan_words(told, planned)
    return Figures(
        id=of[0],
        name=of[1],
        rto_s=rto[0],
        rto_why=rto[1],
        rto_planned_p50_s=p50_s,
        rto_planned_p95_s=p95_s,
        rto_planned_by=by,
        rpo_s=rpo[0],
        rpo_why=rpo[1],
        rpo_target_s=_rpo_target(told),
        cutover_rpo_s=cutover[0],
        cutover_rpo_why=cutover[1],
        back_s=back_s,
    )


def _rpo_target(told: Moments) -> float | None:
    minutes = told.wave.policies.rpo_min
    return minutes * 60 if minutes > 0 and told.run.kind is RunKind.WAVE else None


def _rto(told: Moments, vm: PlannedVM, stops: Sequence[Step], starts: Sequence[Step]) -> Known:
    if not vm.powered_on or not starts:
        return None, _OFF
    probes = [step for step in told.of("probe", vm.id) if not step.optional]
    if told.is_recovered([*stops, *starts, *probes]):
        return None, f"not known: {_LOST}"
    if not (stop := told.begun(stops)):
        return None, "not stopped in this run yet"
    if any(told.result(step.id).get("ran") is False for step in stops):
        return None, "not known: it was off already when it was to be stopped"
    if any(told.history.status[step.id] is Status.SKIPPED for step in (*starts, *probes)):
        return None, "not known: a probe that counts was passed over"
    if not probes:
        return None, "not known: none of its probes counts"
    if not (well := told.done(probes)):
        return None, "not well at the other site" if told.history.back else _NOT_YET
    return between(stop, well), ""


def _back(told: Moments, stops: Sequence[Step], stop: str) -> float | None:
    """Return how long a VM was down until the way back had it running where it was."""
    ran = [step for step in stops if told.history.undone.get(step.id, {}).get("started")]
    if not ran or told.is_recovered(stops):
        return None
    return between(stop, max(told.last(step.id, Event.UNDONE) for step in ran))


def disks_of(told: Moments, vm: str) -> list[PlannedDisk]:
    """Return the disks that a VM holds, shared ones too."""
    return [disk for disk in told.wave.disks if any(item.vm == vm for item in disk.attachments)]


def last_copy(told: Moments, vm: str, stop: str) -> str:
    """Return the instant of the newest whole copy of a VM's group that ended before ``stop``, or empty."""
    part = next((f"g{at}" for at, group in enumerate(told.wave.groups) if vm in group.vms), "")
    before = [one.instant for one in told.cycles if one.part == part and one.instant]
    return max((at for at in before if at <= stop), default="")


def _rpo(told: Moments, vm: PlannedVM, stop: str) -> Known:
    if not stop:
        return None, "not stopped in this run yet"
    if told.is_recovered(told.of("stop", vm.id)):
        return None, f"not known: {_LOST}"
    raw = [disk for disk in disks_of(told, vm.id) if not disk.left_out and _is_unfrozen(told, disk)]
    if raw:
        label = raw[0].attachments[0].label
        return None, f"no whole copy before the stop: {label} is of one moment only after it"
    if not (copy := last_copy(told, vm.id, stop)):
        return None, "not known: the record has no whole copy before the stop"
    return between(copy, stop), f"the newest whole copy before the stop is of {copy}"


def _is_unfrozen(told: Moments, disk: PlannedDisk) -> bool:
    """Return whether no snapshot of the run holds a disk: then its last pass is a whole one."""
    passes = told.of("transfer", disk.volume)
    return any(step.id.endswith("/final") and step.params["mode"] != "delta" for step in passes)


def _cutover(told: Moments, vm: PlannedVM, stops: Sequence[Step]) -> Known:
    """Return 0 when the last copy is of the stopped VM and every byte was compared; else None and why."""
    disks = disks_of(told, vm.id)
    settled = [disk for disk in disks if not disk.left_out]
    volumes = [disk.volume for disk in settled]
    finals = [step for one in volumes for step in told.of("transfer", one) if step.id.endswith("/final")]
    proofs = [step for one in volumes for step in told.of("verify", one)]
    if told.is_recovered([*stops, *finals, *proofs]):
        return None, f"not known: {_LOST}"
    late = any(told.result(step.id).get("written_late") for step in told.of("fence", vm.id))
    if late:
        return None, "not 0: it was written after its last copy, and that is at the old site only"
    left = f"; {len(disks) - len(settled)} left out by decision" if len(settled) < len(disks) else ""
    if not settled:
        return None, f"no disk of it is compared{left}"
    stopped = told.done(stops)
    if not stopped or not told.done(proofs) or not told.done(finals):
        return None, "not proven: the run went back before" if told.history.back else _NOT_YET
    if told.begun(finals) < stopped:
        return None, "not known: the last copy began before the stop had ended"
    results = [told.result(step.id) for step in proofs]
    if not all(one.get("source") and one["source"] == one.get("target") for one in results):
        return None, "not proven: a disk was not compared"
    return 0.0, f"copied after the stop, {len(settled)} disks with equal digests{left}"


def _worst(
    told: Moments, what: str, name: str, vms: Sequence[Figures], planned: Spread | None = None
) -> Figures:
    """Return the figures of several VMs: the worst; unknown as soon as one is not known."""
    down = [one for one in vms if one.rto_why != _OFF]
    zero_s, why = _largest([(one.name, one.cutover_rpo_s, one.cutover_rpo_why) for one in vms])
    return _figures(
        told,
        (what, name),
        planned or _planned(told, what),
        _largest([(one.name, one.rto_s, one.rto_why) for one in down]),
        _largest([(one.name, one.rpo_s, one.rpo_why) for one in vms]),
        (zero_s, "all of it is proven" if zero_s == 0 else why),
        max((one.back_s for one in vms if one.back_s is not None), default=None),
    )


def _largest(found: Sequence[tuple[str, float | None, str]]) -> Known:
    if not found:
        return None, "none of its VMs has one"
    for name, value, why in found:
        if value is None:
            return None, f"{name}: {why}"
    worst = max(found, key=lambda one: one[1] or 0.0)
    return worst[1], f"the worst is that of {worst[0]}"
