"""Findings as rows of a table: those of one check or of one VM, as the checks said last.

Read on a connection of its own and in threads of its reader, so that no place waits for very many of them.
What many rows share is one object for all of them.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from planner.store.project import Project

if TYPE_CHECKING:
    from planner.model import Finding, Severity

Key = tuple[str, str, str, str]  # check, kind and id of what it is about, what was found


class FoundRow(NamedTuple):
    """A finding with the wave of its VM, "" for none; ``weight`` is 0 for the gravest severity.

    ``told`` is the message without the name that stands beside it. Other names are those of ``Finding``, so
    that filters over findings read it too.
    """

    key: Key
    subject_name: str
    message: str
    wave: str
    waiver: str
    weight: int
    check: str
    severity: Severity
    subject: str
    subject_kind: str
    remedy: str
    told: str


class FoundReader:
    """Reads findings of one project; safe to be asked from any thread."""

    def __init__(self, root: Path) -> None:
        """Remember where the project is; it is opened when first asked."""
        self._root = root
        self._project: Project | None = None
        self._closed = False
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the project; who asks afterwards is told nothing."""
        with self._lock:
            self._closed = True
            if self._project is not None:
                self._project.close()
                self._project = None

    def read(
        self,
        placed: Mapping[str, tuple[str, str]],
        *,
        check: str | None = None,
        vm: str | None = None,
        waived: bool | None = None,
    ) -> tuple[FoundRow, ...]:
        """Return findings of a check or on a VM in the order of ``wherry check``; none while not current."""
        from planner.errors import NotFound
        from planner.store import judged

        with self._lock:
            if self._closed:
                return ()
            if self._project is None:
                self._project = Project.open(self._root)
            try:
                found = judged.findings(self._project, check=check, vm=vm, waived=waived)
            except NotFound:  # something changed meanwhile: the next view says so
                return ()
        return rows_of(found, placed)


def rows_of(found: tuple[Finding, ...], placed: Mapping[str, tuple[str, str]]) -> tuple[FoundRow, ...]:
    """Return findings as rows."""
    from planner.model import Severity

    weights = {severity: weight for weight, severity in enumerate(Severity)}
    return tuple(
        FoundRow(
            (item.check, item.subject_kind, item.subject, item.message),
            item.subject_name,
            item.message,
            placed.get(item.subject, ("", ""))[0] if item.subject_kind == "vm" else "",
            item.waiver,
            weights[item.severity],
            item.check,
            item.severity,
            item.subject,
            item.subject_kind,
            item.remedy,
            _without(item.subject_name, item.message),
        )
        for item in found
    )


def _without(name: str, message: str) -> str:
    rest = message.removeprefix(name)
    return rest.lstrip(": ") or message if name and rest[:1] in (":", " ") else message
