"""wherry checkpoints: the points one can go back to, how they are kept, and notes on them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from tui.cli.options import json_option, store_option
from tui.cli.output import data, line, say


@click.command(
    epilog="Examples: wherry checkpoints --store /var/lib/wherry; wherry checkpoints crm --json; "
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
@json_option
def command(
    group: str,
    pins: tuple[str, ...],
    unpins: tuple[str, ...],
    results: tuple[tuple[str, str], ...],
    mend: bool,
    store: Path,
    as_json: bool,
) -> None:
    """List the checkpoints of GROUP, or of every group of a receiver.

    CHECKPOINT is a number, a name (the newest of that name), or latest. A change that is marked
    as unusual is over five times the usual one and hardly packs, as what ransomware writes.
    """
    from datetime import UTC, datetime

    from migrate.journal.attending import answering
    from planner.errors import BadInput
    from planner.names import visible
    from tui.cli.checkpoints import moment, show

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
    with answering(store) as asks:
        if mend:
            _mended(asks.ask("mend", {"group": group}), group, as_json)
            return
        if notes:
            noted = [asks.ask("note", {"group": group, **note}) for note in notes]
            if as_json:
                data(noted)
            for point in [] if as_json else noted:
                line(f"checkpoint {point['record']} of {visible(group, 200)} is noted")
            return
        asks.ask("checkpoints", {"group": group}, lambda told: found.append(dict(told)))
    if as_json:
        for one in found:
            for point in one.get("checkpoints", ()):
                point["at"] = moment(point).isoformat()
        data(found[0] if group else found)
        return
    now = datetime.now(UTC)
    for number, one in enumerate(found):
        if number:
            line()
        show(one, now)


def _mended(told: Mapping[str, Any], group: str, as_json: bool) -> None:
    from planner.names import visible
    from planner.units import show_count

    if as_json:
        data(told)
        return
    line(f"the journal of {visible(group, 200)} goes on before the damage, "
         f"{show_count(len(told['checkpoints']), 'checkpoint')} stayed")  # fmt: skip
    say(f"what was broken is in {visible(told['aside'], 300)}; the next pass of each disk compares")
