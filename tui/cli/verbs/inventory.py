"""wherry inventory: list VMs, the snapshots there are, and what drifted between two of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data, line, say, table
from tui.cli.words import Words

if TYPE_CHECKING:
    from planner.drift import Drift
    from planner.model import VM

_UNKNOWN = "–"


class _Filtered(Words):
    """A group whose unknown words are a filter: ``inventory os~win`` lists, ``inventory diff`` compares."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        options, terms = _apart(args)
        if terms and terms[0] in self.commands:
            return super().parse_args(ctx, args)
        # Terms may begin with a minus: nothing behind the dashes is taken for an option.
        return super().parse_args(ctx, [*options, "--", *terms] if terms else options)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands:
            return "list", self.commands["list"], ["--", *args]
        return super().resolve_command(ctx, args)


def _apart(args: list[str]) -> tuple[list[str], list[str]]:
    """Return the options with their values, and everything else."""
    options: list[str] = []
    terms: list[str] = []
    rest = iter(args)
    for arg in rest:
        if arg == "--":
            terms += rest
        elif arg.startswith("--") or arg == "-h":
            options += [arg, *([next(rest, "")] if arg == "--project" else [])]
        else:
            terms.append(arg)
    return options, terms


@click.group(
    cls=_Filtered,
    invoke_without_command=True,
    epilog="Examples: wherry inventory; wherry inventory 'os~win disk>100G'; wherry inventory rdm:yes; "
    "wherry inventory diff 1 2",
)
@project_option
@json_option
@click.pass_context
def command(ctx: click.Context, project_dir: Path, as_json: bool) -> None:
    """List the VMs of the newest inventory that match a filter; without a word of its own.

    Terms are and-ed: a bare word is looked for in names; os~win, power:on, cluster:prod-a,
    disk>100G, cpu>=8, ram<4G, app:crm, owner:, tier:, rdm:yes; -term negates. wave:none, group:crm and
    checks:blocked ask the plan and the checks; @NAME is a saved filter.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_vms, filter_terms=(), project_dir=project_dir, as_json=as_json)


@command.command("list", epilog="Examples: wherry inventory list; wherry inventory list -- -power:on")
@click.argument("filter_terms", nargs=-1, metavar="[FILTER]")
@project_option
@json_option
def list_vms(filter_terms: tuple[str, ...], project_dir: Path, as_json: bool) -> None:
    """List the VMs that match FILTER; the word may be left out."""
    from dataclasses import asdict

    from planner.selection import read_filter, seen
    from planner.store import inventories
    from planner.units import show_bytes
    from tui.cli.progress import Bar

    with open_project(project_dir) as project, Bar(in_bytes=False) as bar:
        wanted = read_filter(project, " ".join(filter_terms))
        inventory = inventories.latest(project).inventory
        known = seen(
            project, inventory, wanted, lambda done, total: bar.report_on("checking VMs", done, total)
        )
    matching = [vm for vm in inventory.vms if wanted.matches(vm, known)]
    if as_json:
        data([asdict(vm) for vm in matching])
        return

    def lacks(vm: VM) -> bool:
        return "disks" in inventory.gaps or "disks" in vm.gaps

    table(
        ("name", "cluster", "power", "os", "vcpu", "ram", "disk", "disks", "rdm", "application"),
        (
            (
                vm.name,
                vm.cluster,
                {"poweredOn": "on", "poweredOff": "off"}.get(vm.power.value, vm.power.value),
                vm.guest_os,
                vm.cpus or _UNKNOWN,
                show_bytes(vm.memory_bytes) if vm.memory_bytes else _UNKNOWN,
                *((_UNKNOWN, _UNKNOWN) if lacks(vm) else (show_bytes(vm.disk_bytes), len(vm.disks))),
                sum(disk.backing.is_rdm for disk in vm.disks) or "",
                vm.application,
            )
            for vm in matching
        ),
    )
    say(f"{len(matching)} of {len(inventory.vms)} VMs")


@command.command("snapshots", epilog="Example: wherry inventory snapshots")
@project_option
@json_option
def snapshots(project_dir: Path, as_json: bool) -> None:
    """List the snapshots of the estate, newest first. None of them ever changes."""
    from dataclasses import asdict

    from planner.names import visible
    from planner.store import inventories
    from planner.units import show_bytes

    with open_project(project_dir) as project:
        found = inventories.heads(project)
    if as_json:
        data([asdict(head) for head in found])
        return
    table(
        ("no", "taken at", "role", "VMs", "size", "made from", "source"),
        (
            (
                head.id,
                head.taken_at,
                head.role.value,
                head.vms,
                show_bytes(head.size_bytes),
                f"{head.base} and imports" if head.base else "–",
                visible(head.source, 60),
            )
            for head in found
        ),
    )


@command.command(
    "notes",
    epilog="Example: wherry inventory notes",
)
@project_option
@json_option
def notes(project_dir: Path, as_json: bool) -> None:
    """Say what the source of the newest snapshot did not know, and what was repaired while reading it."""
    from dataclasses import asdict

    from planner.gaps import part_gaps
    from planner.names import visible
    from planner.store import inventories

    with open_project(project_dir) as project:
        inventory = inventories.latest(project).inventory
    of_parts = part_gaps(inventory)
    if as_json:
        data(
            {"notes": inventory.notes, "gaps": inventory.gaps, "vcenters": [asdict(gap) for gap in of_parts]}
        )
        return
    for note in inventory.notes:
        line(visible(note))
    if inventory.gaps:
        line(f"nothing at all is known of: {', '.join(visible(gap) for gap in inventory.gaps)}")
    for gap in of_parts:
        whose = f"vCenter {visible(gap.name, 60)}" if gap.name else "a vCenter without a name"
        some = "" if gap.vms == gap.of else f"for {gap.vms:,} of {gap.of:,} VMs "
        line(f"of {whose} {some}nothing is known of: {', '.join(visible(kind) for kind in gap.kinds)}")


@command.command(
    "diff",
    epilog="Examples: wherry inventory diff 1 2; wherry inventory diff 1; wherry inventory diff 1 2 --all",
)
@click.argument("before", type=int, metavar="A")
@click.argument("after", type=int, required=False, metavar="[B]")
@click.option("--all", "restless", is_flag=True, help="Used and free space and heartbeats too.")
@project_option
@json_option
def diff(before: int, after: int | None, restless: bool, project_dir: Path, as_json: bool) -> None:
    """Say what drifted from snapshot A to snapshot B (default: the newest)."""
    from dataclasses import asdict

    from planner import drift
    from planner.store import inventories

    with open_project(project_dir) as project:
        newest = inventories.summary(project).id
        old = inventories.get(project, before).inventory
        new = inventories.get(project, newest if after is None else after).inventory
    found = drift.drift(old, new, restless)
    if as_json:
        data({"before": before, "after": newest if after is None else after,
              **asdict(found)})  # fmt: skip
        return
    _show(found)
    say(drift.summary(found))


def _show(found: Drift) -> None:
    from planner.drift import KINDS
    from planner.names import visible

    marks = {"new": "+", "gone": "-", "changed": "~"}
    for item in found.objects:
        line(
            f"{marks[item.what]} {KINDS[item.kind]} {visible(item.name)} ({visible(item.id, 60)}) {item.what}"
        )
        for change in item.changes:
            line(f"    {change.path}: {change.before} → {change.after}")
