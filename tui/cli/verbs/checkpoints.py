"""wherry checkpoints: the points one can go back to, how they are kept, and notes on them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tui.cli.options import json_option, noted_option, store_option
from tui.cli.output import data, line, say

if TYPE_CHECKING:
    from tui.cli.journals import Journals


@click.command(
    epilog="Examples: wherry checkpoints --store /var/lib/wherry; wherry checkpoints W01 --project move; "
    'wherry checkpoints crm --pin 57; wherry checkpoints crm --result latest "rehearsed, passed"'
)
@click.argument("group", default="")
@click.option(
    "--pin", "pins", multiple=True, metavar="CHECKPOINT", help="Keep this one until it is unpinned."
)
@click.option("--unpin", "unpins", multiple=True, metavar="CHECKPOINT", help="Let this one age.")
@click.option("--result", "results", multiple=True, nargs=2, metavar="CHECKPOINT TEXT",
              help="Note what came of it, a rehearsal for instance.")  # fmt: skip
@click.option("--mend", is_flag=True, help="Go on before the damage of a journal that is broken.")
@store_option
@noted_option
@json_option
def command(
    group: str,
    pins: tuple[str, ...],
    unpins: tuple[str, ...],
    results: tuple[tuple[str, str], ...],
    mend: bool,
    store: Path | None,
    project_dir: Path | None,
    as_json: bool,
) -> None:
    """List the checkpoints of GROUP, or of every group of a receiver or project.

    GROUP is a group of a receiver, a WAVE of a project, or WAVE/GROUP.
    CHECKPOINT is a number, a name (the newest of that name), or latest. A change that is marked
    as unusual is over five times the usual one and hardly packs, as what ransomware writes.
    Of a project's it is said which were compared with their snapshot, byte for byte.
    """
    from datetime import UTC, datetime

    from planner.errors import BadInput
    from planner.names import visible
    from tui.cli.checkpoints import moment, show
    from tui.cli.journals import journals

    notes: list[dict[str, Any]] = [
        *({"checkpoint": one, "pinned": True} for one in pins),
        *({"checkpoint": one, "pinned": False} for one in unpins),
        *({"checkpoint": one, "result": text} for one, text in results),
    ]
    if (notes or mend) and not group:
        raise BadInput("it is not said of which group", "write wherry checkpoints GROUP --pin CHECKPOINT")
    if notes and mend:
        raise BadInput("a journal is mended by itself", "note what there is to note after that")
    found: list[dict[str, Any]] = []
    with journals(store, project_dir, group, one=bool(notes or mend)) as kept:
        if mend:
            _mended(kept.asks.ask("mend", {"group": kept.groups[0]}), group, as_json)
            return
        if notes:
            noted = [kept.asks.ask("note", {"group": kept.groups[0], **note}) for note in notes]
            if as_json:
                data(noted)
            for point in [] if as_json else noted:
                line(f"checkpoint {point['record']} of {visible(group, 200)} is noted")
            return
        for name in kept.groups or ("",):
            _ask(kept, name, found, is_one=bool(group) and len(kept.groups) == 1)
    if store is None and kept.project_dir is not None:
        _prove(kept.project_dir, found)
    if as_json:
        for one in found:
            for point in one.get("checkpoints", ()):
                point["at"] = moment(point).isoformat()
        data(found[0] if group and len(found) == 1 else found)
        return
    now = datetime.now(UTC)
    for number, one in enumerate(found):
        if number:
            line()
        show(one, now)


def _ask(kept: Journals, name: str, found: list[dict[str, Any]], *, is_one: bool) -> None:
    """Add what is told of a group, or why nothing is; of one that was named that is an error."""
    from planner.errors import NotFound

    try:
        kept.asks.ask("checkpoints", {"group": name}, lambda told: found.append(dict(told)))
    except NotFound as error:
        if is_one or not name:
            raise
        found.append({"group": name, "error": error.as_json()})


def _prove(root: Path, found: list[dict[str, Any]]) -> None:
    """Say of each checkpoint whether a run compared its copies with their snapshot, byte for byte."""
    from migrate.group_record import is_proven, proven_of
    from tui.cli.options import open_project

    with open_project(root) as project:
        for one in (one for one in found if one.get("checkpoints")):
            proven = proven_of(project, str(one["group"]))
            one["checkpoints"] = [
                {**point, "proven": is_proven(str(point["cycle"]), proven)} for point in one["checkpoints"]
            ]


def _mended(told: Mapping[str, Any], group: str, as_json: bool) -> None:
    from planner.names import visible
    from planner.units import show_count

    if as_json:
        data(told)
        return
    line(f"the journal of {visible(group, 200)} goes on before the damage, "
         f"{show_count(len(told['checkpoints']), 'checkpoint')} stayed")  # fmt: skip
    say(f"what was broken is in {visible(told['aside'], 300)}; the next pass of each disk compares")
