"""A dry rehearsal: both real sites are asked, nothing is changed, and every call of the run is predicted.

    findings   what is in the way: sites, names, networks, space, disks, keys, receiver, approval, other runs
    calls      what the run would ask for, in order, from the same steps on the sites as they would be
    ways       by which each disk would be reached, and why

A wave that has begun is predicted from its first step all the same: what is done already is in its report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from migrate.clock import SimulatedClock
from migrate.rehearsals.addresses import Addresses, look
from migrate.rehearsals.addresses import findings as conflicts
from migrate.rehearsals.calls import Call, Recorded, RecordedTransfers
from migrate.rehearsals.finding import Finding
from migrate.rehearsals.predicted import PredictedSite
from migrate.rehearsals.ways import DiskWay, parted, ways_to_disks
from migrate.run.actions import Decide, Do, Finish, Skip, Wait, next_actions
from migrate.run.compose import compose
from migrate.run.history import Entry, Event, History
from migrate.run.runbook import Runbook
from migrate.sites.ports import Capability
from migrate.sites.rules import RuleHosts
from migrate.steps.check import SOURCE_NEEDS, TARGET_NEEDS
from migrate.steps.kind import Context
from migrate.steps.kinds import KINDS
from migrate.steps.landing import new_vm
from migrate.steps.rules import new_rule
from migrate.transfers.modelled import ModelledTransfers
from planner.errors import Blocked, SiteRefused, WherryError
from planner.freezing import unfrozen_at
from planner.model import Power
from planner.names import visible
from planner.units import show_bytes, show_count

if TYPE_CHECKING:
    from pathlib import Path

    from migrate.run.waves import Standing
    from migrate.sites.ports import FullSite
    from migrate.sites.reached import Reached
    from migrate.transfers.ports import Moving, Written
    from planner.plan import Wave
    from planner.store.project import Project

_MANY_SNAPSHOTS = 20  # of a VM: at a vCenter no more than 28 are taken, see docs/change-tracking.md


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a dry rehearsal says. ``sites`` are the identities of those that answered, by role.

    ``ways`` are those to the disks, at sites to which several lead.
    ``stopped_at`` is the step at which the prediction ends, empty when it came to the run's end.
    ``addresses`` is which of those that the wave gets are in use at the target.
    """

    wave: str
    fingerprint: str
    sites: dict[str, str]
    findings: tuple[Finding, ...]
    calls: tuple[Call, ...]
    stopped_at: str = ""
    ways: tuple[DiskWay, ...] = ()
    addresses: Addresses | None = None


def rehearse_dry(project: Project, standing: Standing, now: datetime | None = None) -> DryRun:
    """Ask both sites and the receiver, and predict a wave's run; raises nothing that a finding can say."""
    from migrate.rehearsals.at_receiver import at_the_receiver
    from migrate.run import store as runs
    from planner.store import settings

    wave = standing.wave
    sites: dict[str, Reached] = {}
    findings = [*_allowed(project, standing), *_keys(project.root, now or datetime.now(UTC))]
    calls: tuple[Call, ...] = ()
    ways: tuple[DiskWay, ...] = ()
    stopped = ""
    try:
        for role in ("source", "target"):
            if (site := _open(project, role, findings)) is not None:
                sites[role] = site
        identities = {role: site.identity for role, site in sites.items()}
        if len(sites) == 2:
            source, target = sites["source"], sites["target"]
            known = len(findings)
            begun = standing.run is not None
            runbook = compose(wave, unfrozen=unfrozen_at(settings.load(project), "source", wave))
            if not begun:
                findings += at_the_sites(wave, source, target)
            ways, unreached = parted(ways_to_disks(wave, source, target))
            findings += unreached
            if not runs.is_held(project, wave.name):  # else what is there is its own
                findings += at_the_receiver(project, wave, runbook, source, target)
            calls, stopped, failure = predict(wave, runbook, source, target)
            if failure is not None and len(findings) == known and not begun:
                findings.append(failure)
        held = look(project, wave, sites.get("target"))
        findings += conflicts(held)
    finally:
        for site in sites.values():
            site.close()
    return DryRun(wave.name, wave.fingerprint, identities, tuple(findings), calls, stopped, ways, held)


def _open(project: Project, role: str, findings: list[Finding]) -> Reached | None:
    from migrate.sites.opening import open_site
    from planner.store import settings

    try:
        return open_site(settings.load(project), role, project.root)
    except WherryError as error:
        findings.append(Finding(f"{role} site", error.message, error.hint))
        return None


