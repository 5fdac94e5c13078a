"""wherry gate list, approve, refuse, hold, release: what people say before a wave goes on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data, line, say
from tui.cli.words import Words

if TYPE_CHECKING:
    from datetime import datetime

    from migrate.gates.words import Verdict

_TICKET = click.option("--ticket", default="", metavar="NUMBER", help="The change ticket, if the gate asks.")
_REASON = click.option("--reason", default="", metavar="TEXT", help="Why; others read it at the gate.")
_LIVE = click.option("--live", is_flag=True, help="Really say it; without this the gate is only shown.")
_CONFIRM = click.option("--confirm", metavar="WAVE", help="The wave's name again, instead of typing it.")


@click.group(
    cls=Words,
    epilog="Examples: wherry gate list W01; wherry gate approve W01 go --ticket CHG0012345 --live; "
    "wherry gate hold W01 commit --reason 'the report job fails'",
)
def command() -> None:
    """Gates: where a wave waits for people or the clock. Who you are is your login, not an option."""


@command.command("list", epilog="Examples: wherry gate list; wherry gate list W01 --json")
@click.argument("wave", required=False)
@project_option
@json_option
def listed(wave: str | None, project_dir: Path, as_json: bool) -> None:
    """Show gates: what was said, what is missing, what goes on next, and what going back costs now."""
    from dataclasses import replace

    from migrate.gates import seeing
    from migrate.gates.way_back import ask_target
    from migrate.run.store import RunKind
    from tui.cli.gates import document, show_rows, show_wave

    with open_project(project_dir) as project:
        if wave is None:
            found = seeing.every(project, _now())
        else:
            run, history = seeing.under_way(project, wave)
            one = seeing.see(project, run, history, _now())
            if one.back.on_since:
                written = ask_target(project, history, homeward=run.kind is RunKind.FAILBACK)
                one = replace(one, back=replace(one.back, written_bytes=written))
            found = [one]
    if as_json:
        data([row for gates in found for row in document(gates)])
    elif wave is not None:
        show_wave(found[0])
    else:
        show_rows(found)
        if not found:
            say("no run is under way, so no gate waits")


@command.command("approve", epilog="Example: wherry gate approve W01 go --ticket CHG0012345 --live")
@click.argument("wave")
@click.argument("gate")
@_TICKET
@_REASON
@_LIVE
@_CONFIRM
@project_option
@json_option
def approve(
    wave: str,
    gate: str,
    ticket: str,
    reason: str,
    live: bool,
    confirm: str | None,
    project_dir: Path,
    as_json: bool,
) -> int:
    """Say yes at GATE of WAVE, or that a human step is done; it counts for exactly this plan.

    The engine goes on with what is open.
    """
    from migrate.gates.words import Verdict

    return _say(Verdict.APPROVE, wave, gate, ticket, reason, live, confirm, project_dir, as_json)


@command.command("refuse", epilog="Example: wherry gate refuse W01 commit --reason 'orders are missing'")
@click.argument("wave")
@click.argument("gate")
@_REASON
@project_option
@json_option
def refuse(wave: str, gate: str, reason: str, project_dir: Path, as_json: bool) -> int:
    """Say no: GATE stays shut until you approve it or take that back."""
    from migrate.gates.words import Verdict

    return _say(Verdict.REFUSE, wave, gate, "", reason, True, None, project_dir, as_json)


@command.command("hold", epilog="Example: wherry gate hold W01 go --reason 'backup still runs'")
@click.argument("wave")
@click.argument("gate")
@_REASON
@project_option
@json_option
def hold(wave: str, gate: str, reason: str, project_dir: Path, as_json: bool) -> int:
    """Say wait: GATE stays shut, and nothing happens by policy either, until you release it."""
    from migrate.gates.words import Verdict

    return _say(Verdict.HOLD, wave, gate, "", reason, True, None, project_dir, as_json)


@command.command("release", epilog="Example: wherry gate release W01 go --live")
@click.argument("wave")
@click.argument("gate")
@_LIVE
@_CONFIRM
@project_option
@json_option
def release(wave: str, gate: str, live: bool, confirm: str | None, project_dir: Path, as_json: bool) -> int:
    """Take back what you said last at GATE of WAVE; that may open it."""
    from migrate.gates.words import Verdict

    return _say(Verdict.RELEASE, wave, gate, "", "", live, confirm, project_dir, as_json)


def _say(
    verdict: Verdict,
    wave: str,
    gate: str,
    ticket: str,
    reason: str,
    live: bool,
    confirm: str | None,
    project_dir: Path,
    as_json: bool,
) -> int:
    from migrate.gates import seeing
    from migrate.gates.words import Verdict
    from tui.acts import conducting
    from tui.cli.acting import confirm_live
    from tui.cli.gates import document, show_one
    from tui.cli.ordering import wake

    with open_project(project_dir) as project:
        run, history = seeing.under_way(project, wave)
        step = conducting.check_word(project, run, history, gate, verdict, ticket, reason)
        if live:
            if verdict in (Verdict.APPROVE, Verdict.RELEASE):
                if confirm is None:
                    show_one(seeing.see(project, run, history, _now()).gate(step.id), say)
                confirm_live(run.wave, confirm, verdict.value)
            conducting.say(project, run, history, step.id, verdict, ticket, reason)
            wake(project)
        found = seeing.see(project, run, history, _now())
    seen = found.gate(step.id)
    if as_json:
        (row,) = (row for row in document(found) if row["gate"] == step.id)
        data({**row, "said": verdict.value if live else "", "live": live})
        return 0
    if not live:
        show_one(seen)
        say(f"dry: nothing was said. To say it: wherry gate {verdict.value} {run.wave} {step.id} --live")
        return 0
    line(f"{run.wave}: {step.id} is {seen.state}")
    for missing in seen.missing:
        say(f"it needs {missing}")
    return 0


def _now() -> datetime:
    from datetime import UTC, datetime

    return datetime.now(UTC)
