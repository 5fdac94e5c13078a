"""wherry synth: invent an estate, with ground truth beside it."""

from __future__ import annotations

from pathlib import Path

import click

from tui.cli.layouts import formats_option
from tui.cli.options import json_option
from tui.cli.output import data, line, say


@click.command(
    epilog="Examples: wherry synth --vms 800 --out estate; "
    "wherry synth --vms 10000 --seed 7 --out big --formats json,xlsx47"
)
@click.option("--vms", type=int, default=800, show_default=True, metavar="N", help="How many VMs it has.")
@click.option("--seed", type=int, default=7, show_default=True, metavar="N", help="Which one of them.")
@click.option(
    "--trouble",
    type=float,
    default=1.0,
    show_default=True,
    metavar="FACTOR",
    help="How much is wrong with it: 0 is nothing.",
)
@click.option(
    "--out",
    "target",
    required=True,
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="A new folder for the files.",
)
@formats_option
@json_option
def command(
    vms: int, seed: int, trouble: float, target: Path, formats: tuple[str, ...], as_json: bool
) -> None:
    """Make an estate that does not exist: the same seed gives the same files on every machine.

    Beside the inventory lie flows.csv and applications.csv, to be read with 'wherry flows import', and
    ground-truth.json with what the estate really is: applications, groups, hubs, planted trouble.
    """
    from planner.names import visible
    from planner.synth.estate import make_estate
    from planner.synth.files import write_estate
    from planner.synth.recipe import Recipe
    from tui.cli.progress import Bar

    recipe = Recipe(vms, seed, trouble)
    with Bar(in_bytes=False) as bar:
        bar.begin(f"making {vms} VMs")
        estate = make_estate(recipe, lambda done, total: bar.report_on(f"making {vms} VMs", done, total))
        written = write_estate(estate, recipe, target, formats, bar.report_on)
        bar.end()
    inventory, truth = estate.inventory, estate.truth
    kinds = sum(len(family) for family in truth.trouble.values())
    summary = {
        "directory": str(target),
        "files": list(written),
        "vms": len(inventory.vms),
        "disks": sum(len(vm.disks) for vm in inventory.vms),
        "vcenters": len(inventory.vcenters),
        "applications": len(truth.applications),
        "groups": len(truth.groups),
        "hubs": len(truth.hubs),
        "flows": sum(not flow.hidden for flow in estate.flows),
        "kinds_of_trouble": kinds,
    }
    if as_json:
        data(summary)
        return
    line(
        f"{summary['vms']} VMs, {summary['disks']} disks, {summary['applications']} applications, "
        f"{summary['flows']} flows, {kinds} kinds of trouble"
    )
    for name in written:
        line(f"  {visible(str(target / name))}")
    say(f"next: wherry discover {visible(str(target / 'inventory.json'))}")
