"""What a vCenter offers to VMs: the newest virtual hardware, by the environment of a VM or a cluster."""

from __future__ import annotations

from migrate.sites.vsphere.connection import Connection
from migrate.sites.vsphere.defining import version_number
from planner.sources.vcenter.paths import Kind
from planner.sources.vcenter.soap import Ref
from planner.sources.vcenter.values import text

_PLACE = Kind(
    "environments",
    (),
    {
        "VirtualMachine": ("environmentBrowser", "runtime.host"),
        "ComputeResource": ("environmentBrowser",),
    },
)


def newest_hardware(connection: Connection, place: Ref) -> int:
    """Return the newest virtual hardware for a VM on its host, or that every host of a cluster runs.

    0 when the vCenter does not say. Raises Unreachable.
    """
    item = connection.one(_PLACE, place)
    browser = text(item.values.get("environmentBrowser")) if item else ""
    if item is None or not browser:
        return 0

    manager = connection.managed(Ref("EnvironmentBrowser", browser))
    offered = connection.ask(
        "cannot ask for virtual hardware", lambda _: manager.QueryConfigOptionDescriptor()
    )
    by_host: dict[str, int] = {}
    for one in offered:
        if one.runSupported is not False:
            for host in one.host:
                by_host[host._moId] = max(by_host.get(host._moId, 0), version_number(one.key))
    host = text(item.values.get("runtime.host"))
    return by_host.get(host, 0) if host else min(by_host.values(), default=0)
