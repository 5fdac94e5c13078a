"""Checks of the target as a whole: is it new enough, licensed, and large enough for all that comes."""

from __future__ import annotations

from collections.abc import Iterator

from planner.checks.check import About, Rule, Whole, Work, rule
from planner.checks.estate import Estate, days_left
from planner.model import Power, Severity, VCenter
from planner.names import visible
from planner.units import show_bytes

RULES: list[Rule] = []
_NOTICE_DAYS = 30


@rule(
    RULES,
    "platform.version.older",
    Severity.WARNING,
    "Target vCenter is older",
    why="Its hosts know less virtual hardware, and moves back and forth between the two are not supported.",
    remedy="upgrade the target's vCenter before the first wave",
    condition="the version of a target vCenter is lower than that of a source vCenter",
    properties=("ServiceInstance.content.about.version",),
    reference="Broadcom KB 314601: requirements of cross vCenter vMotion",
    about=About.VCENTER,
    work=Work(480, lead_days=30),
)
def older_target(vcenter: VCenter, estate: Estate) -> Iterator[str | None]:
    """Find: target vCenter is older."""
    there = estate.target.inventory.vcenters if estate.target else ()
    here = _version(vcenter.version)
    if not here or not there:
        yield None
        return
    for other in there:
        if not (version := _version(other.version)):
            yield None
        elif version < here:
            name = visible(other.name or other.id)
            yield f"{name} at the target has version {other.version}, the source {vcenter.version}"


def _version(said: str) -> tuple[int, ...]:
    parts = said.split(".")
    return tuple(map(int, parts)) if all(part.isdecimal() for part in parts) else ()


@rule(
    RULES,
    "platform.licence.expired",
    Severity.BLOCKER,
    "Licence at the target has expired",
    why="Hosts without a valid licence leave their vCenter and start no VM.",
    remedy="assign a valid licence at the target before the first wave",
    condition=f"a licence of the target inventory expires before it was taken, or within {_NOTICE_DAYS} days",
    properties=("LicenseManager.licenses.properties[expirationDate]",),
    reference="vCenter Server and Host Management: licensing",
    about=About.ESTATE,
    work=Work(60, lead_days=14),
)
def licence_expired(whole: Whole, estate: Estate) -> Iterator[str | None]:
    """Find: licence at the target has expired; one without a date never does, or nobody said."""
    if estate.target is None or "licences" in estate.target.gaps:
        yield None
        return
    for licence in estate.target.inventory.licences:
        found = days_left(licence.expires, estate.target.taken_at)
        if licence.expires and found is None:
            yield None
        elif found and found[0] <= _NOTICE_DAYS:
            verb = "expired" if found[0] < 0 else "expires"
            yield f"the licence {visible(licence.name, 60)} at the target {verb} on {found[1]}"


@rule(
    RULES,
    "platform.licence.full",
    Severity.WARNING,
    "Licence at the target is used up",
    why="A host that is added for the move finds no licence and runs on an evaluation that ends.",
    remedy="buy or free capacity of the licence before hosts are added",
    condition="as much of a licence of the target inventory is used as there is",
    properties=("LicenseManager.licenses.used", "LicenseManager.licenses.total"),
    reference="vCenter Server and Host Management: licensing",
    about=About.ESTATE,
    work=Work(60, lead_days=14),
)
def licence_full(whole: Whole, estate: Estate) -> Iterator[str | None]:
    """Find: licence at the target is used up; a total of 0 is no limit."""
    if estate.target is None or "licences" in estate.target.gaps:
        yield None
        return
    for licence in estate.target.inventory.licences:
        if licence.total is None or licence.used is None:
            yield None
        elif 0 < licence.total <= licence.used:
            name = visible(licence.name, 60)
            yield f"the licence {name} at the target is used up: {licence.used} of {licence.total}"


@rule(
    RULES,
    "platform.admission",
    Severity.WARNING,
    "Target cannot hold all VMs when a host fails",
    why="HA refuses to start what it could not restart; the last waves find no room.",
    remedy="add hosts or memory at the target before the last waves, or leave VMs behind",
    condition="memory of running VMs, here and there, is more than that of all target hosts but the largest",
    properties=("config.hardware.memoryMB", "HostSystem.summary.hardware.memorySize"),
    reference="vSphere Availability: admission control, one host failure",
    about=About.ESTATE,
    work=Work(480, lead_days=30),
)
def admission(whole: Whole, estate: Estate) -> Iterator[str | None]:
    """Find: target cannot hold all VMs when a host fails."""
    if estate.target is None:
        yield None
        return
    hosts = estate.target.inventory.hosts
    if not hosts or any(host.memory_bytes <= 0 for host in hosts):
        yield None
        return
    offered = sum(host.memory_bytes for host in hosts) - max(host.memory_bytes for host in hosts)
    running = [
        vm
        for inventory in (estate.inventory, estate.target.inventory)
        for vm in inventory.vms
        if vm.movable and vm.power is Power.ON
    ]
    asked = sum(vm.memory_bytes for vm in running)
    if asked > offered:
        yield f"running VMs ask for {show_bytes(asked)} of memory, the target has {show_bytes(offered)}"
    elif any(vm.memory_bytes <= 0 for vm in running):
        yield None
