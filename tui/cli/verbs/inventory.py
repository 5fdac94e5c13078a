"""wherry inventory: list VMs."""

from __future__ import annotations

from pathlib import Path

import click

from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data, say, table


@click.command(
    epilog="Examples: wherry inventory; wherry inventory 'os~win disk>100G'; wherry inventory rdm:yes"
)
@click.argument("filter_terms", nargs=-1, metavar="[FILTER]")
@project_option
@json_option
def command(filter_terms: tuple[str, ...], project_dir: Path, as_json: bool) -> None:
    """List the VMs of the newest inventory that match FILTER.

    Terms are and-ed: a bare word is looked for in names; os~win, power:on, cluster:prod-a,
    disk>100G, cpu>=8, ram<4G, app:crm, owner:, tier:, rdm:yes; -term negates.
    """
    from dataclasses import asdict

    from planner.query import parse
    from planner.store import inventories
    from planner.units import show_bytes

    wanted = parse(" ".join(filter_terms))
    with open_project(project_dir) as project:
        inventory = inventories.latest(project).inventory
    matching = [vm for vm in inventory.vms if wanted.matches(vm)]
    if as_json:
        data([asdict(vm) for vm in matching])
        return
    table(
        ("name", "cluster", "power", "os", "vcpu", "ram", "disk", "disks", "rdm", "application"),
        (
            (
                vm.name,
                vm.cluster,
                {"poweredOn": "on", "poweredOff": "off"}.get(vm.power.value, vm.power.value),
                vm.guest_os,
                vm.cpus,
                show_bytes(vm.memory_bytes),
                show_bytes(vm.disk_bytes),
                len(vm.disks),
                sum(disk.backing.is_rdm for disk in vm.disks) or "",
                vm.application,
            )
            for vm in matching
        ),
    )
    say(f"{len(matching)} of {len(inventory.vms)} VMs")
