"""What 7 Cutover says beside the runbook: clock, what users feel, the gate, the way back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from textual.content import Content

from planner.names import visible
from planner.units import show_duration
from tui.live.document import EngineState
from tui.screens.cutover_rows import step_mark, where_mark
from tui.text import line, plural, stack

if TYPE_CHECKING:
    from migrate.gates.seeing import Seen
    from migrate.sheet import Sheet, SheetStep
    from tui.live.document import EngineNow, WaveNow
    from tui.sheets import Spread

_ENGINE = {
    EngineState.IDLE: ("○ idle: nothing is ordered", "dim"),
    EngineState.WORKING: ("● at work", "good"),
    EngineState.STARTING: ("◐ starting", "accent"),
    EngineState.STOPPED: ("■ stopped by a person", "warn"),
    EngineState.NONE: ("▲ not at work", "warn"),
    EngineState.DEAD: ("✖ DIED: nothing goes on", "bad"),
    EngineState.HIDDEN: ("? another login's", "dim"),
}
_LABEL = 9


def _labelled(label: str, *parts: str | tuple[str, str]) -> Content:
    return line((f"{label:<{_LABEL}} ", "dim"), *parts)


def lasted(seconds: float) -> str:
    """Return a length that ticks."""
    return show_duration(max(0.0, round(seconds)))


def engine_words(engine: EngineNow) -> tuple[str, str]:
    """Return how it stands with the engine, with its tone."""
    if engine.state is EngineState.IDLE and engine.pid is None:
        return "○ none: nothing is ordered", "dim"
    return _ENGINE[engine.state]


# the clock


def describe_clock(
    sheet: Sheet, engine: EngineNow | None, now: WaveNow | None, back: Spread | None, width: int
) -> Content:
    """Return window, countdown, who is at work, and what going back costs; ``engine`` None in a replay."""
    return stack(_clock(sheet, engine, now, back, width))


def _clock(
    sheet: Sheet, engine: EngineNow | None, now: WaveNow | None, back: Spread | None, width: int
) -> Iterator[Content]:
    if sheet.wave.window is not None:
        yield from _window(sheet, width)
    else:
        yield _labelled("window", ("none: at any time", "dim"))
    begun = datetime.fromisoformat(sheet.run.at)
    yield _labelled(
        "begun", f"{lasted((sheet.moment - begun).total_seconds())} ago by {visible(sheet.run.who, 20)}"
    )
    yield _labelled("planned", _planned(sheet))
    if sheet.commit_by is not None:
        yield _commit_window(sheet)
    yield _labelled("back", *_back(sheet, back))
    yield _labelled("commit", *_no_return(sheet))
    yield from _at_work(engine, now)


def describe_engine(engine: EngineNow | None, now: WaveNow | None) -> Content:
    """Return who is at work on a wave that has no run yet."""
    return stack(_at_work(engine, now))


def _at_work(engine: EngineNow | None, now: WaveNow | None) -> Iterator[Content]:
    if engine is not None:
        yield _labelled("engine", engine_words(engine))
        if engine.died_at:
            yield _labelled("", (f"one died at {visible(engine.died_at[11:19])} UTC", "warn"))
    if now is not None and now.order is not None:
        yield _labelled("order", f"{visible(now.order.purpose)} by {visible(now.order.who, 20)}")


def _window(sheet: Sheet, width: int) -> Iterator[Content]:
    window = sheet.wave.window
    assert window is not None
    start, end = window.start_utc, window.end_utc
    room = max(8, width - _LABEL - 14)
    share = (sheet.moment - start).total_seconds() / max((end - start).total_seconds(), 1.0)
    at = round(min(max(share, 0.0), 1.0) * (room - 1))
    drawn = "─" * at + "●" + "─" * (room - 1 - at)
    yield _labelled("window", f"{start:%H:%M} ", (drawn, "accent"), f" {end:%H:%M}")
    if share < 0:
        words, tone = f"opens in {lasted((start - sheet.moment).total_seconds())}", ""
    elif share > 1:
        words, tone = f"▲ over for {lasted((sheet.moment - end).total_seconds())}", "warn"
    else:
        words, tone = f"{lasted((end - sheet.moment).total_seconds())} left", ""
    yield _labelled("", (words, tone))


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
        return _labelled("window", (f"▲ for commit over for {lasted(-left)}", "warn"))
    tone = "warn" if left < 3600 else "accent"
    return _labelled("commits", (f"◆ {lasted(left)} left", tone), f", {then}")


def _back(sheet: Sheet, rehearsed: Spread | None) -> tuple[str | tuple[str, str], ...]:
    if sheet.outcome:
        return (("the run is over", "dim"),)
    back = sheet.gates.back
    if back.verb == "failback":
        return (("none: failback only", "warn"),)
    price = f"{show_duration(rehearsed[0])} / {show_duration(rehearsed[1])} rehearsed" if rehearsed else ""
    return (f"{back.verb} undoes {plural(len(back.steps), 'step')} ", (price, "accent"))


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


# what users feel


def describe_felt(sheet: Sheet) -> Content:
    """Return where users find each group, and since when one is down."""
    lines = []
    for one in sheet.felt:
        mark = where_mark(one.where.value, sheet.homeward)
        words = mark.text
        if one.where.value == "down":
            some = f" ({one.down} of {plural(one.vms, 'VM')})" if one.down < one.vms else ""
            words = f"{mark.text} {lasted(one.down_s or 0.0)}{some} since {visible(one.since[11:19])}"
        elif one.down_s is not None:
            words = f"{mark.text}, was down {lasted(one.down_s)}"
        lines.append(line(f"{visible(one.group, 12):<13}", (words, mark.tone)))
    return stack(lines) if lines else line(("no group", "dim"))


# the gate, or what is in the way


def describe_matter(sheet: Sheet) -> tuple[str, Content]:
    """Return what matters now, under a title: a gate with its evidence, a step that failed, or the way on."""
    from migrate.run.runbook import GO

    step = sheet.current
    back = _cost(sheet)
    if sheet.outcome:
        return f"The run is over: {sheet.outcome}", line(_ended(sheet))
    if step is not None and step.status in ("failed", "undo-failed", "rests", "held"):
        return f"{step_mark(step.status).text}: {visible(step.title, 60)}", stack([back, *_ill(step)])
    waiting = [seen for seen in sheet.gates.gates if seen.state in ("open", "shut")]
    if waiting:
        seen = waiting[0]
        more = [line((f"and {plural(len(waiting) - 1, 'gate')} more", "dim"))] if waiting[1:] else []
        if sheet.homeward and seen.gate.id == GO:
            home = line(
                ("✔ nothing is due: what the target writes is copied back, o would bring it home", "good")
            )
            return "Committed: it may come home", stack([home, back, *gate_lines(seen), *more])
        return f"Gate {seen.gate.id}: {seen.state}", stack([back, *gate_lines(seen), *more])
    return "Under way", stack([back, *_ahead(sheet)])


def _ended(sheet: Sheet) -> str:
    from migrate.run.actions import Outcome

    steps = plural(sheet.done, "step")
    if sheet.outcome == Outcome.COMMITTED.value:
        return f"{steps} done: w shows what came after it, p replays it"
    return f"{steps} done, and taken back what had to be: o begins anew, p replays it"


def gate_lines(seen: Seen) -> list[Content]:
    """Return all that is known of a gate: evidence, words of people, what it needs, what goes on."""
    from tui.cli.gates import show_one

    lines: list[str] = []
    show_one(seen, lines.append)
    return [line((text, "warn" if text.startswith("  needs") else "")) for text in lines]


def _ill(step: SheetStep) -> list[Content]:
    helps = ["t tries it again"] + ["x passes it over"] * step.may_skip + ["b goes back"]
    return [
        line((step.said or "it said nothing", step_mark(step.status).tone)),
        line((" · ".join(helps), "accent")),
    ]


def _ahead(sheet: Sheet) -> list[Content]:
    going = [step for step in sheet.steps if step.status in ("started", "undoing")]
    named = ", ".join(visible(step.title, 40) for step in going[:4]) or "nothing yet"
    gate = next((seen for seen in sheet.gates.gates if seen.state == "ahead"), None)
    lines = [line(("goes on ", "dim"), named)]
    if gate is not None and sheet.mode.value == "forward":
        lines.append(line(("up to   ", "dim"), visible(gate.gate.title, 70)))
    return lines


def _cost(sheet: Sheet) -> Content:
    from tui.cli.way_back import cost

    return line(("going back: ", "dim"), visible(cost(sheet.gates.back)))


def describe_step(sheet: Sheet, step: SheetStep) -> Content:
    """Return one step with its evidence; a gate with all that is known of it."""
    mark = step_mark(step.status)
    lines = [
        line((mark.text, mark.tone), f"  {visible(step.title)}"),
        _labelled("step", f"{visible(step.id)} · {visible(step.kind)} · {step.effect} · {step.phase}"),
        _labelled("at", f"{visible(step.at)}" if step.at else ("it did not come to that", "dim")),
        _labelled("says", step.said or ("nothing yet", "dim")),
    ]
    if step.is_gate:
        seen = next((one for one in sheet.gates.gates if one.gate.id == step.id), None)
        lines += [line("")] + (gate_lines(seen) if seen is not None else [])
    return stack(lines)


def moment_words(moment: datetime) -> str:
    """Return a moment of a replay to the second."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
