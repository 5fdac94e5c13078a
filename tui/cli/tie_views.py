"""Further words of wherry deps: taking decisions back, groups too large, circles, suggestions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data, line, say, table

if TYPE_CHECKING:
    from planner.candidates.suggest import Suggestion
    from planner.graph.cuts import Cut, Oversize
    from planner.graph.decided import Rulings
    from planner.model import Dependency, Inventory
    from planner.store.project import Project

_SHOWN = 40


@click.command("forget", epilog="Examples: wherry deps forget crm-app-01 old-ftp; wherry deps forget dc01")
@click.argument("a")
@click.argument("b", required=False)
@click.option("--port", type=click.IntRange(0, 65_535), help="Only what was decided for this port.")
@project_option
@json_option
def forget(a: str, b: str | None, port: int | None, project_dir: Path, as_json: bool) -> None:
    """Take back what was decided on A and B, or on A as a hub: open again, as it was seen."""
    from tui.acts.deciding import forget as take_back
    from tui.cli.ties import tell

    with open_project(project_dir) as project:
        found = take_back(project, [name for name in (a, b) if name is not None], port)
    tell(found.stored, found.said, {"forgotten": found.count, "vms": list(found.vms)}, as_json)


@click.command("oversized", epilog="Example: wherry deps oversized --json")
@project_option
@json_option
def oversized_groups(project_dir: Path, as_json: bool) -> None:
    """List groups above the caps, and what parting each would cost; nothing is parted by itself."""
    from planner.graph.oversized import maybe_above_caps, oversized
    from planner.groups import move_groups
    from planner.store import inventories
    from planner.store import settings as settings_store
    from planner.units import show_count

    with open_project(project_dir) as project:
        inventory = inventories.latest(project).inventory
        settings = settings_store.load(project)
        groups = move_groups(inventory, settings)
        found = oversized(groups, inventory, settings)
        unsure = len(maybe_above_caps(groups, inventory, settings))
    names = {vm.id: vm.name for vm in inventory.vms}
    if as_json:
        data([_oversize_document(name, one, names) for name, one in found.items()])
        return
    for name, one in found.items():
        _tell_oversize(name, one, names)
    if unsure:
        say(f"{show_count(unsure, 'group')} may be above the caps: not all disks are known")
    elif not found:
        say("every group is within the caps")


def _oversize_document(name: str, one: Oversize, names: Mapping[str, str]) -> dict[str, Any]:
    from dataclasses import asdict

    from tui.cli.ties import tie_document

    def cut(found: Cut | None) -> dict[str, Any] | None:
        if found is None:
            return None
        return {**asdict(found), "refuse": [tie_document(edge, names) for edge in found.refuse]}

    return {**asdict(one), "group": name, "cheapest": cut(one.cheapest), "fitting": cut(one.fitting)}


def _tell_oversize(name: str, one: Oversize, names: Mapping[str, str]) -> None:
    from planner.names import visible
    from planner.sized import show_size, size_of
    from planner.units import show_bytes, show_count

    size = show_size(size_of(one.size_bytes, one.sized))
    line(f"{visible(name)}: {show_count(one.vm_count, 'VM')}, {size}")
    if one.cheapest is None:
        line("  storage holds all of it together: nothing can be refused")
    cheapest = "cheapest cut" if one.exact else "cheapest cut found"
    may = "may fit" if one.fitting is not None and one.fitting.fits is None else "fits"
    cuts = [(cheapest, one.cheapest), (f"cheapest found that {may} the caps", one.fitting)]
    if one.fitting == one.cheapest:
        cuts = [(f"{cheapest}, and it {may} the caps", one.cheapest)]
    for title, cut in cuts:
        if cut is None:
            continue
        unknown = f", of {show_count(cut.unknown, 'tie')} unknown" if cut.unknown else ""
        line(
            f"  {title}: {show_count(len(cut.part), 'VM')} of it leave, {show_count(len(cut.refuse), 'tie')} "
            f"to refuse with {show_bytes(cut.traffic_bytes)} of traffic{unknown}"
        )
        line(f"    {', '.join(visible(names[vm]) for vm in cut.part[:_SHOWN])}")
        for edge in cut.refuse[:_SHOWN]:
            line(
                f"    refuse {visible(names[edge.source])} and {visible(names[edge.target])}: "
                f"{visible(edge.reason)}"
            )
        if len(cut.refuse) > _SHOWN:
            line(f"    and {len(cut.refuse) - _SHOWN} more")
    if one.cheapest is not None and one.fitting is None:
        line("  no single cut was found that brings both sides under the caps")
    if one.joints:
        line(f"  held together by: {', '.join(visible(names[vm]) for vm in one.joints[:_SHOWN])}")


@click.command("cycles", epilog="Example: wherry deps cycles --json")
@project_option
@json_option
def cycles(project_dir: Path, as_json: bool) -> None:
    """List groups that wait for each other, and the cheapest tie to drop; none is dropped by itself."""
    from dataclasses import asdict

    from planner.graph.cycles import order_cycles
    from planner.graph.decided import Rulings
    from planner.groups import move_groups
    from planner.names import visible
    from planner.store import inventories
    from planner.store import settings as settings_store

    with open_project(project_dir) as project:
        inventory = inventories.latest(project).inventory
        groups = move_groups(inventory, settings_store.load(project))
    found = order_cycles(groups, inventory.dependencies)
    rulings, typed = Rulings(inventory.decisions), _typed(inventory)
    if as_json:
        data(
            [
                {
                    **asdict(cycle),
                    "dropped_by": [_dropping(one, rulings, typed) for one in cycle.drop.because],
                }
                for cycle in found
            ]
        )
        return
    names = {vm.id: vm.name for vm in inventory.vms}
    for cycle in found:
        circle = [*cycle.round_trip, cycle.round_trip[0]]
        line(f"each waits for the next: {', '.join(visible(name) for name in circle)}")
        if len(cycle.groups) > len(cycle.round_trip):
            line(f"  knotted with it: {', '.join(visible(name) for name in cycle.groups)}")
        opens = "and no circle is left" if cycle.opens else "which leaves others"
        line(f"  cheapest to drop, {opens}:")
        for item in cycle.drop.because:
            line(
                f"    {visible(names[item.source])} waits for {visible(names[item.target])}: "
                f"{visible(item.reason)} ({item.confidence:.0%} sure)"
            )
            line(f"      drop it: {_dropping(item, rulings, typed)}")
    if not found:
        say("no groups wait for each other in a circle")


def _typed(inventory: Inventory) -> dict[str, str]:
    """Return VM id → what names it in a command: its name where that is plain and nobody else's."""
    from collections import Counter
    from shlex import quote

    from planner.names import visible

    every = Counter(vm.name.casefold() for vm in inventory.vms)
    return {
        vm.id: quote(
            vm.name
            if every[vm.name.casefold()] == 1 and visible(vm.name) == vm.name and vm.name[:1] not in ("", "-")
            else vm.id
        )
        for vm in inventory.vms
    }


