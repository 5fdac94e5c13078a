"""The plan for Forklift (Migration Toolkit for Virtualization): maps and one Plan a wave, as YAML.

Objects of ``forklift.konveyor.io/v1beta1``. What no inventory knows is filled in by a word that the
comment at the top tells to edit: providers, namespaces, the storage class. Names of the estate are
references to look up; nothing is started by applying these.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from planner.export.printout import Printout, show_window
from planner.export.slugs import slugs
from planner.model import VM, Method
from planner.names import visible
from planner.plan import PlannedVM, Wave
from planner.units import show_count

_API = "forklift.konveyor.io/v1beta1"
_NAMESPACE = "konveyor-forklift"
_STORAGE_CLASS = "edit-this-storage-class"
_DNS = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_CLASS = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_MOREF = re.compile(r"(vm|datastore|group|network|dvportgroup|opaquenetwork)-[a-z]?\d+", re.IGNORECASE)
_DATASTORE = re.compile(r"\[([^\]]*)\]")
_HEAD = f"""\
# Migration plan for Forklift. Before you apply it, edit what wherry cannot know:
#   namespace {_NAMESPACE}: where Forklift runs; openshift-mtv on OpenShift
#   provider.source: the names of your vSphere providers, one for each vCenter
#   provider.destination: 'host' is the cluster that Forklift runs in
#   storageClass {_STORAGE_CLASS}: one for each datastore without a map
#   networks: the NetworkAttachmentDefinitions named here have to exist in the target namespace
# Forklift starts nothing until a Migration object names a Plan. See docs/exports.md.
"""


@dataclass(frozen=True, slots=True)
class _Source:
    """One vCenter: what Forklift knows it by, and the VMs of the plan that it holds."""

    provider: str
    target: str  # namespace that the VMs come to
    method: Method
    vms: Mapping[str, VM]

    def object(self, kind: str, name: str, spec: dict[str, Any], **notes: str) -> dict[str, Any]:
        """Return a Forklift object between this vCenter and the cluster."""
        metadata: dict[str, Any] = {"name": name, "namespace": _NAMESPACE}
        if notes:
            metadata["annotations"] = notes
        ends = {
            "source": {"name": self.provider, "namespace": _NAMESPACE},
            "destination": {"name": "host", "namespace": _NAMESPACE},
        }
        return {"apiVersion": _API, "kind": kind, "metadata": metadata, "spec": {"provider": ends, **spec}}


def _ref(name: str, moref: str = "") -> dict[str, str]:
    return {"id": moref, "name": name} if _MOREF.fullmatch(moref) else {"name": name}


def _networks(printout: Printout, source: _Source, planned: Iterable[PlannedVM]) -> list[dict[str, Any]]:
    morefs = {(item.vcenter, item.name): item.key or item.id for item in printout.inventory.networks}
    found: dict[str, tuple[str, str]] = {}
    for vm in planned:
        for nic in vm.nics:
            found.setdefault(
                nic.source, (morefs.get((source.vms[vm.id].vcenter, nic.source), ""), nic.target)
            )
    names = slugs({target: target for _, target in found.values()}, _DNS, "-")
    return [
        {
            "source": _ref(name, moref),
            "destination": {"type": "multus", "namespace": source.target, "name": names[target]},
        }
        for name, (moref, target) in found.items()
    ]


def _datastores(printout: Printout, source: _Source, planned: Iterable[PlannedVM]) -> list[dict[str, Any]]:
    morefs = {(item.vcenter, item.name): item.id for item in printout.inventory.datastores}
    places = {
        (item.vm, item.disk): disk.datastore
        for wave in printout.plan.waves
        for disk in wave.disks
        for item in disk.attachments
    }
    found: dict[str, tuple[str, str]] = {}
    for vm in (source.vms[item.id] for item in planned):
        for disk in vm.disks:
            if named := _DATASTORE.match(disk.path):
                to = places.get((vm.id, disk.key), "")
                moref, before = found.get(named[1], (morefs.get((vm.vcenter, named[1]), ""), ""))
                found[named[1]] = (moref, before or to)
    classes = slugs({to: to for _, to in found.values() if to}, _CLASS, "-", width=253)
    return [
        {"source": _ref(name, moref), "destination": {"storageClass": classes.get(to, _STORAGE_CLASS)}}
        for name, (moref, to) in found.items()
    ]


def _about(printout: Printout, wave: Wave) -> str:
    parts = [visible(wave.title), show_window(wave.window), printout.approval(wave)]
    shared = sum(len({item.vm for item in disk.attachments}) > 1 for disk in wave.disks)
    if shared:
        parts.append(f"{shared} shared disks: see migrateSharedDisks")
    raw = sum(disk.source.is_rdm for disk in wave.disks)
    if raw:
        parts.append(f"{raw} raw device mappings: Forklift copies their content, if at all, into a volume")
    out = sum(disk.left_out for disk in wave.disks)
    if out:
        parts.append(f"{show_count(out, 'disk')} left out by decision, which Forklift copies")
    return "; ".join(parts)


def _objects(printout: Printout, source: _Source, mark: str) -> Iterator[dict[str, Any]]:
    plan = printout.plan
    planned = [vm for wave in plan.waves for vm in wave.vms if vm.id in source.vms]
    prefix = slugs({"": f"{plan.project}{mark}"}, _DNS, "-", width=36)[""]
    yield source.object("NetworkMap", f"{prefix}-networks", {"map": _networks(printout, source, planned)})
    yield source.object("StorageMap", f"{prefix}-storage", {"map": _datastores(printout, source, planned)})
    maps = {
        "network": {"name": f"{prefix}-networks", "namespace": _NAMESPACE},
        "storage": {"name": f"{prefix}-storage", "namespace": _NAMESPACE},
    }
    names = slugs({wave.name: wave.name for wave in plan.waves}, _DNS, "-", width=26)
    for wave in plan.waves:
        mine = [vm for vm in wave.vms if vm.id in source.vms]
        if not mine:
            continue
        spec = {
            "description": _about(printout, wave),
            "targetNamespace": source.target,
            "warm": source.method is Method.WARM,
            "map": maps,
            "vms": [_ref(vm.name, source.vms[vm.id].moref) for vm in mine],
        }
        notes = {"wherry-wave": wave.name, "wherry-wave-fingerprint": wave.fingerprint}
        yield source.object("Plan", f"{prefix}-{names[wave.name]}", spec, **notes)


def _sources(printout: Printout) -> Iterator[tuple[_Source, str]]:
    planned = {vm.id for wave in printout.plan.waves for vm in wave.vms}
    held: dict[str, dict[str, VM]] = {}
    for vm in printout.inventory.vms:
        if vm.id in planned:
            held.setdefault(vm.vcenter, {})[vm.id] = vm
    called = {item.id: item.name for item in printout.inventory.vcenters}
    names = slugs({key: called.get(key, "") or "source" for key in held}, _DNS, "-")
    target = slugs({"": printout.plan.project}, _DNS, "-")[""]
    method = printout.settings.method if printout.settings else Method.WARM
    for at, (key, vms) in enumerate(held.items(), 1):
        yield _Source(names[key], target, method, vms), f"-{at}" if len(held) > 1 else ""


def render(printout: Printout) -> bytes:
    """Return all objects as one stream of YAML documents, ASCII only."""
    import yaml

    objects = [item for source, mark in _sources(printout) for item in _objects(printout, source, mark)]
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # the fast one, where it was built
    body = yaml.dump_all(objects, Dumper=dumper, sort_keys=False, explicit_start=True, width=110)
    return (_HEAD + (body if objects else "")).encode("ascii")
