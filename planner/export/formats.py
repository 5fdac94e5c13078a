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
from planner.garbage import uncollected
from planner.model import Finding, Inventory
from planner.names import visible
from planner.plan import Plan
from planner.settings import Settings


@dataclass(frozen=True, slots=True)
class Format:
    """A format: the module that renders it, its file suffix, and what it is in one line.

    ``name`` is what the file is called in a folder, ``function`` the one of the module that renders it,
    ``of_waves`` the one for some waves alone, where a whole plan has more in it than its waves.
    """

    module: str
    suffix: str
    title: str
    name: str = "plan"
    function: str = "render"
    of_waves: str = ""

    @uncollected()
    def render(self, printout: Printout, *, some: bool = False) -> bytes:
        """Return the printout in this format, ``some`` = of some waves alone; its library is loaded here."""
        function = (self.of_waves if some else "") or self.function
        return cast(bytes, getattr(import_module(self.module), function)(printout))


_CSV = "planner.export.csv"
FORMATS: dict[str, Format] = {
    "xlsx": Format("planner.export.xlsx", ".xlsx", "workbook with all tables"),
    "markdown": Format(
        "planner.export.markdown", ".md", "plan and one runbook for each wave", of_waves="runbooks"
    ),
    "json": Format("planner.export.document", ".json", "the plan file, to review and import"),
    "csv": Format(_CSV, ".csv", "assignment of VMs to waves, to edit and read back", "assignment"),
    "csv-groups": Format(_CSV, ".csv", "move groups, with reasons and blockers", "groups", "groups"),
    "csv-waves": Format(_CSV, ".csv", "waves, with windows and loads", "waves", "waves"),
    "csv-deps": Format(_CSV, ".csv", "dependencies, with evidence", "deps", "deps"),
    "csv-exceptions": Format(
        _CSV, ".csv", "VMs that stay, waivers, remaps, pins", "exceptions", "exceptions"
    ),
    "luns": Format("planner.export.luns", ".xlsx", "LUNs to ask the storage team for", "lun-request"),
    "html": Format("planner.export.html.page", ".html", "report in one file, for browsers and for paper"),
    "ics": Format("planner.export.ics", ".ics", "calendar of windows, seeds, milestones and freezes"),
    "mermaid": Format("planner.export.mermaid", ".mmd", "groups and what ties them, as Mermaid flowchart"),
    "gantt": Format(
        "planner.export.gantt", "-gantt.mmd", "seeds, cutovers and freezes, as Mermaid Gantt chart"
    ),
    "dot": Format("planner.export.dot", ".dot", "groups and what ties them, for Graphviz"),
    "forklift": Format("planner.export.forklift", "-forklift.yaml", "Forklift maps and a Plan for each wave"),
    "hcx": Format("planner.export.hcx", "-hcx.csv", "mobility groups for VMware HCX"),
    "aws": Format("planner.export.aws", "-aws.csv", "intake form of Cloud Migration Factory on AWS"),
    "ansible": Format("planner.export.ansible", "-ansible.yaml", "Ansible inventory by wave and group"),
}


# What people mean by a word that stands for several files.
BUNDLES = {"csv": ("csv", "csv-groups", "csv-waves", "csv-deps", "csv-exceptions")}

# What may hold some waves alone: nothing in it then speaks of the plan as a whole.
OF_WAVES = ("markdown", "ics", "forklift", "hcx", "aws", "ansible")
_NAMED = 4  # waves that stand in the name of a file


def of_waves(plan: Plan, waves: Sequence[str]) -> Plan:
    """Return a plan with these waves alone, in its own order; raises NotFound."""
    known = {wave.name.casefold() for wave in plan.waves}
    for name in waves:
        if name.casefold() not in known:
            raise NotFound(f"wave {visible(name, 40)} is not in the plan", "see 'wherry plan show' for all")
    wanted = {name.casefold() for name in waves}
    return plan.model_copy(
        update={"waves": tuple(wave for wave in plan.waves if wave.name.casefold() in wanted)}
    )


def _mark(waves: Sequence[str]) -> str:
    """Return what the waves add to the name of a file."""
    more = len(waves) - _NAMED
    return "".join(f"-{name}" for name in waves[:_NAMED]) + (f"-and-{more}-more" if more > 0 else "")


def beside(formats: Sequence[str], plan: Plan) -> tuple[str, ...]:
    """Return the formats with those that a paper of a large plan refers to."""
    from planner.export.html.waves import is_large

    more = ("csv", "csv-groups") if "html" in formats and is_large(plan) else ()
    return tuple(dict.fromkeys((*formats, *more)))


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
    settings: Settings | None = None,
    judged: str = "",
    format: str,
    target: Path,
    waves: Sequence[str] = (),
) -> Path:
    """Write the plan in one of ``FORMATS`` and return the file's path.

    ``target`` is a file, or a folder that gets a file called as the format says; ``approvals`` is wave
    name → (who, when), ``owners`` application → owner, ``unknown`` check id → VMs it could not decide,
    ``states`` task id → where it stands; ``settings`` those the plan was made under, ``judged`` of which
    inventory the findings are. With ``waves`` a format of ``OF_WAVES`` holds these alone, in a file named
    after them. Raises NotFound for an unknown format or wave, BadInput and NoSpace when it cannot be written.
    """
    chosen = FORMATS.get(format)
    if chosen is None:
        raise NotFound(f"format {format!r} does not exist", f"use one of: {', '.join(FORMATS)}")
    if waves:
        if format not in OF_WAVES:
            raise BadInput(f"{format} is of a whole plan", f"some waves alone have: {', '.join(OF_WAVES)}")
        plan = of_waves(plan, waves)
    mark = _mark([wave.name for wave in plan.waves]) if waves else ""
    path = target / f"{chosen.name}{mark}{chosen.suffix}" if target.is_dir() else target
    printout = Printout(
        plan, inventory, tuple(findings), approvals, owners, unknown, states, settings, judged=judged
    )
    write_atomically(path, chosen.render(printout, some=bool(waves)))
    return path
