"""From a committed wave to the runbook that brings it home: its own, with both sites exchanged.

    check ─▶ per group: compare and copy back what differs ─▶ deltas ─▶ checkpoint   = reverse protection
          ─▶ GATE go ─▶ stop at the target ─▶ final ─▶ verify ─▶ take off the fence ─▶ addresses
          ─▶ mark ─▶ start at the source ─▶ look again ─▶ GATE commit ─▶ fence at the target

``compose`` decides order and steps; here only what is another thing on the way home is exchanged: no disk
and no VM is made, for both are there, fenced. Guests get back the addresses that they had. Programs and human
steps of the cutover are left out. What comes back goes into a journal at the source, whose base is what its
disks hold: the only copy of what was committed, until the go of the failback. A disk of the target that no
snapshot holds, a physical RDM for one, is in no journal, so nothing of it comes before that go.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from migrate.run.compose import another_cycle, another_round, compose
from migrate.run.group_steps import aside
from migrate.run.history import History
from migrate.run.readdress_steps import brought_home
from migrate.run.runbook import COMMIT, GO, Runbook, Step
from migrate.sites.networking import GuestNic
from migrate.steps.larger import NAMED
from migrate.steps.untouched import COMMITTED
from planner.names import visible
from planner.plan import PlannedDisk, PlannedVM, Wave

_HERE, _THERE = " at the source", " at the target"
_SEED = ": seed"
_LEAST_HISTORY_H = 1.0
_LEFT_OUT = frozenset({"create-disk"})
_TITLES = {GO: "go for failback", COMMIT: "commit the failback, the point of no return"}


def exchanged(wave: Wave, before: Mapping[str, tuple[GuestNic, ...]] | None = None) -> Wave:
    """Return the wave as seen from its target: what every disk, NIC and address was is what it becomes.

    ``before`` is what the guests were set to at the source, by VM, where that is known.
    """
    return wave.model_copy(
        update={
            "vms": tuple(_vm(vm) for vm in wave.vms),
            "disks": tuple(_disk(disk) for disk in wave.disks),
            "rules": (),  # those of the source stand there still
            "conduct": brought_home(wave.conduct, before or {}),
            "policies": wave.policies.model_copy(
                update={"history_h": max(wave.policies.history_h, _LEAST_HISTORY_H)}
            ),
        }
    )


def fenced_names(forward: History) -> dict[str, str]:
    """Return the names under which a committed run left its sources, by VM."""
    return {
        step.subject: str(forward.results[step.id]["name"])
        for step in forward.runbook.steps
        if step.kind == "fence" and "name" in forward.results.get(step.id, {})
    }


def last_stood(forward: History) -> dict[str, str]:
    """Return from where writes to the sources' disks count, as their last pass found them, by volume."""
    found = {
        step.params["volume"]: forward.results[step.id].get("stood", {}).get("change", "")
        for step in forward.runbook.steps
        if step.kind == "transfer" and step.id in forward.results
    }
    return {volume: change for volume, change in found.items() if change}


def compose_failback(
    wave: Wave,
    fenced: Mapping[str, str],
    before: Mapping[str, tuple[GuestNic, ...]] | None = None,
    base: str = COMMITTED,
    stood: Mapping[str, str] | None = None,
    *,
    unfrozen: Collection[str] = (),
) -> Runbook:
    """Return the runbook of a failback; ``fenced`` are the names that the sources have now.

    ``before`` is what their guests were set to, by VM. ``base`` is what the sources' disks hold, ``stood``
    from where writes to them count, by volume. ``unfrozen`` is what the target cannot freeze.
    """
    out = compose(exchanged(wave, before), untouched=True, unfrozen=unfrozen).steps
    steps = tuple(_homeward(out, wave, fenced, {"base": base, "stood": dict(stood or {})}))
    return Runbook(wave.name, wave.fingerprint, steps)


def another_reverse_round(wave: Wave, number: int, unfrozen: Collection[str] = ()) -> tuple[Step, ...]:
    """Return the steps of one more reverse checkpoint of a wave that is protected at its source."""
    return tuple(_homeward(another_round(exchanged(wave), number, unfrozen, untouched=True), wave))


def another_reverse_cycle(wave: Wave, number: int, unfrozen: Collection[str] = ()) -> tuple[Step, ...]:
    """Return the steps of one more reverse round that proves nothing."""
    return tuple(_homeward(another_cycle(exchanged(wave), number, unfrozen), wave))


def _homeward(
    steps: Iterable[Step],
    wave: Wave,
    fenced: Mapping[str, str] | None = None,
    journal: Mapping[str, Any] | None = None,
) -> Iterator[Step]:
    """Yield the steps with those left out that are not needed; who needed them needs what they needed."""
    instead: dict[str, tuple[str, ...]] = {}
    fenced = fenced or {}
    for step in steps:
        needs = tuple(dict.fromkeys(one for need in step.needs for one in instead.get(need, (need,))))
        if step.kind in _LEFT_OUT or step.id.startswith("hook/"):
            instead[step.id] = needs
            continue
        if step.kind == "build":
            turned = _unfence(step, wave, fenced)
            instead[step.id] = (turned.id,)
        else:
            title = f"{visible(wave.name)}: {_TITLES[step.id]}" if step.id in _TITLES else _swap(step.title)
            turned = step._replace(
                title=title, params={**step.params, **_homeward_params(step, wave, fenced, journal or {})}
            )
        yield turned._replace(needs=needs)


def _unfence(step: Step, wave: Wave, fenced: Mapping[str, str]) -> Step:
    name = wave.vm(step.subject).name
    return step._replace(
        id=f"{step.id.removesuffix('/build')}/unfence",
        kind="unfence",
        title=f"{visible(name)}: take off the fence{_HERE}",
        params={
            "vm": step.subject,
            "name": name,
            "fenced": fenced.get(step.subject, name),
            **aside(wave),
        },
    )


def _homeward_params(
    step: Step, wave: Wave, fenced: Mapping[str, str], journal: Mapping[str, Any]
) -> dict[str, Any]:
    match step.kind:
        case "journal":
            return {"home": True, "creates": [], **journal}
        case "check":
            return {"home": dict(fenced), NAMED: dict(_called(wave))}
        case "transfer" | "checkpoint" | "stop" | "fold" | "promote" | "verify":
            return {"home": True}
        case "gate":  # the wave's window was for the way out
            return {"rule": {**step.params.get("rule", {}), "in_window": False}, "window": None}
    return {}


def _called(wave: Wave) -> Iterator[tuple[str, str]]:
    """Yield each volume with what people call it: its first VM and its label there."""
    for disk in wave.disks:
        holder = disk.attachments[0]
        yield disk.volume, f"{wave.vm(holder.vm).name} {holder.label}"


def _swap(title: str) -> str:
    """Exchange what stands at the end of a title; a name that says such a thing is never at the end."""
    if title.endswith(_SEED):
        return f"{title.removesuffix(_SEED)}: compare, and copy back what differs"
    for here, there in ((_HERE, _THERE), (_THERE, _HERE)):
        if title.endswith(here):
            return title.removesuffix(here) + there
    return title


def _vm(vm: PlannedVM) -> PlannedVM:
    nics = tuple(nic.model_copy(update={"source": nic.target, "target": nic.source}) for nic in vm.nics)
    return vm.model_copy(update={"nics": nics})


def _disk(disk: PlannedDisk) -> PlannedDisk:
    return disk.model_copy(
        update={
            "source": disk.target,
            "target": disk.source,
            "source_lun": disk.target_lun,
            "target_lun": disk.source_lun,
        }
    )
