"""Checks of the hosts that VMs run on: connected, in service, open to tools, new enough."""

from __future__ import annotations

import re
from collections.abc import Iterator

from planner.checks.check import About, Rule, Work, rule
from planner.checks.estate import Estate
from planner.model import Host, Severity
from planner.names import visible

RULES: list[Rule] = []
_VERSION = re.compile(r"(\d{1,3})\.(\d{1,3})")


@rule(
    RULES,
    "hosts.connection",
    Severity.BLOCKER,
    "Host is not connected",
    condition="the connection state of the host is another than connected",
    properties=("HostSystem.runtime.connectionState",),
    reference="vSphere API: HostSystemConnectionState",
    about=About.HOST,
    why="Its VMs can be neither read nor stopped through the vCenter, and what is known of them is old.",
    remedy="connect the host again, then read the inventory again",
    work=Work(effort_min=60),
)
def not_connected(host: Host, estate: Estate) -> Iterator[str | None]:
    """Find: host is not connected."""
    if not host.connection_state:
        yield None
    elif host.connection_state.casefold() != "connected":
        yield f"{visible(host.name, 60)} is {visible(host.connection_state, 40)}"


@rule(
    RULES,
    "hosts.maintenance",
    Severity.WARNING,
    "Host in maintenance mode",
    condition="the host is in maintenance mode",
    properties=("HostSystem.runtime.inMaintenanceMode",),
    reference="vSphere API: HostRuntimeInfo.inMaintenanceMode; RVTools vHost: in Maintenance Mode",
    about=About.HOST,
    why="It runs nothing: the cluster has less room, and VMs that are registered on it cannot start.",
    remedy="end the maintenance, or move the VMs that are registered on it to another host",
    work=Work(effort_min=15),
)
def in_maintenance(host: Host, estate: Estate) -> Iterator[str | None]:
    """Find: host in maintenance mode."""
    if host.maintenance is None:
        yield None
    elif host.maintenance:
        yield f"{visible(host.name, 60)} is in maintenance mode"


@rule(
    RULES,
    "hosts.lockdown",
    Severity.WARNING,
    "Host in lockdown mode",
    condition="lockdown mode of the host is normal or strict",
    properties=("HostSystem.config.lockdownMode",),
    reference="vSphere API: HostLockdownMode",
    about=About.HOST,
    why="It refuses direct logins, so whatever does not go through the vCenter is locked out.",
    remedy="go through the vCenter, or put the account on the list of exceptions for the time of the move",
    work=Work(effort_min=15),
)
def locked_down(host: Host, estate: Estate) -> Iterator[str | None]:
    """Find: host in lockdown mode."""
    if host.lockdown is None:
        yield None
    elif host.lockdown:
        yield f"{visible(host.name, 60)} is in lockdown mode"


@rule(
    RULES,
    "hosts.vmotion",
    Severity.INFO,
    "Host without vMotion",
    condition="vMotion is not enabled on the host",
    properties=("HostSystem.summary.config.vmotionEnabled",),
    reference="vSphere API: HostConfigSummary.vmotionEnabled",
    about=About.HOST,
    why="wherry needs none, but VMs cannot be moved off the host while they are copied.",
    remedy="keep the host out of maintenance during the copy",
)
def without_vmotion(host: Host, estate: Estate) -> Iterator[str | None]:
    """Find: host without vMotion."""
    if host.vmotion is None:
        yield None
    elif not host.vmotion:
        yield f"{visible(host.name, 60)} has vMotion switched off"


def _release(host: Host) -> tuple[int, int] | None:
    """Return the major and minor version of ``VMware ESXi 7.0.3 build-...``, None when there is none."""
    found = _VERSION.search(host.version)
    return (int(found[1]), int(found[2])) if found else None


@rule(
    RULES,
    "hosts.version.unsupported",
    Severity.BLOCKER,
    "ESXi older than 6.5",
    condition="the version of ESXi is under 6.5",
    properties=("HostSystem.config.product.version",),
    reference="vSphere API: AboutInfo.version; RVTools vHost: ESX Version",
    about=About.HOST,
    why="Change tracking of these versions has known faults, and current tools no longer talk to them.",
    remedy="upgrade the host, or move its VMs to a newer one first",
    work=Work(effort_min=240, lead_days=14),
)
def too_old(host: Host, estate: Estate) -> Iterator[str | None]:
    """Find: ESXi older than 6.5."""
    release = _release(host)
    if release is None:
        yield None
    elif release < (6, 5):
        yield f"{visible(host.name, 60)} runs {visible(host.version, 60)}"


@rule(
    RULES,
    "hosts.version.old",
    Severity.WARNING,
    "ESXi 6.5 or 6.7",
    condition="the version of ESXi is 6.5 or newer and under 7.0",
    properties=("HostSystem.config.product.version",),
    reference="vSphere API: AboutInfo.version; RVTools vHost: ESX Version",
    about=About.HOST,
    why="Its general support has ended: a fault met during the move will not be mended.",
    remedy="upgrade the host, or move its VMs soon and with full comparison",
    work=Work(effort_min=240, lead_days=14),
)
def old(host: Host, estate: Estate) -> Iterator[str | None]:
    """Find: ESXi 6.5 or 6.7."""
    release = _release(host)
    if release is None:
        yield None
    elif (6, 5) <= release < (7, 0):
        yield f"{visible(host.name, 60)} runs {visible(host.version, 60)}"
