"""What the panels of a protection group's page say: where it flows, how fresh it is, the way back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from planner.names import visible
from planner.units import show_bytes, show_duration
from tui.drawings.changes import Change, drawn
from tui.screens.group_rows import changes, kind, moment, verified
from tui.screens.replicate_rows import phase_mark
from tui.screens.replicate_words import rounded
from tui.text import line, plural

if TYPE_CHECKING:
    from textual.content import Content

    from migrate.homeward import WayHome
    from tui.acts.histories import GroupTold
    from tui.live.document import WaveNow
    from tui.live.lanes import Lane

_HOME = ("reverse protected", "failing back", "failed back")
_LANDED = ("before commit", "committing", "committed", "rolling back")


def _labelled(label: str, *parts: str | tuple[str, str]) -> Content:
    return line((f"{label:<11} ", "dim"), *parts)


def describe_group(
    told: GroupTold | None, wave: WaveNow | None, lane: Lane | None, now: datetime
) -> list[Content]:
    """Return direction, state, RPO, lineage and what a failback takes."""
    if wave is None:
        return [line(("the wave is in no plan any more", "dim"))]
    stage, home = wave.status.stage, has_come_home(told, wave)
    lines = [_direction(told, stage, home), _state(wave)]
    if lane is not None and lane.age_s is not None:
        target = f"of {show_duration(lane.target_s)}" if lane.target_s else "no target"
        lines.append(_labelled("RPO", (f"{rounded(lane.age_s)} {target}", "bad" if lane.over else "")))
    if told is None:
        return [*lines, line(("being read …", "dim"))]
    lines.append(_lineage(told))
    lines += _failback(told.home, stage, home)
    if told.told is not None:
        lines += _health(told.told)
    return lines


def has_come_home(told: GroupTold | None, wave: WaveNow | None) -> bool:
    """Return whether a failback has started the group at its source, and is not committed."""
    stays = told.course.stays if told is not None and told.course is not None else ()
    return (
        wave is not None
        and wave.status.stage == "failing back"
        and stays[-1:] != ()
        and (stays[-1].where == "source")
    )


def _direction(told: GroupTold | None, stage: str, home: bool) -> Content:
    source, target = (
        visible(name, 24) for name in (told.sites if told is not None else ("source", "target"))
    )
    if home or stage == "failed back":
        return _labelled(
            "direction", f"{source}     {target}", ("  nothing is copied: it runs at the source", "dim")
        )
    if stage in _HOME:
        return _labelled("direction", f"{target} ──▶ {source}", ("  homeward", "accent"))
    if stage in _LANDED:
        return _labelled(
            "direction", f"{source}     {target}", ("  nothing is copied: it runs at the target", "dim")
        )
    return _labelled("direction", f"{source} ──▶ {target}")


def _state(wave: WaveNow) -> Content:
    mark, tone = phase_mark(wave.status.stage)
    flags = [(f"  ▲ {visible(flag)}", "warn") for flag in wave.status.flags]
    gate = f"  waits at {visible(wave.status.gate, 80)}" if wave.status.gate else ""
    beside = [(f"  beside {plural(len(wave.status.overlooked), 'snapshot')} of others", "warn")]
    return _labelled(
        "state",
        (f"{mark} {visible(wave.status.stage)}", tone),
        gate,
        *flags,
        *(beside if wave.status.overlooked else ()),
    )


def _lineage(told: GroupTold) -> Content:
    """Say by which runs the copy came about, and whether its history is unbroken."""
    out, home = told.runs
    runs = [
        f"run {out}" if out is not None else "no run yet",
        *([f"home by run {home}"] if home is not None else []),
    ]
    points = told.told["checkpoints"] if told.told is not None else []
    if not points:
        return _labelled("lineage", " · ".join(runs))
    breaks = [after for before, after in pairwise(points) if before["epoch"] != after["epoch"]]
    said: str | tuple[str, str] = f" · unbroken since {moment(points[0]):%Y-%m-%d %H:%M} UTC"
    if breaks:
        said = (f" · broken {len(breaks)} times, last before {breaks[-1]['record']}", "warn")
    return _labelled("lineage", " · ".join(runs), said)


def _failback(home: WayHome | None, stage: str, has_come: bool) -> list[Content]:
    if has_come:
        return [_labelled("failback", "it runs at the source: c commits that, b in 7 Cutover goes back")]
    if home is None:
        if stage == "failed back":
            return [_labelled("failback", "it is home")]
        return [_labelled("failback", ("there is none before commit: until then it is rolled back", "dim"))]
    return failback_lines(home)


def failback_lines(home: WayHome) -> list[Content]:
    """Return how long a failback is down, and what comes before it."""
    down, before = (" / ".join(dict.fromkeys(map(_lasts, pair))) for pair in (home.down_s, home.before_s))
    took = f", cutover took {show_duration(round(home.took_s))}" if home.took_s is not None else ""
    if home.protected:
        first = f"before it {before} for {show_bytes(home.round_bytes or 0)} as last"
    else:
        first = f"before it {before} at least: {show_bytes(home.size_bytes)} compared"
    mark = ("✔", "good") if home.fenced == home.sources else ("▲", "warn")
    return [
        _labelled("failback", f"down P50 / P95 {down} as planned{took}"),
        _labelled("", first, "  ", mark, f" {home.fenced} of {plural(home.sources, 'source')} fenced"),
    ]


def _lasts(seconds: float) -> str:
    return show_duration(max(round(seconds), 1))


def _health(told: Mapping[str, Any]) -> list[Content]:
    lines = []
    if health := told["health"]:
        mark, tone = {"good": ("✔", "good"), "warning": ("▲", "warn")}.get(health["grade"], ("✖", "bad"))
        limit = f" of {show_bytes(health['limit_bytes'])}" if health["limit_bytes"] else ""
        reach = f"{show_duration(health['history_s'])} of {show_duration(health['wanted_s'])}"
        lines.append(
            _labelled("journal", (mark, tone), f" back {reach}, {show_bytes(health['size_bytes'])}{limit}")
        )
        lines += [line((f"▲ {visible(said, 200)}", "warn")) for said in health["said"][:2]]
    if told["unrest"]:
        lines.append(
            _labelled("just now", (f"no checkpoint can be made: {visible(told['unrest'], 200)}", "warn"))
        )
    return lines


def describe_changes(told: GroupTold | None, width: int) -> list[Content]:
    """Return how much changed and how it packed, over time: by checkpoints, else by rounds on record."""
    if told is None:
        return [line(("being read …", "dim"))]
    found, what = changes(told.told["checkpoints"] if told.told is not None else ()), "checkpoint"
    if not found:
        found, what = _of_rounds(told), "round"
    seen = drawn(found, max(width, 8))
    if seen is None:
        return [line(("nothing is known yet: two checkpoints or rounds are needed", "dim"))]
    first, last = (datetime.fromtimestamp(at, UTC) for at in (found[0].start_s, found[-1].end_s))
    packs = "nothing was written" if seen.packs_to is None else f"to {seen.packs_to:.0%} of it in all"
    ends = f"{first:%m-%d %H:%M}", f"{last:%m-%d %H:%M} UTC"
    return [
        _labelled("changes", f"up to {show_bytes(round(seen.most_bytes_s * 3600))}/h"),
        line((seen.rates, "accent")),
        _labelled("packs", packs),
        line((seen.ratios, "accent")),
        line((f"{ends[0]}{ends[1]:>{max(width - len(ends[0]), len(ends[1]) + 1)}}", "dim")),
        line((f"by {plural(len(found) + 1, what)}", "dim")),
    ]


def _of_rounds(told: GroupTold) -> list[Change]:
    return [
        Change(before.at.timestamp(), one.at.timestamp(), one.data_bytes, one.wire_bytes)
        for before, one in pairwise(told.rounds)
    ]


def describe_point(point: Mapping[str, Any] | None, told: GroupTold | None, now: datetime) -> list[Content]:
    """Return the checkpoint under the cursor from near."""
    if point is None or told is None:
        # the table cuts it off
        why = told.why if told is not None and told.told is None else ""
        return [line((visible(why, 300) or "no checkpoint is under the cursor", "dim"))]
    age = show_duration(max((now - moment(point)).total_seconds(), 0.0))
    written = point["written_bytes"]
    packed = f", packs to {point['packed_bytes'] / written:.0%}" if written else ""
    lines = [
        _labelled("stands for", f"{moment(point):%m-%d %H:%M:%S} UTC", (f"  {age} ago", "dim")),
        _labelled("kind", f"{kind(point)}, {visible(point['consistency'])} consistent"),
        _labelled("changed", f"{show_bytes(written)}{packed}"),
        _labelled("kept", "until it is unpinned: p" if point["pinned"] else "as long as the journal reaches"),
        _labelled("verified", visible(verified(point, told.proven), 300)),
    ]
    if point["name"]:
        lines.insert(0, _labelled("name", visible(point["name"], 200)))
    return lines + [_labelled("noted", visible(text, 300)) for text in point["results"]]
