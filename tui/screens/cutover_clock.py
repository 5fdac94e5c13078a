"""The clock of 7 Cutover: window, how long to the commit gate, who is at work, what going back takes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from textual.content import Content

from planner.names import visible
from planner.units import show_duration
from tui.live.document import EngineState
from tui.screens.cutover_words import LABEL, labelled, lasted
from tui.text import plural, stack

if TYPE_CHECKING:
    from migrate.rehearsal import Spread
    from migrate.sheet import Sheet
    from migrate.to_go import ToGo
    from tui.live.document import EngineNow, WaveNow

_ENGINE = {
    EngineState.IDLE: ("○ idle: nothing is ordered", "dim"),
    EngineState.WORKING: ("● at work", "good"),
    EngineState.STARTING: ("◐ starting", "accent"),
    EngineState.STOPPED: ("■ stopped by a person", "warn"),
    EngineState.NONE: ("▲ not at work", "warn"),
    EngineState.DEAD: ("✖ DIED: nothing goes on", "bad"),
    EngineState.HIDDEN: ("? another login's", "dim"),
}
_SLIPPED_S = 120.0  # less is no news


def engine_words(engine: EngineNow) -> tuple[str, str]:
    """Return how it stands with the engine, with its tone."""
    if engine.state is EngineState.IDLE and engine.pid is None:
        return "○ none: nothing is ordered", "dim"
    return _ENGINE[engine.state]


def describe_clock(
    sheet: Sheet,
    engine: EngineNow | None,
    now: WaveNow | None,
    price: Spread | None,
    to_go: ToGo | None,
    width: int,
) -> Content:
    """Return what there is to say of a moment of a run; ``engine`` None in a replay."""
    return stack(_clock(sheet, engine, now, price, to_go, width))


def _clock(
    sheet: Sheet,
    engine: EngineNow | None,
    now: WaveNow | None,
    price: Spread | None,
    to_go: ToGo | None,
    width: int,
) -> Iterator[Content]:
    if sheet.wave.window is not None:
        yield from _window(sheet, width)
    else:
        yield labelled("window", ("none: at any time", "dim"))
    begun = datetime.fromisoformat(sheet.run.at)
    yield labelled(
        "begun", f"{lasted((sheet.moment - begun).total_seconds())} ago by {visible(sheet.run.who, 20)}"
    )
    yield labelled("planned", _planned(sheet))
    if to_go is not None:
        yield from _to_go(sheet, to_go)
    if sheet.commit_by is not None:
        yield _commit_window(sheet)
    yield labelled("back", *_back(sheet))
    if price is not None:
        yield labelled("", f"takes {p50_p95(price.p50, price.p95)}")
        yield from _in_time(sheet, price)
    yield labelled("commit", *_no_return(sheet))
    yield from _at_work(engine, now)


def describe_engine(engine: EngineNow | None, now: WaveNow | None) -> Content:
    """Return who is at work on a wave that has no run yet."""
    return stack(_at_work(engine, now))


def _at_work(engine: EngineNow | None, now: WaveNow | None) -> Iterator[Content]:
    if engine is not None:
        yield labelled("engine", engine_words(engine))
        if engine.died_at:
            yield labelled("", (f"one died at {visible(engine.died_at[11:19])} UTC", "warn"))
    if now is not None and now.order is not None:
        yield labelled("order", f"{visible(now.order.purpose)} by {visible(now.order.who, 20)}")


def _window(sheet: Sheet, width: int) -> Iterator[Content]:
    window = sheet.wave.window
    assert window is not None
    start, end = window.start_utc, window.end_utc
    room = max(8, width - LABEL - 14)
    share = (sheet.moment - start).total_seconds() / max((end - start).total_seconds(), 1.0)
    at = round(min(max(share, 0.0), 1.0) * (room - 1))
    drawn = "─" * at + "●" + "─" * (room - 1 - at)
    yield labelled("window", f"{start:%H:%M} ", (drawn, "accent"), f" {end:%H:%M}")
    if share < 0:
        words, tone = f"opens in {lasted((start - sheet.moment).total_seconds())}", ""
    elif share > 1:
        words, tone = f"▲ over for {lasted((sheet.moment - end).total_seconds())}", "warn"
    else:
        words, tone = f"{lasted((end - sheet.moment).total_seconds())} left", ""
    yield labelled("", (words, tone))


def _to_go(sheet: Sheet, said: ToGo) -> Iterator[Content]:
    """Yield how long it is to the commit gate, or home again; when that is, and whether that has slipped."""
    from migrate.to_go import slack_s

    if said.late_s is None:
        yield labelled("from go", p50_p95(said.p50_s, said.p95_s))
        return
    back = bool(sheet.turned_at)
    yield labelled("to undo" if back else "to go", p50_p95(said.p50_s, said.p95_s))
    ends = [sheet.moment + timedelta(seconds=one) for one in (said.p50_s, said.p95_s)]
    slack = slack_s(sheet, said)
    past = slack is not None and slack < 0
    words = f"at {' / '.join(f'{end.astimezone(UTC):%H:%M}' for end in ends)} UTC"
    yield labelled("", (f"▲ {words}: window over" if past else words, "warn" if past else "dim"))
    if slack is not None and not past:
        yield labelled("slack", (f"✔ {_guessed(slack)}", "good"), (" by P95", "dim"))
    when = "when it turned" if back else "at go"
    if said.over:
        yield labelled("", (f"▲ {visible(said.over, 40)}: longer than ever on the twin", "warn"))
    elif said.late_s >= _SLIPPED_S:
        yield labelled("", (f"▲ {_guessed(said.late_s)} later than {when}", "warn"))
    elif said.late_s <= -_SLIPPED_S:
        yield labelled("", (f"{_guessed(-said.late_s)} earlier than {when}", "good"))


def _in_time(sheet: Sheet, price: Spread) -> Iterator[Content]:
    """Yield until when going back ends within the window."""
    from migrate.to_go import latest_back

    latest = latest_back(sheet, price)
    if latest is None:
        return
    if latest < sheet.moment:
        yield labelled("", ("▲ ends after the window", "warn"))
    else:
        yield labelled("", (f"in time until {latest.astimezone(UTC):%H:%M} UTC", "dim"))


def p50_p95(p50_s: float, p95_s: float) -> str:
    """Return two lengths as everybody here says them, without seconds."""
    if p95_s < 60:
        return "under 1 m"
    return f"{_guessed(p50_s)} P50, {_guessed(p95_s)} P95"


def _guessed(seconds: float) -> str:
    """Return a length without seconds: a guess has none."""
    return show_duration(round(seconds / 60) * 60) if seconds >= 60 else "under 1 m"


def _planned(sheet: Sheet) -> str:
    down = sheet.wave.estimate.downtime_min
    return f"down {show_duration(down.p50 * 60)} P50, {show_duration(down.p95 * 60)} P95"


def _commit_window(sheet: Sheet) -> Content:
    assert sheet.commit_by is not None
    left = (sheet.commit_by - sheet.moment).total_seconds()
    act = sheet.wave.conduct.ending.act
    then = {"alarm": "then alarm", "commit": "then commit", "rollback": "then rollback"}[act]
    if sheet.homeward:
        then = "then alarm"
    if left < 0:
        return labelled("window", (f"▲ for commit over for {lasted(-left)}", "warn"))
    tone = "warn" if left < 3600 else "accent"
    return labelled("commits", (f"◆ {lasted(left)} left", tone), f", {then}")


def _back(sheet: Sheet) -> tuple[str | tuple[str, str], ...]:
    if sheet.outcome:
        return (("the run is over", "dim"),)
    back = sheet.gates.back
    if back.verb == "failback":
        return (("none: failback only", "warn"),)
    return (f"{back.verb} undoes {plural(len(back.steps), 'step')}",)


def _no_return(sheet: Sheet) -> tuple[str | tuple[str, str], ...]:
    from migrate.run.runbook import COMMIT

    step = sheet.step(COMMIT)
    if step is None:
        return (("no such gate", "dim"),)
    if step.status == "done":
        return ((f"✖ PASSED {visible(step.at[11:19])} UTC: no way back", "bad"),)
    if sheet.outcome:
        return (("it never came to that", "dim"),)
    left = next(at for at, one in enumerate(sheet.steps) if one.id == COMMIT) - sheet.done
    if left <= 0:
        return (("no way back is next", "accent"),)
    return (f"no way back in {plural(left, 'step')}",)
