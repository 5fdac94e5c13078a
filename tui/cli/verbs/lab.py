"""wherry lab: two folders as two sites."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data, line, say, table

if TYPE_CHECKING:
    from planner.model import Inventory
    from planner.settings import Settings
    from planner.store.project import Project


@click.group(epilog="Examples: wherry lab build; wherry lab status; wherry lab stop")
def command() -> None:
    """A lab: VMs with real disks that really write, at a source and a target site of folders."""


def _sites(project: Project, settings: Settings | None = None) -> list[tuple[str, str, Path]]:
    """Return (name, role, directory) of the project's lab sites; raises NotFound when it has none."""
    from migrate.sites.opening import lab_directory
    from planner.errors import NotFound
    from planner.store import settings as settings_store

    found: list[tuple[str, str, Path]] = [
        (name, site.role, lab_directory(site.url, project.root))
        for name, site in (settings or settings_store.load(project)).sites.items()
        if site.url.startswith("lab:")
    ]
    if not found:
        raise NotFound("the project has no lab", "build one with 'wherry lab build'")
    return found


@command.command("build", epilog="Example: wherry lab build --seed 7")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same disks.")
@project_option
@json_option
def build(seed: int, project_dir: Path, as_json: bool) -> None:
    """Build both sites from the newest inventory and power the VMs on.

    Without sites in the settings dc1 (source) and dc2 (target) are made in the project's lab folder.
    """
    from dataclasses import asdict

    from migrate import audit
    from migrate.sites.lab.build import build_lab
    from planner.effects import Effect
    from planner.errors import BadInput
    from planner.store import inventories
    from planner.store import settings as settings_store
    from planner.units import show_bytes
    from tui.cli.progress import Bar

    with open_project(project_dir) as project:
        inventory = inventories.latest(project).inventory
        settings = settings_store.load(project)
        fresh = not settings.sites
        if fresh:
            body = settings.model_dump(mode="json")
            body["sites"] = {
                "dc1": {"url": "lab:lab/dc1", "role": "source"},
                "dc2": {"url": "lab:lab/dc2", "role": "target"},
            }
            settings = settings_store.validate(body, "the lab")
        if any(not site.url.startswith("lab:") for site in settings.sites.values()):
            raise BadInput("the project's sites are not lab sites", "name both as lab:DIR: wherry site add")
        sites = {role: (name, directory) for name, role, directory in _sites(project, settings)}
        if set(sites) != {"source", "target"}:
            raise BadInput(
                "the project has no lab at both ends", "name both sites as lab:DIR: wherry site add"
            )
        (source, from_dir), (target, to_dir) = sites["source"], sites["target"]
        if (from_dir.parent, from_dir.name, to_dir.name) != (to_dir.parent, source, target):
            raise BadInput(
                "the lab's sites are not side by side under their own names",
                f"use lab:DIR/{source} and lab:DIR/{target} with the same DIR",
            )
        with Bar(in_bytes=False) as bar:
            bar.begin("building disks")
            summary = build_lab(
                from_dir.parent,
                inventory,
                source_name=source,
                target_name=target,
                luns=settings.luns,
                seed=seed,
                target_networks=_networks(inventory, settings.networks),
                progress=lambda what, done, total: bar.report(done, total),
            )
        if fresh:
            settings_store.save(project, settings, audit.person())
        audit.note(project, Effect.LIVE, "lab build", f"{source}, {target}", {"seed": seed})
        _start(project)
    if as_json:
        data(asdict(summary))
    else:
        line(
            f"{summary.vms} VMs with {summary.volumes} volumes, {show_bytes(summary.size_bytes)} "
            f"({show_bytes(summary.allocated_bytes)} on disk) at {source}; {target} is empty"
        )


def _networks(inventory: Inventory, mapped: dict[str, str]) -> list[str]:
    """Return the networks the plan will ask for at the target, and the isolated one of rehearsals."""
    from migrate.rehearsals.isolating import ISOLATED

    used = {nic.network for vm in inventory.vms for nic in vm.nics}
    return sorted({mapped.get(name, name) for name in used} | {ISOLATED})


def _start(project: Project) -> None:
    """Start the site processes; power on what runs according to the inventory and runs nowhere."""
    from uuid import uuid4

    from migrate.sites.lab.client import LabSite
    from planner.model import Power
    from planner.store import inventories

    sites = {role: LabSite.connect(directory, start=True) for _name, role, directory in _sites(project)}
    moved = set(sites["target"].vms()) if "target" in sites else set()
    for vm in inventories.latest(project).inventory.vms if "source" in sites else ():
        found = sites["source"].observe(vm.id)
        idle = found is not None and found.power is Power.OFF and found.connected
        if vm.power is Power.ON and idle and vm.id not in moved:
            sites["source"].power_on(vm.id, f"lab start {uuid4()}")


@command.command("start", epilog="Example: wherry lab start")
@project_option
@json_option
def start(project_dir: Path, as_json: bool) -> None:
    """Start the site processes and power the source's VMs on."""
    with open_project(project_dir) as project:
        _start(project)
    if as_json:
        data({"running": True})
    else:
        say("the lab runs")


@command.command("stop", epilog="Example: wherry lab stop")
@project_option
@json_option
def stop(project_dir: Path, as_json: bool) -> int:
    """Shut all VMs down and end the site processes and receivers."""
    from migrate.daemons import receiver
    from migrate.daemons.spawn import stop_server
    from migrate.sites.lab.folder import NAME as HYPERVISOR

    still = 0
    with open_project(project_dir) as project:
        for name, _role, directory in _sites(project):
            for server in (receiver.NAME, HYPERVISOR):
                if directory.is_dir() and not stop_server(directory / "run", server, 30.0):
                    say(f"{name}: its {server} process still runs")
                    still = 1
    if as_json:
        data({"running": bool(still)})
    else:
        say(
            "the lab is stopped" if not still else "the lab is not stopped; try again, or end those processes"
        )
    return still


@command.command("status", epilog="Example: wherry lab status --json")
@project_option
@json_option
def status(project_dir: Path, as_json: bool) -> None:
    """Show the VMs of both sites and what they have written."""
    from migrate.sites.lab.client import LabSite

    rows = []
    with open_project(project_dir) as project:
        for name, _role, directory in _sites(project):
            site = LabSite.connect(directory, start=True)
            for vm in filter(None, map(site.observe, site.vms())):
                guest = site.guest(vm.id)
                rows.append(
                    {
                        "site": name,
                        "vm": vm.name,
                        "power": vm.power.value,
                        "disks": len(vm.disks),
                        "acknowledged": guest.last_acknowledged,
                        "missing": guest.missing,
                        "corrupt": guest.corrupt,
                    }
                )
    if as_json:
        data(rows)
    else:
        table(
            ("site", "vm", "power", "disks", "records acknowledged", "missing", "corrupt"),
            (tuple(row.values()) for row in rows),
        )
