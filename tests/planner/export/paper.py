"""Plans to print: a small one with all that a paper shows, and one whose every name is hostile."""

from __future__ import annotations

from typing import Any

from planner.export.printout import Printout
from planner.model import (
    VM,
    Backing,
    BusSharing,
    Datastore,
    Dependency,
    Finding,
    Guest,
    Inventory,
    Network,
    Nic,
    Severity,
    Tie,
)
from tests.planner.sketch import disk, estate, needs, plan, settings, vm

NASTY = (
    "<script>alert(1)</script>",
    "</style><img src=x onerror=alert(1)>",
    "\"><svg onload=alert(1)>",
    "' onmouseover='alert(1)",
    "{{ lookup('pipe', 'id') }}",
    "{% raw %}",
    "%%{init: {'theme':'dark'}}%%",
    "a\"] --> b[\"c",
    "end",
    "click g0 call alert()",
    "x\\",
    "back\\\\slash\\N\\l",
    "quote\"; g0 -- g1 [color=red];//",
    "<b>bold</b>",
    "&amp;&#60;",
    "*alias",
    "!!python/object/apply:os.system ['id']",
    "- item: [x",
    "a: b # c",
    "line\nbreak\r\nBEGIN:VEVENT",
    "semi;colon,comma\\",
    "=1+1",
    "@SUM(A1)",
    "\u202egnp.exe",
    "bell\x07\x1b[31m",
    "localhost",
    "127.0.0.1",
    "all",
    "web[1:3]",
    "host:22",
    "Ünïcode Ω",
    "true",
    "",
    "next\x85line\ufeff\u2028\U0001f680",
    "x" * 90,
)  # fmt: skip
WINDOWS = (
    {"start": "2027-01-09T22:00:00", "hours": 6, "zone": "Europe/Berlin"},
    {"start": "2027-03-27T23:00:00", "hours": 6, "zone": "Europe/Berlin"},  # clocks go forward in it
    {"start": "2027-04-10T20:00:00", "hours": 4},
)
FREEZES = (
    {
        "start": "2027-01-28T00:00:00",
        "end": "2027-02-02T00:00:00",
        "why": "quarter <close>",
        "zone": "Asia/Tokyo",
    },
    {"start": "2027-02-10T12:00:00", "end": "2027-02-10T18:00:00", "zone": "UTC"},
)


def _printout(inventory: Inventory, findings: tuple[Finding, ...] = (), **more: Any) -> Printout:
    made = plan(inventory, findings, **more)
    approvals = {made.waves[0].name: ("Ann <b>Lee</b>", "2026-10-02T00:00:00+00:00")} if made.waves else {}
    return Printout(made, inventory, findings, approvals, settings=settings(**more))


def paper(**more: Any) -> Printout:
    """Two applications in waves of their own, a cluster with a shared raw device, a template that stays."""
    shared = {"backing": Backing.RDM_PHYSICAL, "lun": "naa.6001", "bus_sharing": BusSharing.PHYSICAL}
    vms: list[VM] = []
    for at, (name, application) in enumerate(
        (("db1", "shop"), ("db2", "shop"), ("web1", "site"), ("web2", "site"))
    ):
        disks = [disk(path=f"[fast] {name}/{name}.vmdk")]
        if application == "shop":
            disks.append(disk("2001", path=f"[fast] {name}/{name}_1.vmdk", **shared))
        vms.append(
            vm(
                name,
                *disks,
                application=application,
                owner=f"{application}-team",
                tier="database" if application == "shop" else "web",
                environment="prod",
                moref=f"vm-{at + 10}",
                vcenter="vc-1",
                dns_name=f"{name}.example.org",
                guest=Guest(
                    running_os="Microsoft Windows Server 2022 (64-bit)" if at < 2 else "Debian GNU/Linux 12"
                ),
                nics=(Nic("Network adapter 1", "VM Network", mac=f"00:50:56:00:00:{at:02x}"),),
            )
        )
    ties = (
        needs("web1", "web2"),
        needs("web1", "db1", Tie.SOFT, traffic_bytes=5 * 1024**3),
        needs("web2", "db2", Tie.SOFT, traffic_bytes=1024**3),
    )
    inventory = estate(
        *vms,
        vm("gold", template=True),
        ties=ties,
        datastores=(Datastore("datastore-7", "fast", vcenter="vc-1"),),
        networks=(Network("network-9", "VM Network", vcenter="vc-1"),),
        notes=("vSnapshot is missing: snapshots are unknown",),
    )
    findings = (
        Finding("disks.rdm", Severity.BLOCKER, "id-db1", "db1", "db1 has a raw device", "convert it"),
        Finding("guest.tools", Severity.WARNING, "id-web1", "web1", "tools are old", "upgrade them"),
    )
    fields = {"caps": {"vms": 2}, "windows": WINDOWS, "freezes": FREEZES,
              "networks": {"VM Network": "Prod Net"}, **more}  # fmt: skip
    return _printout(inventory, findings, **fields)


def nasty(**more: Any) -> Printout:
    """Every name that people choose is hostile: VMs, applications, owners, disks, networks, reasons."""
    vms = [
        vm(
            name,
            disk(label=name, path=f"[{name}] a/b.vmdk"),
            id=f"i{at}",
            application=name,
            owner=name,
            tier=name,
            environment=name,
            guest_os=name,
            dns_name=name,
            nics=(Nic(name, name),),
        )
        for at, name in enumerate(NASTY)
    ]
    ties = tuple(
        Dependency(f"i{at}", f"i{at + 1}", Tie.SOFT, name, traffic_bytes=1000 * at)
        for at, name in enumerate(NASTY[:-1])
    )
    hard = Dependency("i0", "i2", Tie.HARD, NASTY[0])
    findings = tuple(
        Finding(f"x.{at}", Severity.BLOCKER, f"i{at}", name, f"{name} is odd", f"mend {name}")
        for at, name in enumerate(NASTY)
    )
    inventory = estate(*vms, vm("<i>gold</i>", template=True), ties=(*ties, hard), notes=(NASTY[0],))
    freezes = ({"start": "2027-01-28T00:00:00", "end": "2027-02-02T00:00:00", "why": NASTY[1]},)
    fields = {"caps": {"vms": 20}, "windows": WINDOWS, "freezes": freezes, **more}
    return _printout(inventory, findings, **fields)
