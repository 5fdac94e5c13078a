"""Which disks the journal of a group is of: their numbers, and from which record on they are in it.

No number is ever given twice, for records bear it. The file is durable before any record of a new disk is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from migrate.disks.durable import replace_file, sync_directory
from migrate.journal.directory import DirectoryFiles
from planner.errors import Corrupt
from planner.names import visible

_FILE: Final = "group.json"


@dataclass(frozen=True, slots=True)
class Members:
    """Numbers by volume, and the record before which a volume was not in the journal yet."""

    numbers: Mapping[str, int] = field(default_factory=dict)
    since: Mapping[str, int] = field(default_factory=dict)

    def joined(self, volumes: Iterable[str], record: int) -> Members:
        """Return them with those of ``volumes`` that are new, in the journal from ``record`` on."""
        new = [volume for volume in volumes if volume not in self.numbers]
        first = max(self.numbers.values(), default=-1) + 1
        numbers = {volume: first + at for at, volume in enumerate(new)}
        return Members({**self.numbers, **numbers}, {**self.since, **dict.fromkeys(new, record)})


def load_members(folder: Path, group: str) -> Members | None:
    """Return the members of the journal in ``folder``, None when there is none; raises Corrupt, OSError."""
    path = folder / _FILE
    if not path.is_file():
        if folder.is_dir() and DirectoryFiles(folder).numbers():
            raise _unknown(path)
        return None
    try:
        told = json.loads(path.read_bytes())
        name = told["group"]
        numbers = {str(volume): int(number) for volume, number in told["volumes"].items()}
        since = {str(volume): int(record) for volume, record in told["since"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _unknown(path) from error
    if name != group or len(set(numbers.values())) != len(numbers):
        raise Corrupt(
            f"{visible(str(path), 200)} is of another group", "give each receiver a store of its own"
        )
    return Members(numbers, since)


def save_members(folder: Path, group: str, members: Members) -> None:
    """Remember the members durably, the folder with them; raises OSError."""
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in reversed(new):
        sync_directory(path.parent)
    told = {"group": group, "volumes": dict(members.numbers), "since": dict(members.since)}
    replace_file(folder / _FILE, json.dumps(told, indent=1).encode("utf-8", "surrogatepass"))


def _unknown(path: Path) -> Corrupt:
    return Corrupt(f"{visible(str(path), 200)} does not say which disks the journal is of", "bring it back")
