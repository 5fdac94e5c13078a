"""wherry plan move, split, merge, lock, unlock, undo, edits: a plan changed by hand."""

from __future__ import annotations

from pathlib import Path

import click

from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data, line, table

_CHECK = click.option("--check", is_flag=True, help="Say what it would do, and change nothing.")


@click.command(
    "move", epilog="Examples: wherry plan move crm-db-01 W03; wherry plan move crm 2026-10-17T22:00"
)
@click.argument("what", metavar="GROUP|VM")
@click.argument("wave")
@_CHECK
@project_option
@json_option
def move(what: str, wave: str, check: bool, project_dir: Path, as_json: bool) -> None:
    """Put a move group, the group of a VM, or an application into another wave.

    WAVE is a name like W03 or the start of a window. What breaks a rule is refused; the rest is told.
    """
    from tui.acts.editing import lay_out
    from tui.cli.edit_told import tell

    with open_project(project_dir) as project:
        opened = lay_out(project)
        tell(project, opened, opened.desk.move(what, wave), check, as_json)


@click.command("split", epilog="Example: wherry plan split crm --vms crm-web-01 --vms crm-web-02")
@click.argument("what", metavar="GROUP")
@click.option(
    "--vms", "vms", multiple=True, required=True, metavar="VM", help="What to split off; repeat it."
)
@_CHECK
@project_option
@json_option
def split(what: str, vms: tuple[str, ...], check: bool, project_dir: Path, as_json: bool) -> None:
    """Part an application, or groups merged by hand, so that VMs may move without the rest.

    Hard ties are never cut: 'wherry deps why VM' shows them, and which of them a person may refuse.
    """
    from tui.acts.editing import lay_out
    from tui.cli.edit_told import tell

    with open_project(project_dir) as project:
        opened = lay_out(project)
        tell(project, opened, opened.desk.split(what, vms), check, as_json)


@click.command("merge", epilog="Example: wherry plan merge crm billing")
@click.argument("what", metavar="GROUP")
@click.argument("other", metavar="GROUP")
@_CHECK
@project_option
@json_option
def merge(what: str, other: str, check: bool, project_dir: Path, as_json: bool) -> None:
    """Make two move groups one, in the wave of the first."""
    from tui.acts.editing import lay_out
    from tui.cli.edit_told import tell

    with open_project(project_dir) as project:
        opened = lay_out(project)
        tell(project, opened, opened.desk.merge(what, other), check, as_json)


@click.command("lock", epilog="Example: wherry plan lock W02")
@click.argument("wave")
@project_option
@json_option
def lock(wave: str, project_dir: Path, as_json: bool) -> None:
    """Keep a wave as it is: what is in it stays, and nobody else gets in."""
    from tui.acts.editing import lay_out
    from tui.cli.edit_told import tell

    with open_project(project_dir) as project:
        opened = lay_out(project)
        tell(project, opened, opened.desk.lock(wave), False, as_json)


@click.command("unlock", epilog="Example: wherry plan unlock W02")
@click.argument("wave")
@project_option
@json_option
def unlock(wave: str, project_dir: Path, as_json: bool) -> None:
    """Let a locked wave be changed again."""
    from tui.acts.editing import lay_out
    from tui.cli.edit_told import tell

    with open_project(project_dir) as project:
        opened = lay_out(project)
        tell(project, opened, opened.desk.unlock(wave), False, as_json)


@click.command("undo", epilog="Examples: wherry plan undo; wherry plan undo 3")
@click.argument("number", type=click.IntRange(1), required=False)
@project_option
@json_option
def undo(number: int | None, project_dir: Path, as_json: bool) -> None:
    """Take back the newest edit, or edit NUMBER if no later one builds on it.

    The plan before it comes back when nothing was planned since; else the next plan goes without it.
    """
    from tui.acts.undoing import take_back

    with open_project(project_dir) as project:
        taken = take_back(project, number)
    kept = taken.kept
    if as_json:
        data({"edit": kept.edit.number, "did": kept.edit.did, "plan": taken.plan})
        return
    line(f"taken back: {kept.edit.said}")
    if taken.plan:
        line(f"plan {taken.plan} is plan {kept.before} again")
    else:
        line("there is a newer plan since: make it anew without the edit with 'wherry plan'")


@click.command("edits", epilog="Examples: wherry plan edits; wherry plan edits --all")
@click.option("--all", "every", is_flag=True, help="Those that were taken back, too.")
@project_option
@json_option
def listed(every: bool, project_dir: Path, as_json: bool) -> None:
    """List the edits by hand that every plan keeps, the oldest first."""
    from planner.names import visible
    from planner.store import edits

    with open_project(project_dir) as project:
        found = [kept for kept in edits.every(project) if every or kept.taken_back is None]
    if as_json:
        data(
            [
                {
                    "edit": kept.edit.number,
                    "act": kept.edit.act.value,
                    "did": kept.edit.did,
                    "vms": [end.id for end in (*kept.edit.vms, *kept.edit.partners)],
                    "wave": kept.edit.wave,
                    "start": kept.edit.start,
                    "who": kept.edit.who,
                    "at": kept.edit.at,
                    "plan_before": kept.before,
                    "plan_after": kept.after,
                    "taken_back": dict(zip(("who", "at"), kept.taken_back, strict=True))
                    if kept.taken_back
                    else None,
                }
                for kept in found
            ]
        )
        return
    if not found:
        line("nothing was edited by hand")
        return
    table(
        ("edit", "what", "vms", "who", "at", "taken back"),
        (
            (
                kept.edit.number,
                kept.edit.did,
                len(kept.edit.ids),
                visible(kept.edit.who),
                kept.edit.at[:16].replace("T", " "),
                f"{visible(kept.taken_back[0])}, {kept.taken_back[1][:10]}" if kept.taken_back else "",
            )
            for kept in found
        ),
    )


COMMANDS = (move, split, merge, lock, unlock, undo, listed)