def _allowed(project: Project, standing: Standing) -> Iterator[Finding]:
    """Yield what in the project itself is in the way."""
    from migrate.run import store as runs
    from migrate.run.waves import check_alone, check_remedied
    from planner.store import approvals

    wave = standing.wave
    shown = visible(wave.name)
    if wave.name not in approvals.valid(project, standing.stored.plan):
        hint = f"review it, then run 'wherry plan approve {shown}'"
        yield Finding("approval", f"{shown} is not approved as it stands in the plan", hint)
    checks: tuple[Callable[[Project, Wave], None], ...] = (check_alone, check_remedied)
    for check in checks:
        try:
            check(project, wave)
        except Blocked as error:
            yield Finding("other runs", error.message, error.hint)
    if runs.is_held(project, wave.name):
        yield Finding("lease", f"another process drives {shown} now", "wait until it is done")


def _keys(root: Path, now: datetime) -> Iterator[Finding]:
    """Yield keys that have ended, or soon do; a project without keys sends over no network."""
    from migrate.keys.bundle import read_bundle
    from migrate.keys.ending import warning

    for path in sorted((root / "keys").glob("*.bundle")):
        try:
            said = warning(read_bundle(path, now), now)
        except WherryError as error:
            yield Finding("keys", error.message, error.hint)
        else:
            if said:
                yield Finding("keys", said, "issue new keys, and bring them to the site, before the night")


def at_the_sites(wave: Wave, source: Reached, target: Reached) -> Iterator[Finding]:
    """Yield everything at the sites that is not as planned, and not only the first of it."""
    try:
        sets = any(nic.live and not nic.by_hand for nic in wave.conduct.nics)
        there = TARGET_NEEDS | ({Capability.CUSTOMISE} if sets else set())
        for site, needs in ((source, SOURCE_NEEDS), (target, there)):
            if missing := needs - site.capabilities:
                said = f"site {site.name} cannot do {', '.join(sorted(missing))}"
                yield Finding("privileges", said, "give the account the privileges, or choose another site")
        if source.identity == target.identity:
            said = f"sites {visible(source.name)} and {visible(target.name)} are one and the same"
            yield Finding("sites", said, "name two: a VM is found by the vCenter that it is at")
        yield from _networks(wave, target)
        yield from _machines(wave, source, target)
        yield from _snapshots(wave, source)
        yield from _datastores(wave, target)
        yield from _space(wave, target)
        yield from _privileges(wave, source, target)
        yield from _rules(wave, target)
    except WherryError as error:
        yield Finding("site", error.message, error.hint)


def _privileges(wave: Wave, source: Reached, target: Reached) -> Iterator[Finding]:
    """Yield what the accounts may not do; a site that has no roles lacks none."""
    builds = (new_vm(step) for step in compose(wave).steps if step.kind == "build")
    hint = "give it the role of docs/vsphere.md there, with all that lies below"
    try:
        for site, said in (
            (source, source.lacking(leaving=(vm.id for vm in wave.vms))),
            (target, target.lacking(arriving=builds, rules=bool(wave.rules))),
        ):
            for sentence in said:
                yield Finding("privileges", f"at site {site.name} {sentence}", hint)
    except SiteRefused as error:  # where nothing can land nobody can say what is lacking there
        yield Finding("places", error.message, error.hint)


def _rules(wave: Wave, target: Reached) -> Iterator[Finding]:
    """Yield the groups of hosts that rules of a wave will miss: without one its rule is not built."""
    steps = compose(wave).steps
    rules = [new_rule(said) for step in steps if step.kind == "rules" for said in step.params["rules"]]
    if not rules or not isinstance(target, RuleHosts):
        return
    hint = "make the group there, or go without the rule: the cutover does not wait for it"
    try:
        for said in target.hosts_missing(rules, [new_vm(step) for step in steps if step.kind == "build"]):
            yield Finding("rules", f"at site {target.name} {said}", hint)
    except SiteRefused:  # the privileges have told that place
        return


def _networks(wave: Wave, target: FullSite) -> Iterator[Finding]:
    known = target.networks()
    for network in sorted({nic.target for vm in wave.vms for nic in vm.nics} - (known or frozenset())):
        if known is not None:
            yield Finding(
                "networks",
                f"network {visible(network)} does not exist at site {target.name}",
                "make it there, or correct [networks] in the settings and plan anew",
            )


def _machines(wave: Wave, source: FullSite, target: Reached) -> Iterator[Finding]:
    anew = "discover again, plan anew and approve the wave"
    there = set(target.names().values())
    sizes = {(held.vm, disk.volume): disk.size_bytes for disk in wave.disks for held in disk.attachments}
    for vm in wave.vms:
        shown, found = visible(vm.name), source.observe(vm.id)
        if target.observe(vm.id) is not None:
            said = f"{shown} is at site {target.name} already"
            yield Finding("identities", said, "remove it there, or leave it out of the wave")
        elif vm.name in there:
            said = f"a VM called {shown} is at site {target.name} already"
            yield Finding("names", said, "rename it there, for two of one name are mixed up in the night")
        if found is None:
            yield Finding("identities", f"{shown} is not at site {source.name}", anew)
            continue
        if (found.power is Power.ON) != vm.powered_on:
            was = "running" if vm.powered_on else "off"
            said = f"{shown} is not {was} at site {source.name}, the plan knows it as {was}"
            yield Finding("identities", said, anew)
        planned = {volume: size for (holder, volume), size in sizes.items() if holder == vm.id}
        if {disk.volume: disk.size_bytes for disk in found.disks} != planned:
            yield Finding(
                "disks", f"the disks of {shown} at site {source.name} are not those of the plan", anew
            )
        if (count := len(source.snapshots_of(vm.id))) >= _MANY_SNAPSHOTS:
            said = f"{shown} has {count} snapshots at site {source.name}, and a cycle takes another one"
            yield Finding("snapshots", said, "remove those that nobody needs before there are too many")


