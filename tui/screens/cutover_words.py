"""What 7 Cutover says beside the runbook: what users feel, the gate, the way back, a step."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from textual.content import Content

from planner.names import visible
from planner.units import show_duration
from tui.drawings.spans import cells, runs_words
from tui.screens.cutover_rows import brief, step_mark, where_mark
from tui.text import line, plural, stack

if TYPE_CHECKING:
    from migrate.gates.seeing import Seen
    from migrate.sheet import Sheet, SheetStep
    from tui.live.document import WaveNow

LABEL = 9  # cells
_MAP = 48


def labelled(label: str, *parts: str | tuple[str, str]) -> Content:
    """Return a line of a panel under its label."""
    return line((f"{label:<{LABEL}} ", "dim"), *parts)


def lasted(seconds: float) -> str:
    """Return a length that ticks."""
    return show_duration(max(0.0, round(seconds)))


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


def describe_matter(sheet: Sheet, now: WaveNow | None = None) -> tuple[str, Content]:
    """Return what matters now, under a title: a gate with its evidence, a step that failed, or the way on.

    ``now`` is the wave as it is, None for a run as it once was.
    """
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
    if now is not None and not now.driven and now.order is None:
        held = "paused" in now.status.flags
        why = "it is held, and nothing goes on" if held else "no process drives it, so nothing goes on"
        said = line((f"▲ {why}: m goes on with it", "warn"))
        return "Held" if held else "It stands still", stack([said, back, *_ahead(sheet)])
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
    helps = ["t tries it again", *["P asks it now"] * (step.kind == "probe")]
    helps += [*["x passes it over"] * step.may_skip, "b goes back"]
    return [
        line((brief(step) or "it said nothing", step_mark(step.status).tone)),
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
        labelled("step", f"{visible(step.id)} · {visible(step.kind)} · {step.effect} · {step.phase}"),
        labelled("at", f"{visible(step.at)}" if step.at else ("it did not come to that", "dim")),
        labelled("says", step.said or ("nothing yet", "dim")),
    ]
    if step.where is not None:
        drawn = (cells(step.where.where, _MAP), "accent")
        lines.append(labelled("where", drawn, f"  {runs_words(step.where)}"))
    if step.is_gate:
        seen = next((one for one in sheet.gates.gates if one.gate.id == step.id), None)
        lines += [line("")] + (gate_lines(seen) if seen is not None else [])
    return stack(lines)


def moment_words(moment: datetime) -> str:
    """Return a moment of a replay to the second."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
