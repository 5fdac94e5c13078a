"""wherry deps: what is tied to what, what must move together and why, and what people say of it."""

from __future__ import annotations

from pathlib import Path

import click

from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data, line, say, table
from tui.cli.several import move_together, name_application
from tui.cli.tie_views import cycles, forget, oversized_groups, suggest
from tui.cli.words import Words


class _Tied(Words):
    """A group whose unknown words are VMs: ``deps crm-db-01`` tells of its group, as ``deps why`` does."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands:
            return "why", self.commands["why"], args
        return super().resolve_command(ctx, args)


@click.group(
    cls=_Tied,
    invoke_without_command=True,
    epilog="Examples: wherry deps; wherry deps crm-db-01; wherry deps list kind:volume; "
    "wherry deps refuse crm-app-01 old-ftp --why 'job is gone'",
)
@project_option
@json_option
@click.pass_context
def command(ctx: click.Context, project_dir: Path, as_json: bool) -> None:
    """List the move groups, or show the reason chain of the group that VM is in."""
    from dataclasses import asdict

    from planner.groups import move_groups
    from planner.store import inventories
    from planner.store import settings as settings_store

    if ctx.invoked_subcommand is not None:
        return
    with open_project(project_dir) as project:
        inventory = inventories.latest(project).inventory
        groups = move_groups(inventory, settings_store.load(project))
    if as_json:
        data([asdict(group) for group in groups])
        return
    names = {item.id: item.name for item in inventory.vms}
    table(
        ("group", "vms", "members"),
        ((group.name, len(group.vms), ", ".join(names[item] for item in group.vms)) for group in groups),
    )


@command.command("why", epilog="Example: wherry deps why crm-db-01")
@click.argument("vm")
@project_option
@json_option
def why_vm(vm: str, project_dir: Path, as_json: bool) -> None:
    """Show the group that VM is in, and the chain of reasons that puts it there."""
    from dataclasses import asdict

    from planner.errors import NotFound
    from planner.groups import move_groups, why
    from planner.names import visible
    from planner.store import inventories
    from planner.store import settings as settings_store
    from tui.acts.finding import find_vms

    with open_project(project_dir) as project:
        inventory = inventories.latest(project).inventory
        groups = move_groups(inventory, settings_store.load(project))
    wanted = find_vms(inventory, vm)
    groups = tuple(group for group in groups if wanted & set(group.vms))
    if not groups:
        raise NotFound(
            f"VM {vm!r} is in no move group: templates, placeholders and excluded VMs stay",
            "see 'exclude' in 'wherry settings show'",
        )
    if as_json:
        chains = {one: [asdict(step) for step in why(groups, one)] for group in groups for one in group.vms}
        data(
            [
                {**asdict(group), "chains": {one: chains[one] for one in group.vms if one in wanted}}
                for group in groups
            ]
        )
        return
    names = {item.id: item.name for item in inventory.vms}
    for group in groups:
        line(f"{visible(group.name)}: {', '.join(visible(names[item]) for item in group.vms)}")
        for reason in group.reasons:
            line(f"  {visible(names[reason.a])} and {visible(names[reason.b])}: {visible(reason.why)}")
        for one in (item for item in group.vms if item in wanted):
            chain = why(groups, one)
            if len(chain) > 1:
                line(f"{visible(names[one])} is tied to {visible(names[group.vms[0]])} by")
                for step in chain:
                    line(f"  {visible(names[step.a])} and {visible(names[step.b])}: {visible(step.why)}")


@command.command(
    "list", epilog="Examples: wherry deps list; wherry deps list crm kind:volume; wherry deps list decided"
)
@click.argument("terms", nargs=-1, metavar="[FILTER]")
@click.option("--all", "every", is_flag=True, help="List all, not only the first 200.")
@project_option
@json_option
def list_ties(terms: tuple[str, ...], every: bool, project_dir: Path, as_json: bool) -> None:
    """List ties that match FILTER, refused ones too: who needs whom, why, how sure, what was decided.

    Terms are and-ed: a bare word is looked for in names and reasons; tie:hard (soft, order, apart),
    kind:volume (clone, ft, vapp, rule, dependency, person), port:1433; the words decided, accepted,
    refused and open choose by decision.
    """
    from planner.graph import edges, refused_edges
    from planner.store import inventories
    from planner.units import show_bytes, show_count
    from tui.cli.ties import matching, tie_document

    with open_project(project_dir) as project:
        inventory = inventories.latest(project).inventory
    names = {item.id: item.name for item in inventory.vms}
    found = matching((*edges(inventory), *refused_edges(inventory)), names, terms)
    if as_json:
        data([tie_document(edge, names) for edge in found])
        return
    shown = found if every else found[:200]
    table(
        ("vm", "needs", "tie", "kind", "port", "traffic", "sure", "decided", "why"),
        (
            (
                names.get(edge.source, edge.source),
                names.get(edge.target, edge.target),
                edge.tie.value,
                edge.kind,
                "" if edge.port is None else edge.port,
                "" if edge.weight_bytes is None else show_bytes(edge.weight_bytes),
                f"{edge.confidence:.0%}",
                f"{edge.decision} {edge.decided}".strip(),
                edge.reason,
            )
            for edge in shown
        ),
    )
    if len(found) > len(shown):
        say(f"{show_count(len(found) - len(shown), 'tie')} more: see them with --all")


@command.command("hubs", epilog="Example: wherry deps hubs --json")
@project_option
@json_option
def list_hubs(project_dir: Path, as_json: bool) -> None:
    """List VMs that everyone needs: how many use them, on which ports, and who confirmed it.

    Hubs that nobody confirmed count until somebody denies them.
    """
    from dataclasses import asdict

    from planner.graph import hubs
    from planner.store import inventories
    from planner.store import settings as settings_store
    from planner.units import show_bytes, show_count

    with open_project(project_dir) as project:
        inventory = inventories.latest(project).inventory
        found = hubs(inventory, settings_store.load(project))
    names = {item.id: item.name for item in inventory.vms}
    if as_json:
        data([{**asdict(hub), "name": names[hub.vm], "counts": hub.counts} for hub in found])
        return
    table(
        ("vm", "users", "traffic", "ports", "hub", "why"),
        (
            (
                names[hub.vm],
                hub.users,
                "unknown" if hub.traffic_bytes is None else show_bytes(hub.traffic_bytes),
                ", ".join(map(str, hub.ports)),
                hub.verdict or "not confirmed",
                "; ".join(hub.reasons),
            )
            for hub in found
        ),
    )
    unconfirmed = sum(not hub.verdict for hub in found)
    if unconfirmed:
        say(f"{show_count(unconfirmed, 'hub')} nobody confirmed, used as hubs until somebody denies them:")
        say("  wherry deps hub NAME --yes, or --no")


@command.command("hub", epilog="Examples: wherry deps hub dc01 --yes; wherry deps hub crm-web-01 --no")
@click.argument("vm")
@click.option("--yes/--no", "is_hub", default=None, help="It is one, or it is not.")
@click.option("--why", default="", help="For the record.")
@project_option
@json_option
def decide_hub(vm: str, is_hub: bool | None, why: str, project_dir: Path, as_json: bool) -> None:
    """Confirm or deny that everyone needs VM."""
    from planner.errors import BadInput
    from planner.model import Ruling
    from tui.cli.ties import decide

    if is_hub is None:
        raise BadInput("hub needs --yes or --no", "say which: wherry deps hub NAME --yes")
    with open_project(project_dir) as project:
        decide(project, Ruling.HUB if is_hub else Ruling.NO_HUB, (vm,), why=why, as_json=as_json)


@command.command(
    "accept", epilog="Example: wherry deps accept crm-app-01 crm-db-01 --port 1433 --why 'asked Mia'"
)
@click.argument("a")
@click.argument("b")
@click.option("--port", type=click.IntRange(0, 65_535), help="Only the tie on this port.")
@click.option("--why", default="", help="For the record.")
@project_option
@json_option
def accept(a: str, b: str, port: int | None, why: str, project_dir: Path, as_json: bool) -> None:
    """Say that what was seen between A and B is so: sure from now on, also after a new discovery."""
    from planner.model import Ruling
    from tui.cli.ties import decide

    with open_project(project_dir) as project:
        decide(project, Ruling.ACCEPT, (a, b), port=port, why=why, as_json=as_json)


@command.command(
    "refuse",
    epilog="Examples: wherry deps refuse crm-app-01 old-ftp --why 'job is gone'; "
    "wherry deps refuse crm-app-01 --of vapp:crm",
)
@click.argument("a")
@click.argument("b", required=False)
@click.option("--of", metavar="vapp:NAME", help="Instead of B: all other VMs of this vApp.")
@click.option("--port", type=click.IntRange(0, 65_535), help="Only the tie on this port.")
@click.option("--why", default="", help="For the record.")
@project_option
@json_option
def refuse(
    a: str, b: str | None, of: str | None, port: int | None, why: str, project_dir: Path, as_json: bool
) -> None:
    """Say that what was seen between A and B means nothing: it closes no group from now on.

    With --of A leaves its vApp: the ties to all its other VMs are refused at once.
    """
    from planner.errors import BadInput
    from planner.model import Ruling
    from tui.cli.ties import decide
    from tui.cli.vapps import leave

    if (b is None) is (of is None) or (of is not None and port is not None):
        raise BadInput("a tie has two ends", "name two VMs, or one and --of vapp:NAME without --port")
    with open_project(project_dir) as project:
        if of is not None:
            leave(project, a, of, why=why, as_json=as_json)
            return
        decide(project, Ruling.REFUSE, (a, str(b)), port=port, why=why, as_json=as_json)


@command.command(
    "add",
    epilog="Examples: wherry deps add crm-app-01 crm-db-01 --hard --why 'needs 1 ms'; "
    "wherry deps add lb-01 lb-02 --apart --why 'they stand in for each other'",
)
@click.argument("a")
@click.argument("b")
@click.option("--hard", "tie", flag_value="hard", help="They must move together.")
@click.option("--order", "tie", flag_value="order", help="B must be there before A moves.")
@click.option("--apart", "tie", flag_value="apart", help="They must not move in one wave.")
@click.option("--why", required=True, help="For the record.")
@project_option
@json_option
def add(a: str, b: str, tie: str | None, why: str, project_dir: Path, as_json: bool) -> None:
    """Add a tie that only a person knows of: A needs B."""
    from planner.errors import BadInput
    from planner.model import Ruling
    from tui.cli.ties import decide

    if tie is None:
        raise BadInput("add needs one of --hard, --order and --apart", "say what the tie means for the move")
    if not why.strip():
        raise BadInput("--why is empty", "say why the two are tied")
    with open_project(project_dir) as project:
        decide(project, Ruling(tie), (a, b), why=why, as_json=as_json)


for _word in (forget, oversized_groups, cycles, suggest, name_application, move_together):
    command.add_command(_word)
