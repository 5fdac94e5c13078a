"""The VMs of applications, the hubs, and what is never moved: sizes, disks, guests, names, owners."""

from __future__ import annotations

from collections import Counter
from typing import Any

from planner.model import Backing, Controller, Power
from planner.sources.naming import bare
from planner.synth import recipe as said
from planner.synth.dice import Dice
from planner.synth.drafts import Application, Draft
from planner.synth.guests import PHOTON, SYSTEMS
from planner.synth.hardware import add_adapters, add_disks, add_guest, add_rest, memory_of
from planner.synth.places import ClusterSpot, Place
from planner.synth.words import DOMAIN, Words
from planner.units import GIB, MIB

HUBS = ("directory", "dns", "backup", "monitoring")
_ROLES = {"web": "web", "application": "app", "database": "db", "file": "fs", "desktop": "vdi"}
_TIERS = {"desktop": "desktop", "infrastructure": "infrastructure", "file": "file"}


def _switch_off(draft: Draft) -> None:
    draft.fields |= {"power": Power.OFF, "tools": "toolsNotRunning", "churn_bytes_day": 0}
    draft.guest |= {"heartbeat": "gray", "running_os": ""}
    draft.partitions.clear()
    for nic in draft.nics:
        nic |= {"connected": False, "addresses": (), "subnets": ()}


