"""The sheets of the workbook, in order: what is decided first, what is to be done next, the records last."""

from __future__ import annotations

from collections.abc import Iterator

from planner.export.gates import go_no_go_1, go_no_go_2
from planner.export.luns import lun_table
from planner.export.printout import (
    Cell,
    Printout,
    Table,
    approvals,
    assignment,
    disks,
    findings,
    groups,
    not_known,
    tasks,
    unplanned,
    waves,
)
from planner.export.risks import risk_register
from planner.export.runbook import milestones, night, told, way_back
from planner.export.schedule import calendar_grid
from planner.export.scorecard import executive, score_card
from planner.export.template import roles
from planner.graph import edges, refused_edges
from planner.model import Tie
from planner.names import visible
from planner.plan import Wave

_TIES = 200_000  # rows; Excel ends at 1,048,576, readers long before
_RUNBOOKS = 60  # waves with a sheet of their own
_RUNBOOK = (
    "Part",
    "No",
    "When",
    "What",
    "Who or on",
    "The plan says",
    "Go when",
    "Done or go",
    "No-go or initials",
)
_FIRST = (Tie.HARD, Tie.ORDER, Tie.APART, Tie.SOFT)


def dependencies(printout: Printout) -> Table:
    """Return one row for each tie with evidence and decision, hard and heavy ones first."""
    columns = (
        "Needs", "Is needed", "Tie", "Kind", "Port", "Bytes seen", "Confidence", "Because", "Evidence",
        "Decision", "Wave", "Other wave", "Across waves",
    )  # fmt: skip
    wave_of = {vm.id: wave.name for wave in printout.plan.waves for vm in wave.vms}
    vms = printout.vms
    every = [*edges(printout.inventory), *refused_edges(printout.inventory)]
    every.sort(key=lambda edge: (_FIRST.index(edge.tie), -(edge.weight_bytes or 0)))
    rows: list[tuple[Cell, ...]] = []
    for edge in every[:_TIES]:
        ends = (edge.source, edge.target)
        here, there = (wave_of.get(end, "") for end in ends)
        rows.append(
            (
                *(visible(vms[end].name if end in vms else end) for end in ends),
                edge.tie.value,
                edge.kind,
                "" if edge.port is None else str(edge.port),  # a number would get a thousands separator
                "not watched" if edge.weight_bytes is None else edge.weight_bytes,
                round(edge.confidence, 2),
                visible(edge.reason),
                visible(edge.evidence),
                f"{edge.decision}: {visible(edge.decided)}" if edge.decision else "nobody decided",
                here,
                there,
                "yes" if here and there and here != there else "no",
            )
        )
    if len(every) > _TIES:
        rest = f"{len(every) - _TIES} lighter ties are in deps.csv"
        rows.append((rest, *[""] * (len(columns) - 1)))
    return Table("Dependencies", columns, tuple(rows))


def _runbook_rows(printout: Printout, wave: Wave) -> Iterator[tuple[Cell, ...]]:
    for day, date, number, what, who, *_ in milestones(wave).rows:
        yield ("Days", number, f"{day} {date}", what, who, "", "", "", "")
    for part, sheet in (("Go 1, T-7", go_no_go_1), ("Go 2, T-0", go_no_go_2)):
        for number, question, says, when, who, *_ in sheet(printout, wave).rows:
            yield (part, number, "", question, who, says, when, "", "")
    for number, when, what, where, who, *_ in night(printout, wave).rows:
        yield ("The night", number, when, what, f"{who}: {where}", "", "", "", "")
    for number, (what, how) in enumerate(way_back(printout, wave).rows, 1):
        yield ("Way back", number, what, how, "", "", "", "", "")
    for number, (day, date, to, by, text) in enumerate(told(printout, wave).rows, 1):
        yield ("Told", number, f"{day} {date}", text, f"{by} to {to}", "", "", "", "")


def runbooks(printout: Printout) -> Iterator[Table]:
    """Yield a sheet for each wave, or one sheet of them all when there are more than 60."""
    plan = printout.plan
    if len(plan.waves) <= _RUNBOOKS:
        for wave in plan.waves:
            yield Table(f"Runbook {wave.name}", _RUNBOOK, tuple(_runbook_rows(printout, wave)))
        return
    rows = ((wave.name, *row) for wave in plan.waves for row in _runbook_rows(printout, wave))
    yield Table("Runbooks", ("Wave", *_RUNBOOK), tuple(rows))


def tables(printout: Printout) -> Iterator[Table]:
    """Yield all tables in the order of the workbook's sheets, each made when it is asked for."""
    first = (executive, score_card, waves, calendar_grid, assignment, groups, dependencies, disks, lun_table)
    then = (findings, tasks, risk_register)
    last = (not_known, unplanned, approvals)
    for make in (*first, *then):
        yield make(printout)
    yield roles()
    yield from runbooks(printout)
    for make in last:
        yield make(printout)
