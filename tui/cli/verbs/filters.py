"""wherry filters: filters saved under a name; ``@name`` stands for one inside any filter of its table."""

from __future__ import annotations

from pathlib import Path

import click

from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data, line, say, table
from tui.cli.words import Words

_PLACES = (
    "inventory",
    "findings",
    "waves",
    "groups",
    "ties",
    "hubs",
    "oversized",
    "cycles",
    "suggestions",
    "names",
    "rehearsals",
    "progress",
    "needs",
    "acts",
    "lanes",
    "steps",
)
place_option = click.option(
    "--for", "place", type=click.Choice(_PLACES), default="inventory", show_default=True,
    help="The table whose rows it chooses.",
)  # fmt: skip


@click.group(
    cls=Words,
    invoke_without_command=True,
    epilog="Examples: wherry filters; wherry filters save big 'disk>2T or cpu>=32'; "
    "wherry inventory @big power:on; wherry filters forget big",
)
@project_option
@json_option
@click.pass_context
def command(ctx: click.Context, project_dir: Path, as_json: bool) -> None:
    """List the saved filters; @NAME stands for one inside any filter of its table."""
    from dataclasses import asdict

    from planner.store import filters
    from planner.units import show_count

    if ctx.invoked_subcommand is not None:
        return
    with open_project(project_dir) as project:
        found = filters.every(project)
    if as_json:
        data([asdict(saved) for saved in found])
        return
    table(
        ("name", "for", "saved by", "at", "filter"),
        ((f"@{saved.name}", saved.place, saved.who, saved.at, saved.text) for saved in found),
    )
    say(show_count(len(found), "filter"))


@command.command("save", epilog="Example: wherry filters save big 'disk>2T or cpu>=32'")
@click.argument("name")
@click.argument("filter_terms", nargs=-1, required=True, metavar="FILTER")
@place_option
@project_option
@json_option
def save(name: str, filter_terms: tuple[str, ...], place: str, project_dir: Path, as_json: bool) -> None:
    """Save FILTER under NAME, in place of one of that name. Put -- before terms that begin with a minus."""
    from dataclasses import asdict

    from planner.names import visible
    from tui.acts import filtering

    with open_project(project_dir) as project:
        made = filtering.save(project, place, name, " ".join(filter_terms))
    if as_json:
        data(asdict(made))
    else:
        line(f"@{visible(made.name)} stands for {visible(made.text)} in filters of {place}")


@command.command("forget", epilog="Example: wherry filters forget big")
@click.argument("name")
@place_option
@project_option
@json_option
def forget(name: str, place: str, project_dir: Path, as_json: bool) -> None:
    """Forget the filter saved under NAME; refused while others name it."""
    from dataclasses import asdict

    from planner.names import visible
    from tui.acts import filtering

    with open_project(project_dir) as project:
        gone = filtering.forget(project, place, name)
    if as_json:
        data(asdict(gone))
    else:
        line(f"@{visible(gone.name)} is forgotten; it stood for {visible(gone.text)}")