class Machines:
    """Makes drafts one after the other, each with an id, a name and an address of its own."""

    def __init__(self, words: Words, dice: Dice) -> None:
        self._words, self._dice = words, dice
        self._numbers: Counter[str] = Counter()
        self._made = 0

    def _name(self, stem: str, application: Application | None) -> str:
        odd = self._dice.chance(said.NAME_VIOLATIONS)
        self._numbers[stem] += 1
        # Odd names may meet; what is meant to be a duplicate is planted as trouble.
        name = self._words.odd(application.name if application else "") if odd else ""
        if odd and not self._numbers[name]:
            self._numbers[name] += 1
            return name
        return f"{stem}-{self._numbers[stem]:02d}"

    def bare(self, kind: str, name: str, place: Place, cluster: ClusterSpot, network: Any) -> Draft:
        """Return a draft with identity and place, without hardware."""
        dice = self._dice
        vm_id = place.vm_id()
        cluster.vms += 1
        self._made += 1
        host = cluster.host_of(cluster.vms)
        host.vms += 1
        store = min(dice.sample(cluster.stores, 2), key=lambda one: one.vms)
        store.vms += 1
        draft = Draft(vm_id, kind, name, place, cluster, host, store, network, folder_name=name)
        draft.fields |= {
            "moref": bare(place.uuid, vm_id),
            "instance_uuid": dice.uuid("50"),
            "bios_uuid": dice.uuid("42"),
            "vmx_path": f"{draft.home}/{name}.vmx",
            "power": Power.ON,
            "connection_state": "connected",
            "ft_state": "notConfigured",
            "folder": f"/{place.datacenter}/vm",
            "resource_pool": cluster.pool("Resources"),
            "consolidation_needed": False,
            "tags": (),
        }
        return draft

    def server(
        self, kind: str, stem: str, place: Place, cluster: ClusterSpot, network: Any, app: Any = None
    ) -> Draft:
        """Return a whole VM of a class."""
        dice = self._dice
        draft = self.bare(kind, self._name(stem, app), place, cluster, network)
        draft.application = app
        cpus = dice.weighted(said.CPUS[kind])
        draft.fields |= {"cpus": cpus, "memory_bytes": memory_of(kind, cpus, dice)}
        add_disks(draft, kind, dice)
        add_guest(draft, dice.weighted(SYSTEMS[kind]), f"{place.site}.{DOMAIN}", dice)
        add_adapters(draft, self._made, dice)
        add_rest(draft, dice)
        used = draft.fields["used_bytes"]
        rate = dice.lognormal(said.CHURN_MEDIAN, said.CHURN_SIGMA) * said.CHURN_CLASS.get(kind, 1.0)
        draft.fields["churn_bytes_day"] = round(used * min(rate, 0.5) / MIB) * MIB
        if app is not None and dice.chance(said.POWERED_OFF):
            _switch_off(draft)
        return draft

    def of_application(self, app: Application) -> None:
        """Add the VMs of an environment of an application."""
        dice = self._dice
        desktops, files = app.size >= 12 and app.family % 17 == 0, app.size <= 2 and dice.chance(0.15)
        for at in range(app.size):
            if desktops:
                kind = "desktop"
            elif files:
                kind = "file"
            elif app.size == 1:
                kind = dice.pick(("application", "database", "web"))
            else:
                # A database first, an application server second, then by chance.
                kind = (
                    ("database", "application")[at]
                    if at < 2
                    else dice.weighted((("web", 40), ("application", 40), ("database", 20)))
                )
            code = next(code for name, code, _ in said.ENVIRONMENTS if name == app.environment)
            stem = f"{app.place.site}-{code}-{app.name}-{_ROLES[kind]}"
            draft = self.server(kind, stem, app.place, app.cluster, app.network, app)
            folder = app.place.folder(f"{app.environment}/{app.owner}")
            draft.fields |= {
                "folder": folder,
                "tier": _TIERS.get(kind, kind),
                "environment": app.environment,
                "owner": app.owner,
                "criticality": app.criticality,
                "window": app.window,
                "tags": (
                    ("Environment", app.environment),
                    ("Backup", dice.pick(("daily", "weekly", "none"))),
                ),
                "attributes": (
                    ("Application", app.title),
                    ("Cost centre", str(4000 + app.family % 900)),
                    ("Environment", app.environment),
                    ("Owner", app.owner),
                    ("Tier", _TIERS.get(kind, kind)),
                ),
            }
            app.members.append(draft)

    def hub(self, number: int, place: Place) -> Draft:
        """Return the n-th of the VMs that everyone needs."""
        service = HUBS[number % len(HUBS)]
        cluster = place.clusters[number // len(HUBS) % len(place.clusters)]
        stem = f"{place.site}-p-{service[:3] if service != 'directory' else 'dc'}"
        network = place.networks_for("Production")[0]
        draft = self.server("infrastructure", stem, place, cluster, network)
        draft.fields |= {
            "folder": place.folder("Infrastructure"),
            "application": service.capitalize(),
            "tier": service,
            "environment": "Production",
            "owner": "Platform Core",
            "criticality": "mission-critical",
            "window": said.WINDOWS[0][0],
            "attributes": (("Application", service.capitalize()), ("Owner", "Platform Core")),
        }
        return draft

    def never_moved(self, kind: str, number: int, place: Place, cluster: ClusterSpot) -> Draft:
        """Return a template, a placeholder of a replication, or an agent of a cluster."""
        dice = self._dice
        name = {
            "template": f"tpl-{place.site}-{dice.pick(('w2019', 'w2022', 'rhel9', 'ubuntu'))}-{number:02d}",
            "placeholder": f"{place.site}-dr-protected-{number:02d}",
            "agent": f"vCLS-{dice.uuid()}",
        }[kind]
        draft = self.bare(kind, name, place, cluster, place.networks[0])
        draft.fields |= {
            "power": Power.ON if kind == "agent" else Power.OFF,
            "cpus": 1,
            "memory_bytes": 128 * MIB,
        }
        draft.fields |= {"template": kind == "template", "placeholder": kind == "placeholder"}
        draft.fields |= {"guest_os": PHOTON.name, "hw_version": 13, "firmware": "bios", "cbt": False}
        draft.fields |= {"tools": "toolsOk" if kind == "agent" else "toolsNotRunning", "used_bytes": 0}
        draft.guest |= {"guest_id": PHOTON.guest_id, "heartbeat": "gray", "time_sync": False}
        draft.management["managed_by"] = {
            "agent": "com.vmware.vim.eam",
            "placeholder": "com.vmware.vcDr",
        }.get(kind, "")
        if kind != "placeholder":
            size = 2 * GIB if kind == "agent" else 40 * GIB
            draft.add_disk(size, None, thin=True, backing=Backing.VMDK, controller_kind=Controller.PVSCSI)
        return draft
