"""wherry probe list and test: what VMs are asked once they run at the target, and asking it now."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data, say, table
from tui.cli.words import Words

if TYPE_CHECKING:
    from migrate.probes.now import Asked

_VM = click.option("--vm", default="", metavar="NAME", help="Of this VM alone.")


@click.group(cls=Words, epilog="Examples: wherry probe list W01; wherry probe test W01 --vm crm-db-01")
def command() -> None:
    """Probes: what has to be well before the next VM starts; the settings say them in conduct.probes."""


@command.command("list", epilog="Example: wherry probe list W01 --json")
@click.argument("wave")
@_VM
@project_option
@json_option
def listed(wave: str, vm: str, project_dir: Path, as_json: bool) -> None:
    """Show what the VMs of WAVE are asked, in the order in which it is done."""
    from migrate.probes.now import probes_of
    from migrate.run.waves import find_wave
    from migrate.steps.kinds import KINDS
    from planner.names import visible

    with open_project(project_dir) as project:
        planned = find_wave(project, wave).wave
        found = probes_of(planned, vm)
    if as_json:
        data([_document(one) for one in found])
        return
    table(("vm", "probe", "what"), (
        (visible(one.vm), _name(one), KINDS["probe"].plan(one.step)) for one in found
    ))  # fmt: skip
    if not found:
        say(f"no VM of {planned.name} is started, so none is asked")


@command.command(
    "test", epilog="Examples: wherry probe test W01 --vm crm-db-01; wherry probe test W01 --step g0/v1/probe"
)
@click.argument("wave")
@_VM
@click.option("--step", default="", metavar="STEP",
              help="Of this step of the run under way alone, home too: wherry run show WAVE.")  # fmt: skip
@project_option
@json_option
def test(wave: str, vm: str, step: str, project_dir: Path, as_json: bool) -> int:
    """Ask every probe of WAVE once, now, and change nothing.

    Programs of probes are run. Ends with 3 when one that is not optional does not answer well.
    """
    from migrate.probes.now import ask_now, probe_of_step, probes_of
    from migrate.run.waves import find_wave
    from planner.errors import BadInput, Blocked
    from planner.names import visible

    if vm and step:
        raise BadInput("a step is of one VM already", "leave --vm out")
    with open_project(project_dir) as project:
        planned = find_wave(project, wave).wave
        found = [probe_of_step(project, planned.name, step)] if step else probes_of(planned, vm)
        asked = list(ask_now(project, found))
    if as_json:
        data([_document(one) for one in asked])
    else:
        table(("vm", "probe", "well", "answer"), (
            (visible(one.vm), _name(one), _well(one), visible(one.answer.detail, 120) if one.answer else "")
            for one in asked
        ))  # fmt: skip
    bad = [one for one in asked if one.answer and not one.answer.ok and not one.step.optional]
    if bad:
        say(f"{len(bad)} of {len(asked)} probes would hold {planned.name} up now")
    return Blocked.exit_code if bad else 0


def _name(one: Asked) -> str:
    from planner.names import visible

    return (visible(one.name) or "the site") + (" (optional)" if one.step.optional else "")


def _well(one: Asked) -> str:
    return "yes" if one.answer and one.answer.ok else "no"


def _document(one: Asked) -> dict[str, object]:
    told = {
        "vm": one.vm,
        "id": one.step.subject,
        "probe": one.name,
        "step": one.step.id,
        "kind": one.question.kind,
        "asks": one.question.words,
        "refused": one.question.refused,
        "timeout_s": one.step.params["timeout_s"],
        "optional": one.step.optional,
    }
    return told | ({"ok": one.answer.ok, "answer": one.answer.detail} if one.answer else {})
