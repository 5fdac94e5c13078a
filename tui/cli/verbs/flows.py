"""wherry flows: what talks to what, and what people say of their VMs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data, line, say, table
from tui.cli.words import Words

if TYPE_CHECKING:
    from planner.evidence.leftover import Leftover
    from planner.evidence.records import Conversation, Import
    from planner.evidence.resolve import Resolver
    from planner.model import VM, Inventory
    from planner.sources.flows.text import Source
    from planner.store.project import Project

_KINDS = ("azure-migrate", "plain", "vrni", "netflow", "applications")
_SHOWN = 40


@click.group(
    cls=Words,
    epilog="Examples: wherry flows import deps.csv; wherry flows unresolved; wherry flows show crm-db",
)
def command() -> None:
    """Import flows and application lists, and settle which VM each name means."""


@command.command(
    "import",
    epilog="Examples: wherry flows import deps.csv apps.xlsx; wherry flows import x.csv --kind plain",
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option("--kind", type=click.Choice(_KINDS), help="What the files are; default: as their headers say.")
@click.option(
    "--strict", is_flag=True, help="Refuse application lists that name a VM nobody has, row by row."
)
@project_option
@json_option
def import_files(
    files: tuple[Path, ...], kind: str | None, strict: bool, project_dir: Path, as_json: bool
) -> None:
    """Read FILEs and make a snapshot with what they say; a file that is known already is left out.

    Reads the dependency csv of Azure Migrate, flow exports of vRNI (VCF Operations for Networks), nfdump -o
    csv, plain csv (source, destination, port, bytes, first_seen, last_seen), and application lists as csv or
    workbook (vm, application, tier, environment, owner, criticality, window). All files are taken or none.
    """
    from migrate import audit
    from planner.effects import Effect
    from planner.evidence.records import Kind
    from planner.names import visible
    from planner.sources.flows.text import look_through
    from planner.store import evidence
    from tui.acts.strictly import refuse_unknown
    from tui.cli.imported import change_summary, read_all, read_summary, tell_change, tell_reading

    with open_project(project_dir) as project:
        known = {item.sha256: item for item in evidence.imports(project)}
        sources: list[Source] = []
        repeated: list[Source] = []
        for source in map(look_through, files):
            if source.sha256 in known or source.sha256 in {item.sha256 for item in sources}:
                repeated.append(source)
            else:
                sources.append(source)
        readings = read_all(sources, Kind(kind) if kind else None)
        if strict:
            refuse_unknown(project, readings)
        taken = evidence.take_in(project, readings, audit.person()) if readings else None
        for reading in readings:
            audit.note(
                project,
                Effect.EDIT_PLAN,
                "flows import",
                reading.source.name,
                {"kind": reading.kind.value, "sha256": reading.source.sha256},
            )
    summary = {
        "imports": [
            read_summary(reading, head.id)
            for reading, head in zip(readings, taken.imports if taken else (), strict=True)
        ],
        "known_already": [item.name for item in repeated],
        **change_summary(taken),
    }
    if as_json:
        data(summary)
        return
    for source in repeated:
        head = known.get(source.sha256)
        which = f"import {head.id}, as {visible(head.name)}" if head else "the same as one before it"
        say(f"{source.name} is known already ({which}): nothing was read again")
    for reading, head in zip(readings, taken.imports if taken else (), strict=True):
        tell_reading(reading, head)
    if taken:
        tell_change(taken)


@command.command("list", epilog="Example: wherry flows list --json")
@project_option
@json_option
def list_imports(project_dir: Path, as_json: bool) -> None:
    """List what was imported."""
    from dataclasses import asdict

    from planner.store import evidence

    with open_project(project_dir) as project:
        heads = evidence.imports(project)
    if as_json:
        data([asdict(head) for head in heads])
        return
    table(
        ("id", "file", "kind", "rows", "refused", "at", "who"),
        ((item.id, item.name, item.kind, item.rows, item.refused, item.at, item.who) for item in heads),
    )


@command.command("withdraw", epilog="Example: wherry flows withdraw 3")
@click.argument("number", metavar="ID", type=int)
@project_option
@json_option
def withdraw(number: int, project_dir: Path, as_json: bool) -> None:
    """Take import ID back, and make a snapshot without what it said."""
    from tui.acts import applications
    from tui.cli.imported import change_summary, tell_change

    with open_project(project_dir) as project:
        taken = applications.withdraw(project, number)
    if as_json:
        data({"withdrawn": number, **change_summary(taken)})
        return
    say(f"import {number} no longer counts")
    tell_change(taken)


@command.command(
    "unresolved",
    epilog="Examples: wherry flows unresolved; wherry flows unresolved --external --all",
)
@click.option("--external", is_flag=True, help="List what lies outside the estate instead.")
@click.option("--all", "every", is_flag=True, help=f"List all, not only the {_SHOWN} with the most traffic.")
@project_option
@json_option
def unresolved(external: bool, every: bool, project_dir: Path, as_json: bool) -> None:
    """List names and addresses that lead to no VM, most traffic first, with the nearest VM name."""
    from dataclasses import asdict

    from planner.evidence.leftover import leftovers
    from planner.evidence.resolve import Verdict
    from planner.store import evidence, inventories, traffic
    from planner.units import show_count

    with open_project(project_dir) as project:
        inventory = inventories.latest_bare(project).inventory
        found = leftovers(traffic.carried(project), inventory, evidence.settled(project))
    listed = [item for item in found if (item.verdict is Verdict.EXTERNAL) == external]
    if as_json:
        data([asdict(item) for item in listed])
        return
    shown = listed if every else listed[:_SHOWN]
    table(("name", "traffic", "conversations", "facts", "why"), (_left(item) for item in shown))
    if len(listed) > len(shown):
        say(f"{len(listed) - len(shown):,} more: see them with --all")
    if listed and not external:
        say(f"{show_count(len(listed), 'name')} to settle: wherry flows map NAME VM, or NAME --external")


def _left(item: Leftover) -> tuple[str | int, ...]:
    from planner.evidence.resolve import Verdict
    from planner.units import show_bytes

    if item.verdict is Verdict.EXTERNAL:
        why = ", ".join(item.addresses)
    elif item.candidates:
        why = f"several VMs: {', '.join(item.candidates[:4])}{', …' if len(item.candidates) > 4 else ''}"
    else:
        why = "no such VM" + (f"; nearest: {item.nearest}" if item.nearest else "")
    carried = "unknown" if item.size_bytes is None else show_bytes(item.size_bytes)
    return item.label, carried, item.conversations, item.facts or "", why


@command.command(
    "map",
    epilog="Examples: wherry flows map crmdb01 crm-db-01; wherry flows map 10.9.8.7 --external; "
    "wherry flows map --from settled.csv",
)
@click.argument("name", required=False)
@click.argument("vm", required=False)
@click.option("--external", is_flag=True, help="NAME is none of the VMs.")
@click.option("--forget", is_flag=True, help="Take back what was settled for NAME.")
@click.option(
    "--from", "file", type=click.Path(path_type=Path), help="A csv of many: name,vm (blank = none)."
)
@project_option
@json_option
def settle(
    name: str | None,
    vm: str | None,
    external: bool,
    forget: bool,
    file: Path | None,
    project_dir: Path,
    as_json: bool,
) -> None:
    """Settle for good which VM an imported NAME or address means, also in later imports."""
    from planner.errors import BadInput
    from planner.names import visible
    from planner.store import inventories
    from tui.acts import meaning
    from tui.acts.finding import find_vm
    from tui.cli.imported import change_summary, tell_change

    if (file is None) == (name is None) or (vm is not None) + external + forget != (name is not None):
        raise BadInput(
            "flows map takes a NAME with one of VM, --external and --forget, or --from FILE alone",
            "see 'wherry flows map --help'",
        )
    meanings: dict[str, str | None]
    called = ""
    with open_project(project_dir) as project:
        if file is not None:
            meanings = _meanings(inventories.latest_bare(project).inventory, file)
        else:
            assert name is not None
            _known_label(project, name)
            target = find_vm(inventories.latest_bare(project).inventory, vm) if vm is not None else None
            meanings = {name: target.id if target else "" if external else None}
            called = f"{target.name} ({target.id})" if target else ""
        taken = meaning.settle(project, meanings, visible(file.name) if file is not None else str(name))
    if as_json:
        data({"settled": meanings, **change_summary(taken)})
        return
    for label, told in list(meanings.items())[:_SHOWN]:
        means = (
            "is open again" if told is None else f"means {called or told}" if told else "is none of the VMs"
        )
        say(visible(f"{label} {means}"))
    if len(meanings) > _SHOWN:
        say(f"and {len(meanings) - _SHOWN:,} more")
    tell_change(taken)


def _meanings(inventory: Inventory, file: Path) -> dict[str, str | None]:
    """Return the VM ids of a file of settled names; raises BadInput that names the row."""
    from planner.errors import BadInput
    from planner.names import visible
    from planner.sources.flows.settled import read_settled
    from tui.acts.finding import find_vm, vms_by_name

    found: dict[str, str | None] = {}
    known = vms_by_name(inventory)
    for label, (vm, row) in read_settled(file).items():
        try:
            found[label] = find_vm(inventory, vm, known).id if vm else ""
        except BadInput as error:
            raise BadInput(f"{visible(file.name, 80)} row {row}: {error.message}", error.hint) from error
    return found


def _known_label(project: Project, name: str) -> None:
    """Raise NotFound when no import holds the name, nor was it ever settled."""
    from difflib import get_close_matches

    from planner.errors import NotFound
    from planner.evidence.records import settled_key
    from planner.store import evidence

    labels = {
        label
        for ends in evidence.endpoints(project).values()
        for end in ends
        for label in (end.name, end.address)
    }
    keys = {settled_key(label): label for label in labels if label}
    if settled_key(name) in keys or settled_key(name) in evidence.settled(project):
        return
    near = get_close_matches(settled_key(name), keys, 1)
    raise NotFound(
        f"no import holds the name {name!r}",
        f"did you mean {keys[near[0]]}?" if near else "see 'wherry flows unresolved'",
    )


@command.command("show", epilog="Example: wherry flows show crm-db-01")
@click.argument("vm")
@project_option
@json_option
def show(vm: str, project_dir: Path, as_json: bool) -> None:
    """Show what was imported of VM: its conversations and what lists say, each with where it stands."""
    from planner.evidence.records import iso
    from planner.evidence.resolve import Resolver
    from planner.evidence.told import cite_fact
    from planner.names import visible
    from planner.store import evidence, inventories, traffic
    from planner.units import show_bytes
    from tui.acts.finding import find_vm

    with open_project(project_dir) as project:
        inventory = inventories.latest_bare(project).inventory
        target = find_vm(inventory, vm)
        resolver = Resolver(inventory, evidence.settled(project))
        heads = {head.id: head for head in evidence.imports(project)}
        heard = traffic.heard(project, target.id, resolver)
    talk = [_conversation(item, target, resolver, heads) for item in heard.conversations]
    talk.sort(key=lambda item: -(item["size_bytes"] or 0))
    facts = [
        {"field": fact.field, "value": fact.value, "evidence": cite_fact(fact, heads)} for fact in heard.facts
    ]
    if as_json:
        data({"vm": target.id, "name": target.name, "conversations": talk, "facts": facts})
        return
    for fact in facts:
        line(visible(f"{fact['field']}: {fact['value']} ({fact['evidence']})"))
    table(
        ("it", "with", "port", "traffic", "last seen", "sure", "evidence"),
        (
            (
                "calls" if item["role"] == "client" else "serves",
                item["peer"],
                "" if item["port"] is None else item["port"],
                "unknown" if item["size_bytes"] is None else show_bytes(item["size_bytes"]),
                iso(item["last_seen"])[:10],
                f"{item['confidence']:.0%}",
                item["evidence"],
            )
            for item in talk
        ),
    )


def _conversation(said: Conversation, vm: VM, resolver: Resolver, heads: dict[int, Import]) -> dict[str, Any]:
    from planner.evidence.ties import cite, confidence

    client = resolver.resolve(said.source).vm == vm.id
    end = said.destination if client else said.source
    resolved = resolver.resolve(end)
    return {
        "role": "client" if client else "server",
        "peer": end.label,
        "peer_vm": resolved.vm,
        "peer_is": resolved.verdict.value,
        "port": said.port,
        "protocol": said.protocol,
        "size_bytes": said.size_bytes,
        "conversations": said.count,
        "first_seen": said.first_seen,
        "last_seen": said.last_seen,
        "confidence": confidence(said.count, said.days),
        "evidence": cite(((said.origin, said.rows),), said.count, heads),
    }


@command.command(
    "contradictions",
    epilog="Example: wherry flows contradictions --json",
)
@project_option
@json_option
def contradictions(project_dir: Path, as_json: bool) -> None:
    """List where application lists disagree: the newest import counts, in one list the last row."""
    from dataclasses import asdict

    from planner.evidence.resolve import Resolver
    from planner.evidence.told import told
    from planner.store import evidence, inventories

    with open_project(project_dir) as project:
        inventory = inventories.latest_bare(project).inventory
        heads = {head.id: head for head in evidence.imports(project)}
        facts = evidence.facts(project, evidence.endpoints(project))
        resolver = Resolver(inventory, evidence.settled(project))
    _, found = told(facts, resolver, heads)
    if as_json:
        data([asdict(item) for item in found])
        return
    names = {vm.id: vm.name for vm in inventory.vms}
    table(
        ("vm", "of", "counts", "as said in", "overruled", "as said in"),
        (
            (names[item.vm], item.field, item.value, item.evidence, item.overruled, item.overruled_evidence)
            for item in found
        ),
    )
