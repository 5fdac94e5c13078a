"""The one door to all exports: a format by name, a file that is there whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import cast

from planner.errors import BadInput, NoSpace, NotFound
from planner.export.printout import Printout
from planner.model import Finding, Inventory
from planner.plan import Plan


@dataclass(frozen=True, slots=True)
class Format:
    """A format: the module that renders it, its file suffix, and what it is in one line."""

    module: str
    suffix: str
    title: str

    def render(self, printout: Printout) -> bytes:
        """Return the printout in this format; the writer's library is loaded here."""
        return cast(bytes, import_module(self.module).render(printout))


FORMATS: dict[str, Format] = {
    "xlsx": Format("planner.export.xlsx", ".xlsx", "workbook with all tables"),
    "markdown": Format("planner.export.markdown", ".md", "plan and one runbook for each wave"),
    "json": Format("planner.export.document", ".json", "the plan file, to review and import"),
    "csv": Format("planner.export.csv", ".csv", "assignment of VMs to waves"),
}


def write_atomically(target: Path, data: bytes) -> None:
    """Replace ``target`` by ``data``, durable; raises BadInput or NoSpace and leaves it as it was."""
    temporary: Path | None = None
    try:
        # Beside the target, under a name that is nobody's, with the rights that the umask leaves.
        name = target.parent / f".export-{secrets.token_hex(8)}"
        with name.open("xb") as file:
            temporary = name
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
        temporary = None
        directory = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise NoSpace(f"{target} cannot be written: the disk is full", "free some space") from error
        raise BadInput(
            f"{target} cannot be written: {error.strerror}", "name a file in a folder that you may write to"
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def export_plan(
    plan: Plan,
    *,
    inventory: Inventory,
    findings: Sequence[Finding] = (),
    approvals: Mapping[str, tuple[str, str]] | None = None,
    owners: Mapping[str, str] | None = None,
    unknown: Mapping[str, int] | None = None,
    states: Mapping[str, str] | None = None,
    judged: str = "",
    format: str,
    target: Path,
) -> Path:
    """Write the plan in one of ``FORMATS`` and return the file's path.

    ``target`` is a file, or a folder that gets ``plan.<suffix>``; ``approvals`` is wave name →
    (who, when), ``owners`` application → owner, ``unknown`` check id → VMs it could not decide,
    ``states`` task id → where it stands, ``judged`` of which inventory the findings are. Raises
    NotFound for an unknown format, BadInput and NoSpace when it cannot be written.
    """
    chosen = FORMATS.get(format)
    if chosen is None:
        raise NotFound(f"format {format!r} does not exist", f"use one of: {', '.join(FORMATS)}")
    path = target / f"plan{chosen.suffix}" if target.is_dir() else target
    printout = Printout(plan, inventory, tuple(findings), approvals, owners, unknown, states, judged=judged)
    write_atomically(path, chosen.render(printout))
    return path
