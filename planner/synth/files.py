"""The files of a synthetic estate: inventory, flows, applications, ground truth, RVTools exports.

Everything is written into a folder beside the target and moved there at the end, so that a target
holds a whole estate or nothing.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from itertools import chain
from pathlib import Path

from planner.export.estate import write_files
from planner.export.staged import staged
from planner.synth.dice import Dice
from planner.synth.drafts import Draft
from planner.synth.estate import Estate
from planner.synth.flows import Flow
from planner.synth.recipe import Recipe

Report = Callable[[str, int, int], None]
FLOW_COLUMNS = ("source", "destination", "port", "bytes", "first_seen", "last_seen")
APPLICATION_COLUMNS = ("vm", "application", "tier", "environment", "owner", "criticality", "window")


def _endpoint(draft: Draft, dice: Dice) -> str:
    """Return what a flow collector calls a VM: mostly its address, else a name."""
    addresses = draft.nics[0]["addresses"] if draft.nics else ()
    if addresses and dice.chance(0.6):
        return str(addresses[0])
    if draft.fields.get("dns_name") and dice.chance(0.4):
        return str(draft.fields["dns_name"])
    return draft.name


def flow_rows(flows: Sequence[Flow], dice: Dice) -> Iterable[tuple[str | int, ...]]:
    """Yield the observed flows as rows of ``FLOW_COLUMNS``."""
    for flow in flows:
        ends = _endpoint(flow.source, dice), _endpoint(flow.target, dice)
        if not flow.hidden:
            yield (*ends, flow.port, flow.bytes, flow.first_seen, flow.last_seen)


def application_rows(estate: Estate) -> Iterable[tuple[str, ...]]:
    """Yield what people say of the VMs as rows of ``APPLICATION_COLUMNS``."""
    for draft in chain(estate.hubs, (draft for app in estate.apps for draft in app.members)):
        fields = draft.fields
        application = draft.application.title if draft.application else fields["application"]
        yield (draft.name, application, *(fields[name] for name in APPLICATION_COLUMNS[2:]))


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str | int]]) -> None:
    """Write a table as UTF-8 with commas."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def write_estate(
    estate: Estate, recipe: Recipe, target: Path, formats: Sequence[str], report: Report
) -> tuple[str, ...]:
    """Write an estate to a folder and return the names of what is in it; raises BadInput, NoSpace.

    The folder must not exist or be empty. ``report`` is told what is written, and how much of it.
    """
    with staged(target) as folder:
        write_files(estate.inventory, folder, formats, report)
        report("flows.csv", 0, 1)
        write_csv(
            folder / "flows.csv", FLOW_COLUMNS, flow_rows(estate.flows, Dice(recipe.seed, "flow files"))
        )
        write_csv(folder / "applications.csv", APPLICATION_COLUMNS, application_rows(estate))
        truth = json.dumps(asdict(estate.truth), separators=(",", ":")) + "\n"
        (folder / "ground-truth.json").write_text(truth, encoding="ascii")
        return tuple(sorted(item.name for item in folder.iterdir()))
