"""Checks of what VMs stand on: vCenters, clusters, clocks, certificates, other products."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from planner.checks import kept, target
from planner.checks.check import About, Rule, Work, rule
from planner.checks.estate import Estate, days_left
from planner.model import Cluster, Host, Severity, VCenter
from planner.names import visible
from planner.replicators import replicators
from planner.units import show_count

RULES: list[Rule] = [*kept.RULES, *target.RULES]
_CERTIFICATE = timedelta(days=60)
_SKEW_S = 1.0


def _certificate(name: str, said: str, estate: Estate) -> Iterator[str | None]:
    found = days_left(said, estate.taken_at)
    if found is None:
        yield None
    elif found[0] <= _CERTIFICATE.days:
        verb = "expired" if found[0] < 0 else "expires"
        yield f"{visible(name)} has a certificate that {verb} on {found[1]}"


@rule(
    RULES,
    "platform.certificate.host",
    Severity.WARNING,
    "Certificate of a host expires",
    why="With an expired certificate the host drops out of its vCenter, in the middle of the migration.",
    remedy="renew the certificate of the host",
    condition=f"a host's certificate is valid for {_CERTIFICATE.days} days at the most",
    properties=("HostSystem.config.certificate",),
    reference="vSphere Security: managing certificates for ESXi hosts",
    about=About.HOST,
    work=Work(20, lead_days=7),
)
def host_certificate(host: Host, estate: Estate) -> Iterator[str | None]:
    """Find: certificate of a host expires."""
    return _certificate(host.name, host.certificate_expires, estate)


@rule(
    RULES,
    "platform.certificate.vcenter",
    Severity.WARNING,
    "Certificate of a vCenter expires",
    why="With an expired certificate nobody logs in, and replication stops.",
    remedy="renew the certificate of the vCenter; give wherry the new thumbprint where it is pinned",
    condition=f"a vCenter's certificate is valid for {_CERTIFICATE.days} days at the most",
    properties=("TLS handshake: notAfter",),
    reference="vSphere Authentication: certificate management",
    about=About.VCENTER,
    work=Work(60, lead_days=7),
)
def vcenter_certificate(vcenter: VCenter, estate: Estate) -> Iterator[str | None]:
    """Find: certificate of a vCenter expires."""
    return _certificate(vcenter.name or vcenter.id, vcenter.certificate_expires, estate)


@rule(
    RULES,
    "platform.linked",
    Severity.WARNING,
    "Linked vCenters",
    why="Linked vCenters share accounts, roles and tags: what is changed for the move is changed for all.",
    remedy="write down which vCenters are linked, and retire the source's last",
    condition="the vCenter is in enhanced linked mode",
    properties=("ServiceInstance: lookup service",),
    reference="vCenter Server Installation: enhanced linked mode",
    about=About.VCENTER,
    work=Work(30),
)
def linked(vcenter: VCenter, estate: Estate) -> Iterator[str | None]:
    """Find: linked vCenters."""
    if vcenter.linked is None:
        yield None
    elif vcenter.linked:
        yield f"{visible(vcenter.name or vcenter.id)} is linked to other vCenters"


@rule(
    RULES,
    "platform.scheduled-tasks",
    Severity.INFO,
    "Scheduled tasks",
    why="Tasks (snapshots, power, scripts) name VMs by their number in this vCenter and go on at the source.",
    remedy="list the tasks, switch off what touches VMs that move, and make it again at the target",
    condition="the vCenter has scheduled tasks",
    properties=("ScheduledTaskManager.scheduledTask",),
    reference="vSphere API: ScheduledTaskManager",
    about=About.VCENTER,
    work=Work(60),
)
def scheduled_tasks(vcenter: VCenter, estate: Estate) -> Iterator[str | None]:
    """Find: scheduled tasks."""
    if vcenter.scheduled_tasks is None:
        yield None
    elif vcenter.scheduled_tasks:
        tasks = show_count(vcenter.scheduled_tasks, "scheduled task")
        yield f"{visible(vcenter.name or vcenter.id)} has {tasks}"


@rule(
    RULES,
    "platform.replication",
    Severity.WARNING,
    "Another product protects VMs here",
    why="Its plans, placeholders and filters hold VMs that are to move; after the move they protect nothing.",
    remedy="end its protection of each VM before the VM's seed, and set up protection at the target",
    condition="an extension of SRM, vSphere Replication, HCX, Zerto or RecoverPoint is registered",
    properties=("ExtensionManager.extensionList.key",),
    reference="vSphere API: ExtensionManager",
    about=About.VCENTER,
    work=Work(240, lead_days=7),
)
def replication(vcenter: VCenter, estate: Estate) -> Iterator[str | None]:
    """Find: another product protects VMs here."""
    if vcenter.extensions is None:
        yield None
        return
    if found := replicators(vcenter.extensions):
        names = ", ".join(product.name for product in found)
        yield f"{visible(vcenter.name or vcenter.id)} has {names} registered"


@rule(
    RULES,
    "platform.clock",
    Severity.WARNING,
    "Clock of a host is off",
    why="Guests take over their host's time at start and after a snapshot; logs and Kerberos go apart.",
    remedy="repair the host's time source",
    condition=f"the host's clock is more than {_SKEW_S:g} s from its vCenter's",
    properties=("HostDateTimeSystem.QueryDateTime",),
    reference="vSphere Security: synchronizing clocks",
    about=About.HOST,
    work=Work(15),
)
def clock(host: Host, estate: Estate) -> Iterator[str | None]:
    """Find: clock of a host is off."""
    if host.clock_skew_s is None:
        yield None
    elif abs(host.clock_skew_s) > _SKEW_S:
        yield f"{visible(host.name)} has a clock that is {host.clock_skew_s:+.1f} s off"


@rule(
    RULES,
    "platform.ntp",
    Severity.WARNING,
    "Host without a time source",
    why="Its clock drifts, and with it that of guests which follow it.",
    remedy="give the host time servers and start its time service",
    condition="a host names no time server, or its time service does not run",
    properties=("HostSystem.config.dateTimeInfo.ntpConfig", "config.service"),
    reference="vSphere Security: synchronizing clocks",
    about=About.HOST,
    work=Work(10),
)
def no_ntp(host: Host, estate: Estate) -> Iterator[str | None]:
    """Find: host without a time source."""
    if host.ntp_servers == ():
        yield f"{visible(host.name)} names no time server"
    elif host.ntp_running is False:
        yield f"{visible(host.name)} has a time service that does not run"
    elif host.ntp_servers is None or host.ntp_running is None:
        yield None


@rule(
    RULES,
    "platform.stretched",
    Severity.WARNING,
    "Stretched vSAN",
    why="Its VMs survive the loss of a site; at a target that is not stretched they do not.",
    remedy="agree with the owners on what protects the VMs at the target",
    condition="the cluster is a stretched vSAN cluster",
    properties=("vsan.VimClusterVsanVcStretchedClusterSystem",),
    reference="vSAN: stretched clusters",
    about=About.CLUSTER,
    work=Work(120, lead_days=14),
)
def stretched(cluster: Cluster, estate: Estate) -> Iterator[str | None]:
    """Find: stretched vSAN; a cluster that has no vSAN is not stretched."""
    if cluster.vsan_stretched:
        yield f"{visible(cluster.name)} is a stretched vSAN cluster"
    elif cluster.vsan_stretched is None and cluster.vsan is not False:
        yield None
