"""wherry assess: how hard the estate is to move, how much data it is, and what is not known."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data, line, say, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planner.model import Inventory
    from planner.readiness import Situation
    from planner.scores import Complexity
    from planner.totals import Coverage, Total

_TOP = 10


@click.command(
    epilog="Examples: wherry assess; wherry assess crm-db-01; wherry assess --top 50; wherry assess --json"
)
@click.argument("vm_name", required=False, metavar="[VM]")
@click.option("--top", type=click.IntRange(1), default=_TOP, show_default=True,
              help="How many VMs and applications to list.")  # fmt: skip
@project_option
@json_option
def command(vm_name: str | None, top: int, project_dir: Path, as_json: bool) -> None:
    """Assess the newest inventory: complexity, data and churn, systems and licences, and what is unknown.

    With VM its points are explained. Points come from findings, disks, size, churn, sharing, operating
    system, snapshots and ties; they order the work, they measure nothing.
    """
    from planner.readiness import judge, situation, today
    from planner.scores import complexities
    from tui.cli.progress import Bar

    with open_project(project_dir) as project:
        at = situation(project)
    with Bar(in_bytes=False) as bar:
        bar.begin("checking VMs")
        readiness = judge(at, today(), progress=bar.report)
    scored = complexities(at.inventory, readiness)
    if vm_name is not None:
        _explain(_one(scored, vm_name), as_json)
        return
    from planner.totals import checks_decided, fields_known

    decided = checks_decided(at.inventory, readiness, at.checks())
    known = fields_known(at.inventory)
    if as_json:
        data(_document(at, scored, decided, known))
    else:
        _show(at, scored, top)
        _show_unknown(at, decided, known, top)


def _one(scored: Sequence[Complexity], name: str) -> Complexity:
    from planner.errors import BadInput, NotFound
    from planner.names import visible

    by_id = [item for item in scored if item.id == name]
    found = by_id or [item for item in scored if item.name.casefold() == name.casefold()]
    if not found:
        raise NotFound(
            f"no VM that moves is called {visible(name, 60)!r}", "see 'wherry inventory moves:yes' for names"
        )
    if len(found) > 1:
        ids = ", ".join(visible(item.id, 60) for item in found[:5])
        raise BadInput(f"{visible(name, 60)} is the name of {len(found)} VMs", f"name it by its id: {ids}")
    return found[0]


def _told(item: Complexity) -> dict[str, Any]:
    from dataclasses import asdict

    return {**asdict(item), "level": item.level.value}


def _explain(item: Complexity, as_json: bool) -> None:
    from planner.names import visible
    from planner.scores import FACTORS

    if as_json:
        data({**_told(item), "formula": dict(FACTORS)})
        return
    line(f"{visible(item.name)}: {item.points} points, {item.level.value}")
    formula = dict(FACTORS)
    for reason in item.reasons:
        line(f"  {reason.points:>3}  {reason.factor:<10}  {visible(reason.why)}")
        say(f"       {formula[reason.factor]}")
    if item.unknown:
        line(f"  not known, so not counted: {', '.join(item.unknown)}")


def _document(
    at: Situation, scored: Sequence[Complexity], decided: Sequence[Coverage], known: Sequence[Coverage]
) -> dict[str, Any]:
    from dataclasses import asdict

    from planner.scores import FACTORS, applications
    from planner.totals import data_total, systems

    inventory = at.inventory
    return {
        "formula": dict(FACTORS),
        "vms": [_told(item) for item in scored],
        "applications": [_told(item) for item in applications(inventory, scored)],
        "total": asdict(data_total(inventory)),
        "by": {name: [asdict(row) for row in rows] for name, rows in _parts(inventory)},
        "systems": [asdict(row) for row in systems(inventory)],
        "licences": None if "licences" in inventory.gaps else [asdict(item) for item in inventory.licences],
        "fields": [{**asdict(row), "share": row.share} for row in known],
        "checks": [{**asdict(row), "share": row.share} for row in decided],
    }


def _parts(inventory: Inventory) -> list[tuple[str, tuple[Total, ...]]]:
    from planner.totals import data_by, data_by_datastore, system_name

    return [
        ("tier", data_by(inventory, lambda vm: vm.tier)),
        ("system", data_by(inventory, system_name)),
        ("cluster", data_by(inventory, lambda vm: vm.cluster)),
        ("datastore", data_by_datastore(inventory)),
    ]


def _show(at: Situation, scored: Sequence[Complexity], top: int) -> None:
    from planner.scores import Level, applications
    from planner.totals import data_total
    from planner.units import show_count

    inventory = at.inventory
    line(show_count(len(scored), "VM") + " to move: " + ", ".join(
        f"{sum(item.level is level for item in scored):,} {level.value}" for level in Level
    ))  # fmt: skip
    line(_sentence(data_total(inventory)))
    for title, found in (("vm", scored), ("application", applications(inventory, scored))):
        if found:
            line()
            table(
                (title, "points", "level", "why"),
                (
                    (item.name, item.points, item.level.value, _why(item))
                    for item in found[:top]
                ),
            )  # fmt: skip
            if len(found) > top:
                many = show_count(len(found), "VM" if title == "vm" else title)
                say(f"{top} of {many}; --top shows more")
    for title, rows in _parts(inventory):
        line()
        _totals(title, rows)
    _systems(inventory)
    _licences(inventory)


def _why(item: Complexity) -> str:
    return ", ".join(f"{reason.factor} {reason.points}" for reason in item.reasons)


def _sentence(total: Total) -> str:
    from planner.units import show_bytes

    used = f"{show_bytes(total.used_bytes)} used by the {total.used_known:,} VMs that say so"
    churn = f"{show_bytes(total.churn_bytes_day)} written a day by the {total.churn_known:,} that say so"
    listed = (
        "" if total.disks_known == total.vms else f" by the {total.disks_known:,} VMs whose disks are known"
    )
    return f"{show_bytes(total.provisioned_bytes)} provisioned{listed}, {used}, {churn}"


def _totals(title: str, rows: Sequence[Total]) -> None:
    from planner.units import show_bytes

    by_vm = title != "datastore"
    table(
        (title, "vms", "provisioned", "used", "known for", *(("a day", "known for") if by_vm else ())),
        (
            (
                row.name or "(not said)",
                row.vms,
                show_bytes(row.provisioned_bytes) if row.disks_known else "–",
                show_bytes(row.used_bytes) if row.used_known else "–",
                row.used_known,
                *(
                    (show_bytes(row.churn_bytes_day) if row.churn_known else "–", row.churn_known)
                    if by_vm
                    else ()
                ),
            )
            for row in rows
        ),
    )


def _systems(inventory: Inventory) -> None:
    from planner.totals import systems

    line()
    table(
        ("operating system", "vms", "vcpu", "supported until"),
        (
            (row.name or "(not said)", row.vms, row.cpus, row.ends.isoformat() if row.ends else "not known")
            for row in systems(inventory)
        ),
    )


def _licences(inventory: Inventory) -> None:
    line()
    if "licences" in inventory.gaps:
        line("licences: the source does not list them")
        return
    if not inventory.licences:
        line("licences: none are listed")
        return
    table(
        ("licence", "used", "of", "until"),
        (
            (
                item.name,
                "–" if item.used is None else item.used,
                "–" if item.total is None else item.total or "no limit",
                item.expires.partition("T")[0] or "–",
            )
            for item in inventory.licences
        ),
    )


def _show_unknown(at: Situation, decided: Sequence[Coverage], known: Sequence[Coverage], top: int) -> None:
    from planner.units import show_count

    open_checks = [row for row in decided if row.known < row.asked]
    line()
    table(("field", "known for", "of"), ((row.name, row.known, row.asked) for row in known[:top]))
    line()
    table(("check", "decided for", "of"), ((row.name, row.known, row.asked) for row in open_checks[:top]))
    say(f"{show_count(len(open_checks), 'check')} of {len(decided)} could not be decided everywhere")
    if not at.inventory.dependencies:
        say("no ties between VMs are known: import flows, or complexity is more than it looks")