def _dropping(item: Dependency, rulings: Rulings, typed: Mapping[str, str]) -> str:
    """Return the command that drops an order tie: a person's word is taken back, what was seen is refused."""
    from planner.model import Ruling

    ends = f"{typed[item.source]} {typed[item.target]}"
    port = "" if item.port is None else f" --port {item.port}"
    said = rulings.on(item)
    if said is not None and said.ruling is Ruling.ORDER:
        return f"wherry deps forget {ends}"
    return f"wherry deps refuse {ends}{port} --why REASON"


@click.command(
    "suggest",
    epilog="Examples: wherry deps suggest; wherry deps suggest --accept 'Crm Production'; "
    "wherry deps suggest --accept Crm --as CRM",
)
@click.option("--accept", "wanted", metavar="NAME", help="Take this one as if an application list said so.")
@click.option("--as", "name", default="", help="What the application is really called.")
@click.option("--dismiss", "unwanted", metavar="NAME", help="Tell this one no more, until VMs join it.")
@click.option("--undismiss", "missed", metavar="NAME", help="Tell a dismissed one again.")
@click.option("--dismissed", "is_old", is_flag=True, help="List those that were dismissed.")
@click.option("--all", "every", is_flag=True, help=f"List all, not only the {_SHOWN} surest.")
@project_option
@json_option
def suggest(
    wanted: str | None,
    name: str,
    unwanted: str | None,
    missed: str | None,
    is_old: bool,
    every: bool,
    project_dir: Path,
    as_json: bool,
) -> None:
    """Suggest applications from names, tags, traffic and ports; nothing counts before it is accepted."""
    from dataclasses import asdict

    from planner.candidates.suggest import suggestions
    from planner.errors import BadInput
    from planner.graph import shared_services
    from planner.store import inventories
    from planner.store import settings as settings_store
    from planner.store.dismissed import parted, title_of
    from planner.units import show_count
    from tui.acts.applications import bring_back, chosen

    if name and wanted is None:
        raise BadInput("--as goes with --accept", "say which suggestion is called so")
    if sum(one is not None for one in (wanted, unwanted, missed)) > 1:
        raise BadInput("--accept, --dismiss and --undismiss exclude each other", "give one of them")
    with open_project(project_dir) as project:
        inventory = inventories.latest(project).inventory
        hubs = frozenset(shared_services(inventory, settings_store.load(project)))
        if missed is not None:
            bring_back(project, missed)
        found, old = parted(project, suggestions(inventory, hubs))
        if wanted is not None:
            _accept(project, inventory, chosen(found, wanted), name, as_json)
            return
        if unwanted is not None:
            _dismiss(project, chosen(found, unwanted), as_json)
            return
    found = old if is_old else found
    if as_json:
        data([{**asdict(one), "title": title_of(one), "new": len(one.new)} for one in found])
        return
    names = {vm.id: vm.name for vm in inventory.vms}
    shown = found if every else found[:_SHOWN]
    table(
        ("name", "sure", "vms", "new", "new members", "why"),
        (
            (
                title_of(one),
                f"{one.confidence:.0%}",
                len(one.members),
                len(one.new),
                ", ".join(names[member.vm] for member in one.new[:6]) + (", …" if len(one.new) > 6 else ""),
                "; ".join(one.reasons),
            )
            for one in shown
        ),
    )
    if len(found) > len(shown):
        say(f"{show_count(len(found) - len(shown), 'suggestion')} more: see them with --all")
    if found and not is_old:
        say("nothing of this counts yet: wherry deps suggest --accept NAME")
    if old and not is_old:
        say(f"{show_count(len(old), 'suggestion')} dismissed: see them with --dismissed")


def _dismiss(project: Project, one: Suggestion, as_json: bool) -> None:
    from tui.acts.applications import dismiss

    title = dismiss(project, one)
    if as_json:
        data({"dismissed": title})
        return
    line(f"{title} is suggested no more, until other VMs join it")
    say(f"tell it again with: wherry deps suggest --undismiss {title!r}")


def _accept(project: Project, inventory: Inventory, one: Suggestion, name: str, as_json: bool) -> None:
    from planner.store.dismissed import title_of
    from planner.units import show_count
    from tui.acts.applications import accept
    from tui.cli.imported import change_summary

    taken, facts = accept(project, inventory, one, name)
    head = taken.imports[0]
    if as_json:
        data({"accepted": title_of(one), "import": head.id, "facts": facts, **change_summary(taken)})
        return
    line(f"import {head.id}: {head.name}, {show_count(facts, 'fact')} of {show_count(len(one.new), 'VM')}")
    say(f"take it back with: wherry flows withdraw {head.id}")
