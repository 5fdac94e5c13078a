"""The waves as a Gantt chart and as a board: what the drawings are given, made only for what is in sight."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any, TypeVar, overload

from planner.export.seeding import Seed, busy_days, seeds_before
from planner.sized import AtLeast, size_of
from tui.drawings.axis import Slots, Span
from tui.drawings.board import Card, Lane
from tui.drawings.chart import Bar, Chart, Column, Kind, Row, Shade
from tui.drawings.timeline_link import Load
from tui.screens.waves_lines import WaveLine, full_words
from tui.text import count, plural, size_cell, spread_minutes
from tui.theme import state_mark

_DAY = timedelta(days=1)
_SHOWN = 14  # waves that the chart shows at once before anybody zooms
_LATE = 0.05  # chance to overrun a window from which it is said
_Thing = TypeVar("_Thing")


class Made(Sequence[_Thing]):
    """A sequence whose parts are made when they are looked at."""

    def __init__(self, numbers: Sequence[int], make: Callable[[int], _Thing]) -> None:
        self._numbers, self._make = numbers, make

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, at: int) -> _Thing: ...
    @overload
    def __getitem__(self, at: slice) -> list[_Thing]: ...
    def __getitem__(self, at: int | slice) -> _Thing | list[_Thing]:
        if isinstance(at, slice):
            return [self._make(number) for number in self._numbers[at]]
        return self._make(self._numbers[at])


@dataclass(frozen=True, slots=True)
class Times:
    """When what happens: the whole plan's span, None without any date, and the seed of each dated wave."""

    span: Span | None
    seeds: Mapping[str, Seed]
    loads: tuple[Load, ...]


def times_of(lines: Iterable[WaveLine]) -> Times:
    """Return the calendar of waves; a wave whose seed is not known has no bar for it."""
    dated = [line for line in lines if line.window is not None]
    seeds = seeds_before((line.wave, line.window.start_utc, line.seed_h[1])
                         for line in dated if line.window and line.seed_h)  # fmt: skip
    if not dated:
        return Times(None, {}, ())
    starts = [seed.start for seed in seeds.values()]
    starts += [line.window.start_utc for line in dated if line.window]
    ends = [line.window.end_utc for line in dated if line.window]
    room = max((max(ends) - min(starts)) * 0.02, _DAY)
    days = sorted(busy_days(seeds.values()).items())
    loads = tuple(Load(_midnight(day), _midnight(day) + _DAY, share) for day, share in days)
    return Times(Span(min(starts) - room, max(ends) + room), seeds, loads)


def _midnight(day: Any) -> datetime:
    return datetime.combine(day, time(), UTC)


def first_axis(lines: Sequence[WaveLine], times: Times) -> Span | Slots:
    """Return what the chart shows first: all of a short plan, of a long one the first waves."""
    if times.span is None:
        return Slots(1.0, float(min(max(len(lines), 4), _SHOWN)))
    dated = sorted(line.window.end_utc for line in lines if line.window)
    if len(dated) <= _SHOWN:
        return times.span
    return Span(times.span.start, dated[_SHOWN - 1] + _DAY)


def following(axis: Span | Slots, line: WaveLine | None) -> Span | Slots:
    """Return the axis, moved as far as the cutover of a wave needs to be in sight."""
    if line is None:
        return axis
    if isinstance(axis, Slots):
        if line.slot is None or 0 <= axis.share(line.slot + 1) < 1:
            return axis
        return Slots(max(1.0, line.slot + 2 - axis.count / 2), axis.count)
    if line.window is None:
        return axis
    start, end = axis.share(line.window.start_utc), axis.share(line.window.end_utc)
    if start < 0:
        return axis.moved(start - 0.5)
    return axis.moved(end - 0.75) if end > 1 else axis


