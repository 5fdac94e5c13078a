"""Groups that somebody enrols at a receiver while it serves: one small file in the folder of each journal.

    enrolled, open ── passes, checkpoints ── closed at a checkpoint, or dismissed with all that is there

A closed one says what its replicas were brought to; its journal is gone, and its disks are plain again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from migrate.disks.durable import replace_file, sync_directory
from planner.errors import Corrupt
from planner.names import visible

FILE: Final = "enrolled.json"


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A group: its name, what people call it, its disks, and what is asked of its journal.

    ``cycles`` is what the cycles begin with that bring its disks: what came before is no first checkpoint.
    ``asked`` is in the words of ``parse_limits``, ``hard_bytes`` and ``warning_bytes`` apart, 0 for none.
    ``closed`` is the checkpoint that the replicas were brought to, empty while the journal is open.
    ``base`` is the name of a checkpoint of what the disks held when they were enrolled, empty for none.
    """

    group: str
    title: str
    volumes: tuple[str, ...]
    cycles: str
    history_s: float
    hard_bytes: int = 0
    warning_bytes: int = 0
    closed: Mapping[str, Any] = field(default_factory=dict)
    base: str = ""

    @property
    def is_open(self) -> bool:
        """Whether passes go through its journal."""
        return not self.closed


def save(folder: Path, enrolment: Enrolment) -> None:
    """Remember an enrolment durably in the folder of its journal; raises OSError."""
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in reversed(new):
        sync_directory(path.parent)
    told = json.dumps(asdict(enrolment), indent=1).encode("utf-8", "surrogatepass")
    replace_file(folder / FILE, told)


def load_all(folder: Path) -> Iterator[Enrolment]:
    """Yield what is enrolled in a store's folder of journals; raises Corrupt, OSError."""
    for path in sorted(folder.glob(f"*/{FILE}")):
        try:
            told = json.loads(path.read_bytes())
            yield Enrolment(**{**told, "volumes": tuple(map(str, told["volumes"]))})
        except (ValueError, TypeError, KeyError) as error:
            raise Corrupt(
                f"{visible(str(path), 200)} does not say which disks a journal is of", "bring it back"
            ) from error


def empty(folder: Path, *, keep: bool) -> None:
    """Remove a journal from its folder, durably; with ``keep`` the enrolment stays. Raises OSError.

    The segments go first: what is left of a removal that was cut off is no journal of anything.
    """
    if not folder.is_dir():
        return
    _remove(folder, lambda path: path.name != FILE)
    if not keep:
        _remove(folder, lambda _path: True)
        folder.rmdir()
        sync_directory(folder.parent)


def _remove(folder: Path, wanted: Any) -> None:
    for path in sorted(folder.iterdir(), key=lambda path: path.name == "group.json"):
        if not wanted(path):
            continue
        if path.is_dir() and not path.is_symlink():
            _remove(path, lambda _path: True)
            path.rmdir()
        else:
            path.unlink()
    sync_directory(folder)
