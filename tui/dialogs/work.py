"""Shows work of its own process while it goes on: how far, how long still, the best so far, stopping it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content

from planner.names import visible
from planner.units import show_bytes, show_duration, show_rate
from tui.dialogs.dialog import Dialog
from tui.drawings.timeline_link import spark
from tui.jobs.job import Job
from tui.jobs.state import Best, JobState
from tui.text import count, fill, line, plural, stack
from tui.widgets.panel import Panel

PERIOD_S = 0.2
_LINES = 12  # of what it said
_BESTS = 8


class Work(Dialog[None]):
    """One job. Leaving the box lets the work go on."""

    BINDINGS: ClassVar[list[Any]] = [
        Binding("x", "stop", "stop", show=False),
        Binding("K", "kill", "end it at once", show=False),
        Binding("enter,q", "leave", "leave", show=False),
    ]

    def __init__(self, job: Job) -> None:
        super().__init__()
        self._job = job

    def compose(self) -> ComposeResult:
        """A panel in a box."""
        with Vertical(classes="box wide") as box:
            box.border_title = Content(visible(self._job.state.title))
            yield Panel("work")

    def on_mount(self) -> None:
        """Follow the work."""
        self.set_interval(PERIOD_S, self._show)
        self.query_one(Panel).focus()
        self._show()

    def _show(self) -> None:
        state, panel = self._job.state, self.query_one(Panel)
        panel.show(describe_work(state, datetime.now(UTC), panel.size.width - 2))
        keys = "x stops it · esc leaves it going on" if state.running else "enter closes"
        if self._job.can_kill:
            keys = "it does not stop: K ends it at once · esc leaves it going on"
        self.query_one(".box").border_subtitle = Content(keys)

    def action_stop(self) -> None:
        """Ask it to stop with what it has."""
        self._job.stop()

    def action_kill(self) -> None:
        """End what was asked to stop and does not."""
        if self._job.can_kill:
            self._job.kill()


def describe_work(state: JobState, now: datetime, width: int) -> Content:
    """Return how far a job is."""
    passed = show_duration(((state.ended or now) - state.begun).total_seconds())
    lines: list[Content] = []
    if state.running:
        lines.append(line(("◐ ", "accent"), visible(state.phase or "beginning …"),
                          (f"   {passed} so far", "dim")))  # fmt: skip
        lines += _how_far(state, width)
        if state.stopping:
            lines.append(line(("asked to stop; it ends with what it has", "warn")))
    else:
        words = (f"✔ {state.done_words}", "good") if state.succeeded else (f"✖ {ended_words(state)}", "bad")
        lines.append(line(words, (f"   after {passed}", "dim")))
    if state.best:
        lines += [line(""), line(("best so far", "dim"))]
        lines += trend(state.best, max(10, min(60, width - 30)))
        lines += [line("  " + best_words(best)) for best in state.best[-_BESTS:]]
    if state.error is not None:
        lines += [line(""), line(("✖ " + visible(state.error.message), "bad"))]
        if state.error.hint:
            lines.append(line(("  hint: ", "dim"), visible(state.error.hint)))
    if state.said:
        lines.append(line(""))
        lines += [line(("  " + visible(text), "dim")) for text in state.said[-_LINES:]]
    return stack(lines)


def trend(best: Sequence[Best], width: int) -> list[Content]:
    """Return how waves and traffic cut of the present track fell over time; nothing for one point."""
    mine = [one for one in best if one.track == best[-1].track]
    if len(mine) < 2:
        return []
    begin, end = mine[0].at_s, mine[-1].at_s
    times = [begin + (end - begin) * at / (width - 1) for at in range(width)]
    seen = [next(one for one in reversed(mine) if one.at_s <= now + 1e-9) for now in times]
    waves = [float(one.waves) for one in seen]
    cut = [one.cut_share for one in seen]
    return [
        _fall("waves", waves, f"{count(mine[0].waves)} → {count(mine[-1].waves)}"),
        _fall("cut", cut, f"{cut[0]:.1%} → {cut[-1]:.1%}"),
    ]


def _fall(word: str, values: Sequence[float], said: str) -> Content:
    most = max(values) or 1.0
    return line(
        (f"{word:<6}", "dim"), ("".join(spark(value / most) for value in values), "accent"), f" {said}"
    )


def ended_words(state: JobState) -> str:
    """Say how a job ended that did not do what it was asked."""
    if state.exit_code == 130:
        return "stopped"
    return f"ended with exit code {state.exit_code}"


def best_words(best: Best) -> str:
    """Say a plan that was the best so far."""
    track = f"{visible(best.track)}, " if best.track else ""
    return (
        f"{show_duration(best.at_s):>8}  {track}{visible(best.phase)}: {plural(best.waves, 'wave')} "
        f"(at least {best.waves_bound}), {best.cut_share:.1%} of traffic cut, "
        f"{best.stretch_gb:,.0f} GB across the line"
    )


def _how_far(state: JobState, width: int) -> list[Content]:
    if state.done is None:
        return []
    if not state.total:
        return [line(f"{state.done:,}")]
    in_bytes = state.unit == "bytes"
    show = show_bytes if in_bytes else count
    words = f"{show(state.done)} of {show(state.total)}"
    if state.rate and in_bytes:
        words += f", {show_rate(state.rate)}"
    if state.left_s is not None:
        words += f", {show_duration(state.left_s)} left"
    return [line((fill(state.done, state.total, max(10, width - 50)), "accent"), "  " + words)]
