"""What VM names say: the grammar of an estate, found in its names, and the application in each name.

A part of a name that stands beside many different others (site, role) tells no application; what is left
besides numbers, roles and environments does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from planner.evidence.resolve import host_name

ENVIRONMENTS: dict[str, str] = {
    word: name
    for name, words in {
        "Production": "p prd prod production live",
        "Test": "t tst test testing",
        "Development": "d dev devel development",
        "UAT": "u uat acc accept acceptance",
        "QA": "q qa",
        "Staging": "s stg stage staging pre preprod",
        "Integration": "i int integration",
        "Training": "trn train training",
        "DR": "dr",
    }.items()
    for word in words.split()
}
_ROLE_WORDS = """
    web www wb app ap as ws api svc db sql mssql ora oracle pg pgsql mysql mongo fs file files nas smb
    vdi mq msg queue cache redis lb proxy fe be front back ftp sftp etl bi batch job jobs node nd srv
    server vm host win lnx linux cl clu cluster rac master worker ctl adm admin mgmt agent
"""
ROLES = frozenset(_ROLE_WORDS.split())
_EMPTY_WORDS = "copy of old new do not delete temp tmp clone bak backup dont keep"
_EMPTY = frozenset(_EMPTY_WORDS.split())
_PARTS = re.compile(r"[^\W\d_]+|\d+")
_MANY = 5  # different others beside which a part of names tells nothing
_SHARE = 0.04  # of all other parts


@dataclass(frozen=True, slots=True)
class Said:
    """What a name says: the words of the application as a key, and its environment, "" = it does not."""

    words: tuple[str, ...]
    environment: str = ""


def parts(name: str) -> tuple[str, ...]:
    """Return the parts of a name, folded: runs of letters and runs of digits of its host name."""
    return tuple(_PARTS.findall((host_name(name) or name).casefold()))


def _bare(part: str) -> str:
    """Return a part without the role it ends with: ``crmdb`` is ``crm``."""
    for role in ("mssql", "mysql", "web", "app", "sql", "db", "srv"):
        if part.endswith(role) and len(part) - len(role) >= 3:
            return part.removesuffix(role)
    return part


def _telling(name_parts: Iterable[str]) -> list[str]:
    """Return the parts that may be words of an application."""
    return [
        _bare(part)
        for part in name_parts
        if len(part) > 1
        and not part.isdecimal()
        and part not in ROLES
        and part not in _EMPTY
        and part not in ENVIRONMENTS
    ]


def common(names: Iterable[str]) -> frozenset[str]:
    """Return the parts that stand beside so many others that they tell no application."""
    beside: dict[str, set[str]] = {}
    for name in names:
        telling = set(_telling(parts(name)))
        for part in telling:
            beside.setdefault(part, set()).update(telling)
    limit = max(_MANY, _SHARE * len(beside))
    return frozenset(part for part, others in beside.items() if len(others) - 1 >= limit)


def read_names(names: Mapping[str, str]) -> dict[str, Said]:
    """Return what the names of VMs say, by id; names that tell nothing are left out."""
    usual = common(names.values())
    found = {}
    for vm, name in names.items():
        split = parts(name)
        words = [part for part in _telling(split) if part not in usual]
        if words:
            environment = next((ENVIRONMENTS[part] for part in split if part in ENVIRONMENTS), "")
            found[vm] = Said(tuple(words), environment)
    return found
