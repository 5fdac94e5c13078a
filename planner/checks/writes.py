"""Checks of what a VM writes: how much of it, and what has to be consistent in it at any moment."""

from __future__ import annotations

import re
from collections.abc import Iterator

from planner.checks.check import Rule, Work, by_method, rule
from planner.checks.estate import Estate
from planner.estimate import goodput_bytes_s, is_database
from planner.model import VM, Severity
from planner.names import visible
from planner.units import show_bytes

RULES: list[Rule] = []
_DAY_S = 86400
_LARGE_SHARE = 0.1  # of what the link carries in a day
_DIRECTORY_TIERS = {"directory", "domain controller", "dc", "active directory", "ldap"}
# Whole parts of a name, with a number behind them at the most: sql01, prd-ora-3. A domain controller is
# the last part: dc1-web-02 is a web server in datacenter 1.
_DATABASE_NAME = re.compile(
    r"(?:^|[^a-z])(?:sql|mssql|mysql|maria|pgsql?|postgres|ora|oracle|db2?|rac|mongo|hana|exch|exchange)"
    r"\d*(?:[^a-z0-9]|$)"
)
_DIRECTORY_NAME = re.compile(r"(?:^|[^a-z])(?:(?:ad-?)?dc|adds|ldap|ipa)-?\d*$")
# Microsoft failover cluster, Corosync, Pacemaker's remote and pcsd, Veritas LLT, Oracle's CSS.
_CLUSTER_PORTS = frozenset({3343, 5404, 5405, 3121, 2224, 14141, 42424})


def _first_label(vm: VM) -> tuple[str, ...]:
    return tuple(name.casefold().partition(".")[0] for name in (vm.name, vm.dns_name) if name)


@rule(
    RULES,
    "guest.churn.link",
    by_method(Severity.BLOCKER, Severity.INFO),
    "Writes more than the link carries",
    why="Every delta is larger than the one before: the copy never catches up with the running VM.",
    remedy="raise the link's rate or share, move the VM cold, or replicate inside the application",
    condition="bytes written a day are more than the link's rate, times migration's share of it, carries",
    properties=("virtualDisk.write.average",),
    reference="goodput is 85 % of line rate times share; see planner/estimate.py",
    work=Work(240, lead_days=14),
)
def more_than_link(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: writes more than the link carries."""
    if vm.churn_bytes_day is None or estate.settings is None:
        yield None
        return
    carried = goodput_bytes_s(estate.settings.link) * _DAY_S
    if vm.churn_bytes_day > carried:
        yield (
            f"{visible(vm.name)} writes {show_bytes(vm.churn_bytes_day)} a day, the link carries "
            f"{show_bytes(carried)}"
        )


@rule(
    RULES,
    "guest.churn.high",
    by_method(Severity.WARNING, Severity.INFO),
    "Writes a large part of what the link carries",
    why="Its deltas take the link from all others, and its final delta is a long outage.",
    remedy="move it in a wave of its own or at a quiet hour; measure its churn over a week first",
    condition=f"bytes written a day are more than {_LARGE_SHARE:.0%} of what the link carries, and not all",
    properties=("virtualDisk.write.average",),
    reference="goodput is 85 % of line rate times share; see planner/estimate.py",
)
def much_of_link(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: writes a large part of what the link carries."""
    if vm.churn_bytes_day is None or estate.settings is None:
        yield None
        return
    share = vm.churn_bytes_day / (goodput_bytes_s(estate.settings.link) * _DAY_S)
    if _LARGE_SHARE < share <= 1:
        written = show_bytes(vm.churn_bytes_day)
        yield f"{visible(vm.name)} writes {written} a day, {share:.0%} of what the link carries"


@rule(
    RULES,
    "guest.database",
    by_method(Severity.WARNING, Severity.INFO),
    "Database or mail server",
    why="A copy of a running one is what a power failure leaves: it has to recover, and some cannot.",
    remedy="decide between stopping the service before the last delta and a quiesced snapshot; rehearse it",
    condition="its tier is database, or a part of its name is one that databases and mail servers have",
    properties=("name", "guest.hostName"),
    reference="Microsoft VSS; vSphere API: CreateSnapshotEx_Task quiesceSpec",
    work=Work(15, shared=True, each_min=5),
)
def database(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: database or mail server; unknown when neither tier nor name says what it is."""
    if is_database(vm):
        yield f"{visible(vm.name)} is a database"
    elif any(map(_DATABASE_NAME.search, _first_label(vm))):
        yield f"{visible(vm.name)} is named like a database or mail server"
    elif not vm.tier:
        yield None


@rule(
    RULES,
    "guest.directory",
    Severity.WARNING,
    "Domain controller or directory",
    why="One of several that goes back in time breaks their replication; everybody needs one to log on.",
    remedy="build a new one at the target and let it replicate; never roll one of several back",
    condition="its tier is directory, or a part of its name is one that domain controllers have",
    properties=("name", "guest.hostName"),
    reference="Microsoft: virtualized domain controller architecture, VM-GenerationID",
    work=Work(240, lead_days=7),
)
def directory(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: domain controller or directory."""
    if vm.tier.strip().casefold() in _DIRECTORY_TIERS:
        yield f"{visible(vm.name)} is a directory server"
    elif any(map(_DIRECTORY_NAME.search, _first_label(vm))):
        yield f"{visible(vm.name)} is named like a domain controller"
    elif not vm.tier:
        yield None


@rule(
    RULES,
    "guest.cluster",
    Severity.WARNING,
    "Node of a guest cluster",
    why="Nodes watch each other: one that moves alone is declared dead, and two halves may both take over.",
    remedy="move all nodes in one group, and suspend failover before the first of them stops",
    condition="flows show it on a port of a cluster's heartbeat: 3343, 5404, 5405, 3121, 2224, 14141, 42424",
    properties=(),
    reference="Microsoft: failover cluster ports; Corosync and Pacemaker: ports to open",
    work=Work(30),
)
def cluster_node(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: node of a guest cluster; unknown for a VM no flow of which was seen."""
    ports = estate.lookup.ports.get(vm.id)
    if ports is None:
        yield None
    elif found := sorted(ports & _CLUSTER_PORTS):
        yield f"{visible(vm.name)} talks on {', '.join(map(str, found))}, as nodes of a cluster do"
