"""Guest systems: what runs on VMs of each class, in what share, and which of them are out of support."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class System:
    """A guest system as configuration and tools name it. ``old`` is beyond its vendor's support."""

    guest_id: str
    name: str
    windows: bool = False
    old: bool = False


_W2012 = System("windows8Server64Guest", "Microsoft Windows Server 2012 (64-bit)", windows=True, old=True)
_W2016 = System("windows9Server64Guest", "Microsoft Windows Server 2016 (64-bit)", windows=True)
_W2019 = System("windows2019srv_64Guest", "Microsoft Windows Server 2019 (64-bit)", windows=True)
_W2022 = System("windows2019srvNext_64Guest", "Microsoft Windows Server 2022 (64-bit)", windows=True)
_W10 = System("windows9_64Guest", "Microsoft Windows 10 (64-bit)", windows=True)
_RHEL8 = System("rhel8_64Guest", "Red Hat Enterprise Linux 8 (64-bit)")
_RHEL9 = System("rhel9_64Guest", "Red Hat Enterprise Linux 9 (64-bit)")
_SLES15 = System("sles15_64Guest", "SUSE Linux Enterprise 15 (64-bit)")
_UBUNTU = System("ubuntu64Guest", "Ubuntu Linux (64-bit)")
_DEBIAN12 = System("debian12_64Guest", "Debian GNU/Linux 12 (64-bit)")
PHOTON = System("vmwarePhoton64Guest", "VMware Photon OS (64-bit)")

_SERVERS = ((_W2019, 34.0), (_W2022, 22.0), (_W2016, 14.0), (_RHEL8, 11.0), (_RHEL9, 7.0), (_SLES15, 4.0))
SYSTEMS: dict[str, tuple[tuple[System, float], ...]] = {
    "web": ((_RHEL8, 20.0), (_UBUNTU, 18.0), (_W2019, 30.0), (_W2022, 20.0), (_DEBIAN12, 12.0)),
    "application": (*_SERVERS, (_UBUNTU, 8.0)),
    "database": (*_SERVERS, (_UBUNTU, 4.0)),
    "file": ((_W2019, 55.0), (_W2022, 45.0)),
    "infrastructure": ((_W2019, 45.0), (_W2022, 30.0), (_RHEL9, 15.0), (_DEBIAN12, 10.0)),
    "desktop": ((_W10, 100.0),),
}
OLD: tuple[tuple[System, float], ...] = (
    (
        System("windows7Server64Guest", "Microsoft Windows Server 2008 R2 (64-bit)", windows=True, old=True),
        35.0,
    ),
    (_W2012, 25.0),
    (System("winNetEnterpriseGuest", "Microsoft Windows Server 2003 (32-bit)", windows=True, old=True), 5.0),
    (System("rhel6_64Guest", "Red Hat Enterprise Linux 6 (64-bit)", old=True), 15.0),
    (System("centos7_64Guest", "CentOS 7 (64-bit)", old=True), 15.0),
    (System("sles11_64Guest", "SUSE Linux Enterprise 11 (64-bit)", old=True), 5.0),
)
