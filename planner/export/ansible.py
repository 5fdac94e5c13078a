"""The plan as an Ansible inventory in YAML: waves and move groups as groups, VMs as hosts.

Ansible runs templates that stand in variables and expands patterns in host names. All text of the
estate is tagged ``!unsafe``, which Ansible never templates, and hosts get names of plain letters.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from planner.export.printout import Printout
from planner.export.slugs import slugs
from planner.model import VM
from planner.plan import PlannedVM, Wave

_HOST = re.compile(r"[A-Za-z][A-Za-z0-9._-]*")
_GROUP = re.compile(r"[a-z_][a-z0-9_]*")
_FQDN = re.compile(
    r"(?!localhost)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*\.[a-z][a-z0-9-]*[a-z0-9]"
)
_RESERVED = frozenset(
    {"all", "ungrouped", "localhost", "none", "true", "false", "null", "yes", "no", "on", "off"}
)
_HEAD = "all:\n  children:\n"  # above the waves


class Unsafe(str):
    """Text that Ansible must not take for a template."""

    __slots__ = ()


def _utc(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _host(printout: Printout, vm: PlannedVM, seen: VM | None, batch: int | None) -> dict[str, Any]:
    known: dict[str, str] = {"wherry_vm_name": vm.name, "wherry_vm_id": vm.id}
    if seen:
        known |= {
            "wherry_moref": seen.moref,
            "wherry_vcenter": seen.vcenter,
            "wherry_application": seen.application,
            "wherry_tier": seen.tier,
            "wherry_environment": seen.environment,
            "wherry_owner": printout.owner(seen),
            "wherry_guest_os": seen.guest.running_os or seen.guest_os,
        }
    body: dict[str, Any] = {key: Unsafe(value) for key, value in known.items() if value}
    if seen and len(seen.dns_name) <= 253 and _FQDN.fullmatch(seen.dns_name.lower()):
        body["ansible_host"] = seen.dns_name.lower()
    places = {"wherry_datastore": vm.datastore, "wherry_folder": vm.folder}
    body |= {key: Unsafe(value) for key, value in places.items() if value}
    body["wherry_runs"] = vm.powered_on
    if batch:
        body["wherry_boot_batch"] = batch
    body["wherry_networks"] = [
        {
            "label": Unsafe(nic.label),
            "source": Unsafe(nic.source),
            "target": Unsafe(nic.target),
            "mac": nic.mac,
        }
        for nic in vm.nics
    ]
    return body


def _wave(printout: Printout, wave: Wave, hosts: dict[str, str], groups: dict[str, str]) -> dict[str, Any]:
    body: dict[str, Any] = {
        "vars": {
            "wherry_wave": Unsafe(wave.name),
            "wherry_wave_title": Unsafe(wave.title),
            "wherry_wave_fingerprint": wave.fingerprint,
            "wherry_wave_approved": wave.name in (printout.approvals or {}),
        }
    }
    if wave.window:
        body["vars"]["wherry_window_start"] = _utc(wave.window.start_utc)
        body["vars"]["wherry_window_end"] = _utc(wave.window.end_utc)
    batch_of = {vm: at for at, batch in enumerate(wave.boot, 1) for vm in batch}
    planned = {vm.id: vm for vm in wave.vms}
    body["children"] = {
        groups[f"{wave.name} {group.name}"]: {
            "vars": {"wherry_group": Unsafe(group.name)},
            "hosts": {
                hosts[vm]: _host(printout, planned[vm], printout.vms.get(vm), batch_of.get(vm))
                for vm in group.vms
            },
        }
        for group in wave.groups
    }
    return body


def render(printout: Printout) -> bytes:
    """Return the inventory's bytes, ASCII only; made wave by wave, so that memory holds one of them."""
    import yaml

    class Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]  # the fast one
        def ignore_aliases(self, data: object) -> bool:
            """Nothing stands twice, so nobody has to look for it."""
            return True

    def unsafe(dumper: yaml.SafeDumper, text: Unsafe) -> yaml.ScalarNode:
        return dumper.represent_scalar("!unsafe", str(text), style='"')

    Dumper.add_representer(Unsafe, unsafe)
    waves = printout.plan.waves
    hosts = slugs({vm.id: vm.name for wave in waves for vm in wave.vms}, _HOST, "-", _RESERVED)
    wave_names = slugs({wave.name: f"wave_{wave.name}" for wave in waves}, _GROUP, "_", _RESERVED)
    group_names = slugs(
        {
            f"{wave.name} {group.name}": f"{wave_names[wave.name]}_{group.name}"
            for wave in waves
            for group in wave.groups
        },
        _GROUP,
        "_",
        set(wave_names.values()),
    )

    def written(children: dict[str, Any]) -> str:
        text: str = yaml.dump({"all": {"children": children}}, Dumper=Dumper, sort_keys=False, width=110)
        return text

    if not waves:
        return written({}).encode("ascii")
    each = (
        written({wave_names[wave.name]: _wave(printout, wave, hosts, group_names)}).removeprefix(_HEAD)
        for wave in waves
    )
    return b"".join((_HEAD.encode("ascii"), *(text.encode("ascii") for text in each)))
