"""wherry hook list: programs and human steps of a wave, where they stand and what they do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data, say, table
from tui.cli.words import Words

if TYPE_CHECKING:
    from migrate.run.runbook import Step


@click.group(cls=Words, epilog="Example: wherry hook list W01")
def command() -> None:
    """Hooks: programs and human steps around a cutover; the settings say them in conduct.hooks."""


@command.command("list", epilog="Examples: wherry hook list W01; wherry hook list W01 --json")
@click.argument("wave")
@project_option
@json_option
def listed(wave: str, project_dir: Path, as_json: bool) -> None:
    """Show the hooks of WAVE in the order of its runbook; nothing is run."""
    from migrate.run.compose import compose
    from migrate.run.waves import find_wave

    with open_project(project_dir) as project:
        planned = find_wave(project, wave).wave
    steps = [step for step in compose(planned).steps if step.id.startswith("hook/")]
    places = {step.id: planned.conduct.hooks[int(step.id.split("/")[1])].place.value for step in steps}
    if as_json:
        data([
            {"step": step.id, "place": places[step.id], "title": step.title, "kind": step.kind,
             "argv": step.params.get("argv", []), "says": step.params["says"], "optional": step.optional,
             "refused": step.params.get("refused", ""), "timeout_s": step.params.get("timeout_s")}
            for step in steps
        ])  # fmt: skip
        return
    table(("step", "place", "title", "what"), (
        (step.id, places[step.id], step.title, _what(step)) for step in steps
    ))  # fmt: skip
    if not steps:
        say(f"{planned.name} has no hooks; docs/conduct.md says how to write them")


def _what(step: Step) -> str:
    from migrate.steps.kinds import KINDS
    from planner.names import visible

    return f"a person: {visible(step.params['says'])}" if step.is_gate else KINDS[step.kind].plan(step)