def _snapshots(wave: Wave, source: FullSite) -> Iterator[Finding]:
    for vm in wave.vms:
        if found := source.snapshots_of(vm.id):
            names = ", ".join(visible(item.name, 60) for item in found)
            yield Finding(
                "snapshots",
                f"{visible(vm.name)} has {show_count(len(found), 'snapshot')} of somebody else: {names}",
                "the wave waits until it is gone: remove it, or have it overlooked once the wave has begun",
            )


def _datastores(wave: Wave, target: Reached) -> Iterator[Finding]:
    """Yield datastores of the plan that are not there, or too full, where disks have to be put on one."""
    if (free := target.datastores()) is None:
        return
    needs: dict[str, int] = {}
    for disk in wave.disks:
        if target.volume(disk.volume) is None:
            wanted = 0 if disk.target.is_rdm else disk.size_bytes
            needs[disk.datastore] = needs.get(disk.datastore, 0) + wanted
    hint = "map them in [datastores] of the settings, plan anew and approve the wave"
    if needs.pop("", None) is not None:
        yield Finding("datastores", f"nobody said where disks of {visible(wave.name)} land", hint)
    for name, wanted in sorted(needs.items()):
        if name not in free:
            said = f"datastore {visible(name)} does not exist at site {target.name}"
            yield Finding("datastores", said, hint)
        elif wanted > free[name]:
            said = f"datastore {visible(name)} has {show_bytes(free[name])} free, the wave needs "
            yield Finding("space", f"{said}{show_bytes(wanted)}", "free space there, or map another one")


def _space(wave: Wave, target: FullSite) -> Iterator[Finding]:
    wanted = sum(
        disk.size_bytes
        for disk in wave.disks
        if not disk.target.is_rdm and target.volume(disk.volume) is None
    )
    if wanted > (free := target.free_bytes()):
        yield Finding(
            "space",
            f"site {target.name} has {show_bytes(free)} free, the wave needs {show_bytes(wanted)}",
            "free space there, or plan smaller waves",
        )


@dataclass(slots=True)
class _KeepsNothing:
    def keep(
        self, name: str, wave: str, volumes: Sequence[Written], report: Callable[[Moving], None]
    ) -> dict[str, Any]:
        raise AssertionError("a run that only goes forward keeps nothing")


def predict(
    wave: Wave, runbook: Runbook, source: FullSite, target: FullSite
) -> tuple[tuple[Call, ...], str, Finding | None]:
    """Return every call of a run that goes well, the step it cannot pass, and why it cannot."""
    clock, history, calls = SimulatedClock(), History(runbook), list[Call]()
    now: list[str] = [""]
    here, there = (
        Recorded(PredictedSite.of(site), where, calls)
        for site, where in ((source, "source"), (target, "target"))
    )
    ctx = Context(
        run="dry",
        wave=wave.name,
        source=cast("FullSite", here),
        target=cast("FullSite", there),
        transfers=RecordedTransfers(ModelledTransfers(clock, 1e9, 1e9), calls, lambda: now[0]),
        keeper=_KeepsNothing(),
        clock=clock,
        history=history,
        report=lambda moving: None,
    )
    while True:
        action = next_actions(history.runbook, history)[0]
        match action:
            case Wait(step):
                history.append(Entry(step.id, Event.APPROVED))
            case Skip(step, why):
                history.append(Entry(step.id, Event.SKIPPED, detail=why))
            case Decide(step):
                said = history.failures[step.id]
                return tuple(calls), step.title, Finding("steps", said["message"], said["hint"])
            case Do(step, attempt):
                now[0] = step.id
                history.append(Entry(step.id, Event.INTENT, attempt))
                try:
                    result = KINDS[step.kind].act(ctx, step, ctx.op(step, attempt))
                    history.append(Entry(step.id, Event.DONE, attempt, result))
                except WherryError as error:
                    # a site that did not answer is not asked again and again: the finding says it
                    failure = error.as_json() | {"retryable": False}
                    history.append(Entry(step.id, Event.FAILED, attempt, failure))
            case Finish():
                return tuple(calls), "", None
            case _:
                raise AssertionError(f"a run that only goes forward has no {action}")
