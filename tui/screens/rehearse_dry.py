"""A dry run at the sites from 5 Rehearse: they are asked, nothing is changed, every call is listed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textual.content import Content

from planner.names import visible
from tui.dialogs.reader import Reader
from tui.dialogs.work import Work
from tui.jobs import orders
from tui.jobs.job import Job
from tui.screens.booted_words import address_lines
from tui.screens.table_place import TablePlace
from tui.text import count, line, plural, stack

_CALLS = 500  # that are listed


class DryRehearsing(TablePlace):
    """A place with a wave under its cursor that can be held against the sites."""

    @property
    def wave(self) -> str:
        """The wave under the cursor."""
        raise NotImplementedError

    def action_rehearse_dry(self) -> None:
        """Ask both sites what a run would meet; nothing is changed there."""
        order = orders.rehearse_dry(self.wave)
        self.wherry.start(Job(order.argv(self.wherry.session.root), order.title), self._told_dry)

    def _told_dry(self, job: Job) -> None:
        said = job.state.document
        if not isinstance(said, dict) or "calls" not in said:
            return  # the box says why
        if isinstance(self.app.screen, Work):
            self.app.pop_screen()  # what it led to is under it
        self.app.push_screen(Reader(f"Dry run of {visible(said['wave'], 40)}", stack(describe_dry(said))))


def _verdict(said: Mapping[str, Any]) -> tuple[str, str]:
    if said["findings"]:
        return f"▲ {plural(len(said['findings']), 'finding')}", "warn"
    if said["stopped_at"]:
        return "▲ it could not be followed to its end", "warn"
    return "✔ nothing is in the way", "good"


def describe_dry(said: Mapping[str, Any]) -> list[Content]:
    """Return what is in the way, the way to each disk, and the calls that a run would make."""
    found, calls, wave = said["findings"], said["calls"], visible(said["wave"], 40)
    lines = [line(_verdict(said), (f"  {plural(len(calls), 'call')}, none was made", "dim"))]
    for one in found:
        lines.append(line((f"✖ {visible(one['what'], 60)}: {visible(one['message'], 300)}", "bad")))
        if one["hint"]:
            lines.append(line(("  → ", "dim"), visible(one["hint"], 300)))
    if said["stopped_at"]:
        lines.append(line((f"what comes after {visible(said['stopped_at'], 80)} is not foreseen", "warn")))
    lines += address_lines(said.get("addresses"), findings=False)
    if said["ways"]:
        lines += [line(""), line(("Ways to disks", "dim"))]
    for one in said["ways"]:
        where = f"{visible(one['disk'], 60)}  {visible(one['where'], 20)} by {visible(one['way'], 40)}"
        lines.append(line(where, (f"  {visible(one['reason'], 300)}", "dim")))
    if calls:
        lines += [line(""), line(("Calls in order: site, call, of what, step", "dim"))]
    for number, one in enumerate(calls[:_CALLS], 1):
        what = f"{visible(one['where'], 12):<10}{visible(one['call'], 40):<24}{visible(one['subject'], 60)}"
        lines.append(line((f"{number:>5}  ", "dim"), what, (f"  {visible(one['step'], 60)}", "dim")))
    if len(calls) > _CALLS:
        more = f"{count(len(calls) - _CALLS)} more: wherry rehearse {wave} --depth dry"
        lines.append(line((more, "dim")))
    return lines
