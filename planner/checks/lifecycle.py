"""Operating systems by name: family and version, and when their makers' general support ended or ends.

Dates are those of the makers' life cycle pages (Microsoft's fixed policy: extended support; Red Hat:
maintenance support; SUSE: general support of the last service pack; Canonical: standard support;
Debian: long-term support; others: end of updates), as they stood on ``AS_OF``. Paid extensions are
left aside. A family or version that is not here is unknown, not supported.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from planner.model import VM

AS_OF = date(2026, 5, 1)


@dataclass(frozen=True, slots=True)
class System:
    """An operating system. ``version`` is empty when the name says none; ``later`` = or a later one."""

    family: str
    version: str = ""
    later: bool = False

    def __str__(self) -> str:
        return f"{self.family} {self.version}".rstrip() + (" or later" if self.later else "")

    @property
    def ends(self) -> date | None:
        """The day support ended or ends, None when it is not known."""
        return None if self.later else _ENDS.get((self.family, self.version))


# What stands for a version must not be one of several ("CentOS 4/5/6/7").
_NAMES: tuple[tuple[str, str], ...] = (
    ("Windows Server", r"windows (?:server )?(?P<v>20\d\d(?: r2)?|2000)\b(?! professional)"),
    ("Windows NT", r"windows nt\s?(?P<v>4)?"),
    ("Windows", r"windows (?P<v>xp|vista|7|8\.1|8|10|11)\b(?! server)"),
    ("Windows", r"windows"),
    ("Red Hat Enterprise Linux", r"(?:red hat enterprise linux|rhel)(?: server| release)* ?(?P<v>\d+)?"),
    ("CentOS Stream", r"centos(?: linux)? stream ?(?P<v>\d+)?"),
    ("CentOS Linux", r"centos(?: linux)?(?: release)? ?(?P<v>\d+)?"),
    ("Oracle Linux", r"oracle linux(?: server)?(?: release)? ?(?P<v>\d+)?"),
    ("Rocky Linux", r"rocky linux ?(?P<v>\d+)?"),
    ("AlmaLinux", r"almalinux ?(?P<v>\d+)?"),
    ("SUSE Linux Enterprise", r"suse linux enterprise(?: server)? ?(?P<v>\d+)?"),
    ("Ubuntu", r"ubuntu(?: linux)? ?(?P<v>\d\d\.\d\d)?"),
    ("Debian", r"debian(?: gnu/linux)? ?(?P<v>\d+)?"),
    ("FreeBSD", r"freebsd ?(?P<v>\d+)?"),
    ("Amazon Linux", r"amazon linux ?(?P<v>\d+)?"),
    ("Photon OS", r"(?:vmware )?photon(?: os)?"),
    ("Solaris", r"solaris ?(?P<v>\d+)?"),
    ("macOS", r"mac\s?os"),
)
_PATTERNS = tuple((family, re.compile(pattern)) for family, pattern in _NAMES)
_SEVERAL = re.compile(r"\s?[/,]\s?\d")


@lru_cache(maxsize=4096)
def system(name: str) -> System | None:
    """Return the operating system that a full name speaks of, None when it is not recognised."""
    text = name.casefold().replace("®", "").replace("(r)", "")
    for family, pattern in _PATTERNS:
        if found := pattern.search(text):
            version = (found.groupdict().get("v") or "").upper().replace("VISTA", "Vista")
            several = bool(_SEVERAL.match(text, found.end())) or "pre-" in text
            return System(family, "" if several else version, "or later" in text)
    return None


def runs(vm: VM) -> System | None:
    """Return what runs in a VM; the guest knows better than its configuration."""
    return (system(vm.guest.running_os) if vm.guest.running_os else None) or system(vm.guest_os)


def same(a: System, b: System) -> bool | None:
    """Return whether two names may speak of one system, None when a version is not said."""
    if a.family != b.family:
        return False
    if a.version and b.version:
        return a.version == b.version or a.later or b.later
    return None


def _dates(family: str, **ends: str) -> dict[tuple[str, str], date]:
    # A keyword cannot hold a point or begin with a digit: v8_1 is 8.1, v2008__r2 is "2008 R2".
    return {
        (family, key[1:].replace("__r2", " R2").replace("_", ".")): date.fromisoformat(day)
        for key, day in ends.items()
    }


_ENDS: dict[tuple[str, str], date] = {
    **_dates(
        "Windows Server",
        v2000="2010-07-13",
        v2003="2015-07-14",
        v2003__r2="2015-07-14",
        v2008="2020-01-14",
        v2008__r2="2020-01-14",
        v2012="2023-10-10",
        v2012__r2="2023-10-10",
        v2016="2027-01-12",
        v2019="2029-01-09",
        v2022="2031-10-14",
        v2025="2034-10-10",
    ),
    **_dates("Windows NT", v4="2004-12-31"),
    ("Windows", "XP"): date(2014, 4, 8),
    ("Windows", "Vista"): date(2017, 4, 11),
    **_dates("Windows", v7="2020-01-14", v8="2016-01-12", v8_1="2023-01-10", v10="2025-10-14"),
    **_dates(
        "Red Hat Enterprise Linux",
        v4="2012-02-29",
        v5="2017-03-31",
        v6="2020-11-30",
        v7="2024-06-30",
        v8="2029-05-31",
        v9="2032-05-31",
        v10="2035-05-31",
    ),
    **_dates("CentOS Linux", v5="2017-03-31", v6="2020-11-30", v7="2024-06-30", v8="2021-12-31"),
    **_dates("CentOS Stream", v8="2024-05-31"),
    **_dates("Oracle Linux", v6="2021-03-01", v7="2024-12-01", v8="2029-07-01", v9="2032-06-30"),
    **_dates("Rocky Linux", v8="2029-05-31", v9="2032-05-31"),
    **_dates("AlmaLinux", v8="2029-03-01", v9="2032-05-31"),
    **_dates("SUSE Linux Enterprise", v10="2013-07-31", v11="2019-03-31", v12="2024-10-31"),
    **_dates(
        "Ubuntu",
        v12_04="2017-04-28",
        v14_04="2019-04-02",
        v16_04="2021-04-02",
        v18_04="2023-05-31",
        v20_04="2025-05-31",
        v22_04="2027-04-01",
        v24_04="2029-05-31",
    ),
    **_dates(
        "Debian",
        v6="2016-02-29",
        v7="2018-05-31",
        v8="2020-06-30",
        v9="2022-07-01",
        v10="2024-06-30",
        v11="2026-08-31",
        v12="2028-06-10",
    ),
    **_dates("FreeBSD", v10="2018-10-31", v11="2021-09-30", v12="2023-12-31", v13="2026-04-30"),
}
