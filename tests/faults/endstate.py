"""What must be true when a wave has ended, however often it was killed: sentences about what is not.

A destructive request is *repeated* when a site got it twice for the same subject, going the same way,
and the first one was not declined: under another op or the same, acted on or not. A driver with a
whole record has no reason to ask twice. A request during which the site died does not count.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from migrate import audit
from migrate.kept import Checkpoints
from migrate.run import store as runs
from migrate.run.history import Event, Status
from migrate.run.store import RunKind
from migrate.sites.lab.oplog import read_ops
from planner.model import Power
from tests.faults.killlab import IDLE, RUNNING, SITES, WAVE, estate
from tests.faults.labrun import Lab
from tests.faults.witness import beside_records, read_witness, volumes_of, whole

ONCE = frozenset(
    {"power_on", "shut_down", "power_off", "create_vm", "delete_vm", "create_disk", "delete_disk", "rename"}
    | {"connect_nics", "annotate", "take_snapshot"}
    | {"set_change_tracking", "set_hardware_version", "set_disk_modes", "set_drives", "consolidate"}
)
_OP = re.compile(r"/(do|undo)\d+$")
NAMES = {vm.id: vm.name for vm in estate().vms}


def _dateless(name: str) -> str:
    """Return the name of a fenced VM without the day, so that midnight is no difference."""
    return re.sub(r"-moved-\d{8}$", "-moved", name)


def world(lab: Lab) -> dict[str, Any]:
    """Return all that two equal end states have in common: VMs, disks and what they hold."""
    found: dict[str, Any] = {}
    for name in SITES:
        with lab.site(name) as site:
            states = {vm: site.observe(vm) for vm in sorted(site.vms())}
            found[name] = {
                "vms": {
                    vm: [
                        _dateless(state.name),
                        state.power.value,
                        state.connected,
                        sorted(
                            (disk.key, disk.volume, disk.size_bytes, disk.backing.value, disk.lun, disk.bus,
                             disk.unit, disk.bus_sharing.value, disk.multi_writer)
                            for disk in state.disks
                        ),
                    ]
                    for vm, state in states.items()
                },
                "snapshots": [item.id for item in site.list_snapshots()],
                "volumes": {},
            }  # fmt: skip
            for volume in ("db/2000", "db/2002", "app/2000", "app/2001", "web/2000"):
                if (shape := site.volume(volume)) is not None:
                    found[name]["volumes"][volume] = [
                        shape.size_bytes,
                        shape.backing.value,
                        shape.lun,
                        beside_records(site, volume),
                    ]
    return found


def everywhere(lab: Lab, kind: RunKind = RunKind.WAVE) -> Iterator[str]:
    """Yield what is wrong that must never be, whichever way the newest run of that kind went."""
    yield from repeated(lab)
    for note in read_witness(lab.root):
        if note["both"]:
            yield f"{', '.join(note['both'])} ran at both sites at {note['point']!r}"
    for name in SITES:
        with lab.site(name) as site:
            if left := site.list_snapshots():
                yield f"{name} still has {len(left)} snapshots"
    with lab.project() as project:
        if (line := audit.broken_at(project)) is not None:
            yield f"the audit chain breaks at line {line}"
        run = runs.latest(project, WAVE, kind)
        assert run is not None
        done: set[str] = set()
        for entry in runs.history(project, run).entries:
            if entry.event is Event.INTENT and entry.step in done:
                yield f"{entry.step} began again after it was done"
            if entry.event is Event.DONE:
                done.add(entry.step)


def repeated(lab: Lab) -> Iterator[str]:
    """Yield the destructive requests that a site got more than once."""
    for name in SITES:
        for (call, subject, way), times in destructive(lab.folder(name)).items():
            if times > 1:
                yield f"{name} was asked to {call} {subject} {times} times ({way})"


def destructive(site: Path) -> Counter[tuple[str, str, str]]:
    """Return how often a site in a folder did each destructive call: by call, subject, and do or undo."""
    counted: Counter[tuple[str, str, str]] = Counter()
    for line in read_ops(site / "state" / "ops.log"):
        asked = _OP.search(str(line["op"]))
        if line["call"] not in ONCE or asked is None or not line.get("done"):
            continue
        subject = str(line["subject"])
        if line["call"] == "take_snapshot":  # of the same VMs, once in every round
            subject = str(line["op"]).removesuffix(asked[0])
        counted[str(line["call"]), subject, asked[1]] += 1
    return counted


def stopped_equal(lab: Lab) -> Iterator[str]:
    """Yield differences of the copies when all had stopped, and of the sources since then."""
    notes = [note["stopped"] for note in read_witness(lab.root) if "stopped" in note]
    if not notes:
        yield "nobody saw the finished replicas"
        return
    for note in notes:
        for volume, digest in note["source"].items():
            if note["target"][volume] != digest:
                yield f"{volume} differed between the sites before its VM started"
            if notes[0]["source"][volume] != digest:
                yield f"{volume} changed at the source while it was stopped"


def source_as_stopped(lab: Lab) -> Iterator[str]:
    """Yield source volumes that are not, byte for byte, what they were when their VMs stopped."""
    notes = [note["stopped"] for note in read_witness(lab.root) if "stopped" in note]
    with lab.site("dc1") as source:
        for volume in volumes_of(source):
            if notes and whole(source, volume) != notes[0]["source"][volume]:
                yield f"{volume} changed at the source after its VM stopped"


def acknowledged(lab: Lab) -> dict[str, int]:
    """Return the highest record each VM had acknowledged when the sources stopped, 0 if they never did."""
    notes = [note["stopped"] for note in read_witness(lab.root) if "stopped" in note]
    return dict(notes[-1]["acknowledged"]) if notes else dict.fromkeys(RUNNING, 0)


def healthy(lab: Lab, name: str) -> Iterator[str]:
    """Yield what is wrong with the guests that must run at a site."""
    known = acknowledged(lab)
    with lab.site(name) as site:
        for vm in RUNNING:
            health = site.probe(vm)
            if not health.ok:
                yield f"{vm} is not well at {name}: {health.detail}"
            state = site.guest(vm)
            if state.missing or state.corrupt or state.last_written < known[vm]:
                yield f"{vm} lost records at {name}: {state}, {known[vm]} were acknowledged"


def at_commit_gate(lab: Lab) -> list[str]:
    """Return what is wrong while a person decides: the sources are only powered off."""
    problems = [*stopped_equal(lab), *source_as_stopped(lab), *healthy(lab, "dc2")]
    with lab.site("dc1") as source:
        for vm, name in NAMES.items():
            state = source.observe(vm)
            if (state.name, state.power, state.connected) != (name, Power.OFF, True):
                problems.append(f"{vm} is not only powered off at the source before commit: {state}")
    return problems


def committed(lab: Lab) -> list[str]:
    """Return what is wrong after a commit."""
    problems = [*everywhere(lab), *stopped_equal(lab), *source_as_stopped(lab), *healthy(lab, "dc2")]
    if lab.standing() != ("", "committed"):
        problems.append(f"the run is not committed but {lab.standing()}")
    with lab.project() as project:
        run = runs.latest(project, WAVE)
        assert run is not None
        for step, status in runs.history(project, run).status.items():
            if status is not Status.DONE:
                problems.append(f"{step} is {status.value}")
    with lab.site("dc1") as source, lab.site("dc2") as target:
        for vm, name in NAMES.items():
            here, there = target.observe(vm), source.observe(vm)
            wanted = Power.OFF if vm == IDLE else Power.ON
            if here is None or (here.name, here.power, here.connected) != (name, wanted, True):
                problems.append(f"{vm} is not as planned at the target: {here}")
            if (_dateless(there.name), there.power, there.connected) != (f"{name}-moved", Power.OFF, False):
                problems.append(f"{vm} is not fenced at the source: {there}")
    return problems


def _as_before(lab: Lab) -> Iterator[str]:
    """Yield what is wrong at a source that must be as if nothing had happened."""
    yield from everywhere(lab)
    yield from healthy(lab, "dc1")
    with lab.site("dc1") as source, lab.site("dc2") as target:
        for vm, name in NAMES.items():
            there = source.observe(vm)
            wanted = Power.OFF if vm == IDLE else Power.ON
            if (there.name, there.power, there.connected) != (name, wanted, True):
                yield f"{vm} is not as before at the source: {there}"
        if target.vms():
            yield f"{', '.join(target.vms())} are still at the target"


def rolled_back(lab: Lab) -> list[str]:
    """Return what is wrong after a rollback."""
    problems = [*_as_before(lab), *stopped_twins(lab), *kept(lab)]
    if lab.standing() != ("", "rolled back"):
        problems.append(f"the run is not rolled back but {lab.standing()}")
    return problems


def stopped_twins(lab: Lab) -> list[str]:
    """Return differences of finished replicas, if the run got so far."""
    seen = any("stopped" in note for note in read_witness(lab.root))
    return list(stopped_equal(lab)) if seen else []


def kept(lab: Lab) -> Iterator[str]:
    """Yield what of the target's own writes is not kept as it is; nothing when there were none."""
    checkpoints = Checkpoints(lab.root / "checkpoints")
    log = read_ops(lab.folder("dc2") / "state" / "ops.log")
    ran = {line["call"] for line in log if line.get("done")} >= {"power_on", "shut_down"}  # and settled
    manifests: list[Any] = checkpoints.names()
    if len(manifests) > 1 or (ran and not manifests):
        yield f"{len(manifests)} checkpoints are kept"
    if ran and sum(part["bytes"] for item in manifests for part in item["parts"]) == 0:
        yield "nothing is kept of what the target wrote"
    with lab.site("dc2") as target:
        for item in manifests:
            for part in item["parts"]:
                with closing(target.open_read(part["volume"])) as disk:
                    for offset, data in checkpoints.read(item["name"], part["volume"]):
                        there = bytearray(len(data))
                        disk.read_into(memoryview(there), offset)
                        if there != data:
                            yield f"{part['volume']} was not kept as the target left it, at {offset}"


def aborted(lab: Lab) -> list[str]:
    """Return what is wrong after an abort: the sources never stopped, nothing is left at the target."""
    problems = list(_as_before(lab))
    if lab.standing() != ("", "aborted"):
        problems.append(f"the run is not aborted but {lab.standing()}")
    for line in read_ops(lab.folder("dc1") / "state" / "ops.log"):
        if line["call"] in ("shut_down", "power_off"):
            problems.append(f"{line['subject']} was stopped at the source")
    if left := world(lab)["dc2"]["volumes"]:
        problems.append(f"{', '.join(left)} are left at the target")
    if journals := [path.name for path in (lab.folder("dc2") / "state" / "receiver" / "journal").rglob("*")]:
        problems.append(f"{', '.join(journals)} are left of the history")
    return problems
