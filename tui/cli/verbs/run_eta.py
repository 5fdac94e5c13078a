"""wherry run eta: how long it is to where a wave's run leads, and how long going back would take."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from planner.units import show_duration
from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data, line

if TYPE_CHECKING:
    from migrate.rehearsal import Spread
    from migrate.sheet import Sheet
    from migrate.to_go import ToGo


@click.command(epilog="Examples: wherry run eta W01; wherry run eta W01 --json")
@click.argument("wave")
@project_option
@json_option
def command(wave: str, project_dir: Path, as_json: bool) -> None:
    """Say how long it is to the commit gate of WAVE, out or home, or to the end of its way back, P50 and P95.

    And how much later than was to be expected at go, or when it turned; and how long going back would take
    from here. Steps not done take what they take on the twin with the rates of earlier runs, at the pace of
    this run; disks under way what they say themselves. It is 7 Cutover's "to go", "to undo" and "back". Of a
    wave that waits with copies older than its target also when they are within it again, as 6 Replicate.
    """
    from migrate.freshness import within_again, words
    from migrate.run.waves import find_wave
    from planner.errors import Blocked
    from planner.names import visible
    from tui.live.reader import Reader
    from tui.sheets import Sheets

    moment = datetime.now(UTC)
    with open_project(project_dir) as project, closing(Sheets(project.root)) as sheets:
        sheet = sheets.now(wave, moment)
        if sheet is None:
            wave = find_wave(project, wave).wave.name  # or there is none of that name
        else:
            wave = sheet.run.wave
            now = Reader(project).look().wave(wave)
            sheets.expect(sheet)
            found = sheets.to_go(sheet, now.lefts if now is not None else {})
            back = sheets.price(sheet)
    if sheet is None:
        raise Blocked(
            f"no run of {visible(wave, 80)} was begun yet",
            f"begin one: wherry replicate {visible(wave, 80)} --live",
        )
    again = within_again(now.status, now.lefts, moment) if now is not None else None
    if found is None and back is None and again is None:
        raise Blocked(
            f"{visible(wave, 80)} is on no way, out, back or home",
            f"see how it stands: wherry status {visible(wave, 80)}",
        )
    if as_json:
        within = again.as_json() if again is not None else None
        data(
            {"wave": wave, "at": moment.isoformat(), **_document(sheet, found, back), "within_again": within}
        )
        return
    if found is not None or back is not None:
        for said in _lines(sheet, found, back):
            line(said)
    if again is not None and now is not None:
        line(f"copies are within {show_duration(now.status.rpo_s)} again: {words(again)}")


def _document(sheet: Sheet, found: ToGo | None, back: Spread | None) -> dict[str, object]:
    told = asdict(found) if found is not None else {"p50_s": None, "p95_s": None}
    from migrate.to_go import latest_back, slack_s

    price = None
    if back is not None:
        latest = latest_back(sheet, back)
        until = latest.isoformat() if latest is not None else None
        price = {"verb": sheet.gates.back.verb, **asdict(back), "in_time_until": until}
    slack = slack_s(sheet, found) if found is not None else None
    return {"mode": sheet.mode.value, "home": sheet.homeward, **told, "slack_s": slack, "back": price}


def _lines(sheet: Sheet, found: ToGo | None, back: Spread | None) -> Iterator[str]:
    from migrate.to_go import latest_back, slack_s
    from planner.names import visible
    from tui.text import plural

    wave, home = visible(sheet.run.wave), "its way home: " if sheet.homeward else ""
    if found is None:
        yield f"{wave}: {home}it waits at its commit gate"
    elif found.late_s is None:
        yield f"{wave}: {home}from its go to the commit gate {_pair(found.p50_s, found.p95_s)}"
    else:
        back_to = f"the end of its {sheet.mode.value}" if sheet.turned_at else "the commit gate"
        ends = (sheet.moment + timedelta(seconds=one) for one in (found.p50_s, found.p95_s))
        at = " / ".join(f"{end:%H:%M}" for end in ends)
        yield f"{wave}: {home}{_pair(found.p50_s, found.p95_s)} to {back_to}, at {at} UTC"
        yield from _late(found, "when it turned" if sheet.turned_at else "at go")
        if (slack := slack_s(sheet, found)) is not None:
            side = "before" if slack >= 0 else "after"
            yield f"by P95 that is {show_duration(abs(slack))} {side} the end of the window"
    if found is not None:
        yield f"the twin says so, at the pace of {plural(found.paced, 'step')} of this run"
    if back is not None:
        yield f"{sheet.gates.back.verb} from here takes {_pair(back.p50, back.p95)}"
        if (latest := latest_back(sheet, back)) is not None:
            yield f"to end within the window it has to begin by {latest.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _late(found: ToGo, when: str) -> Iterator[str]:
    from planner.names import visible

    assert found.late_s is not None
    if round(found.late_s):
        word = "later" if found.late_s > 0 else "earlier"
        yield f"{show_duration(abs(found.late_s))} {word} than was to be expected {when}"
    if found.over:
        yield f"goes on for longer than ever on the twin: {visible(found.over, 200)}"


def _pair(p50_s: float, p95_s: float) -> str:
    return f"{show_duration(p50_s)} P50, {show_duration(p95_s)} P95"