def chart_of(
    axis: Span | Slots, times: Times, lines: Sequence[WaveLine], settings: Any, now: datetime, cap: str
) -> Chart:
    """Return what surrounds the rows. ``settings`` is None where they cannot be read."""
    zones = {line.window.zone for line in lines if line.window}
    zone = zones.pop() if len(zones) == 1 else "UTC"
    shades = [Shade(line.window.start_utc, line.window.end_utc) for line in lines if line.window]
    if settings is not None:
        shades += [Shade(item.start_utc, item.end_utc, item.why, freeze=True) for item in settings.freezes]
        shades += [Shade(_midnight(item.day), _midnight(item.day) + _DAY, item.name, freeze=True)
                   for item in settings.holidays]  # fmt: skip
    dated = isinstance(axis, Span)
    return Chart(
        axis,
        columns=(Column("VMs", 5, True), Column("data", 9, True), Column("down P95", 9, True)),
        zone=zone,
        shades=tuple(shades) if dated else (),
        now=now if dated else None,
        loads=times.loads if dated else None,
        cap=cap,
        label_width=22,
        verdict_width=19,
        kinds=(Kind.SEED, Kind.SYNC, Kind.CUTOVER, Kind.SOAK),
    )


def chart_row(line: WaveLine, times: Times, soak: timedelta, marked: bool) -> Row:
    """Return the row of a wave."""
    verdict, tone = _verdict(line)
    name = f"{'✓' if marked else ''}{'▣' if line.locked else ''}{line.wave}{line.edited[:1]}"
    down = spread_minutes(*line.downtime).split(" / ")[1] if line.downtime else "?"
    size = size_cell(line.size_bytes)
    bars = () if line.window is None else _bars(line, times, soak)
    slot = None if line.slot is None else line.slot + 1
    return Row(f"{name:<5} {line.title}", (count(line.vms), size, down), bars, verdict, tone, slot)


def _bars(line: WaveLine, times: Times, soak: timedelta) -> tuple[Bar, ...]:
    assert line.window is not None
    start, end = line.window.start_utc, line.window.end_utc
    bars = [Bar(Kind.CUTOVER, start, end, wrong=bool(line.broken))]
    if soak:
        bars.append(Bar(Kind.SOAK, end, end + soak))
    if seed := times.seeds.get(line.wave):
        bars.append(Bar(Kind.SEED, seed.start, seed.end))
        if start > seed.end:
            bars.append(Bar(Kind.SYNC, seed.end, start))
    return tuple(bars)


def _verdict(line: WaveLine) -> tuple[str, str]:
    if line.begun:
        mark = state_mark(line.state)
        return mark.text, mark.tone
    if line.broken:
        return f"✖ {plural(line.broken, 'rule')} broken", "bad"
    if line.overrun is not None and line.overrun >= _LATE:
        return f"▲ {line.overrun:.0%} may overrun", "warn"
    if line.window and line.downtime and line.downtime[1] > line.window.hours * 60:
        return "▲ P95 beyond window", "warn"
    if line.broken is None:
        return ("✔ approved", "good") if line.approved else ("", "")
    full = f" {full_words(line.full)}" if line.full else ""
    if line.full and line.full[0] > 1:
        return f"▲{full}", "warn"
    if isinstance(line.size_bytes, AtLeast):
        return "? disks unknown", "dim"
    return f"{'✔' if line.approved else '·'} fits{full}", "good" if line.approved else ""


def lane_of(line: WaveLine, cards: Sequence[Card] | None, marked: bool) -> Lane:
    """Return a wave as a lane; ``cards`` None are not known yet."""
    verdict, tone = _verdict(line)
    note = f"{size_cell(line.size_bytes)} · {plural(line.vms, 'VM')} · {plural(line.groups, 'group')}"
    if line.broken:
        note = verdict
    title = f"{'✓ ' if marked else ''}{line.wave}{line.edited[:1]} {line.title}"
    return Lane(
        title, note if cards is not None else "reading …", tone if line.broken else "dim", cards or ()
    )


def card_of(wave: str, group: Mapping[str, Any], locked: bool, marked: bool) -> Card:
    """Return a move group as a card."""
    size = size_cell(size_of(group["size_bytes"], group["sized"]))
    late = [need["group"] for need in group["needs"] or () if need["late"]]
    name = f"{'✓ ' if marked else ''}{'● ' if group['said'].startswith('edit') else ''}{group['name']}"
    card = Card((wave, group["name"]), name, len(group["vms"]), size, locked)
    return replace(card, violation=f"before {late[0]}") if late else card
