"""What the panels of 6 Replicate say: the line against its calendar, freshness, the store, one lane."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from migrate.freshness import within_again, words
from planner.names import visible
from planner.units import show_bytes, show_duration
from tui.drawings.spans import cells, drawn, runs_words
from tui.drawings.timeline_link import spark
from tui.live.lanes import Lane, has_age
from tui.live.sums import Sums
from tui.screens.replicate_rows import left_words, phase_mark
from tui.text import count, fill, line, plural, short_time, stack

if TYPE_CHECKING:
    from textual.content import Content

    from migrate.disk_maps import DiskMap
    from migrate.replication.line import Line
    from migrate.transfers.ports import Moving
    from planner.settings import Settings
    from tui.live.document import Live, WaveNow

_READER, _BOX = 118, 11  # columns of the box that it is read in; of its frames, a scrollbar and a margin
_DAYS = 8
_MAP = 40  # cells of a disk in the detail of its VM
_QUARTERS = 4 * 24 * _DAYS


def _labelled(label: str, *parts: str | tuple[str, str]) -> Content:
    return line((f"{label:<9} ", "dim"), *parts)


def mbit(bytes_s: float) -> str:
    """Return a rate as lines are sold: ``500 Mbit/s``."""
    rate = bytes_s * 8 / 1e6
    return f"{count(round(rate))} Mbit/s" if rate >= 10 or rate == 0 else f"{rate:.2g} Mbit/s"


def describe_maps(found: Sequence[DiskMap], width: int) -> Content:
    """Return where disks changed, pass by pass, for a screen so wide."""
    lines: list[Content] = []
    for disk in found:
        lines += [
            line((visible(disk.label, 60), "accent"), (f"  {show_bytes(disk.size_bytes)}", "dim")),
            *(line(f" {one}") for one in drawn(disk, min(width, _READER) - _BOX)),
            line(""),
        ]
    return stack(lines[:-1])


def describe_line(
    held: Line | None, settings: Settings, sent: Sequence[float], now: datetime, width: int
) -> list[Content]:
    """Return what goes over the line against what it may take, now and next; ``sent`` is bytes a second."""
    rate = sent[-1] if sent else 0.0
    whole = settings.link.rate_mbit * 1e6 / 8
    cap = held.rate_bytes_s(now.timestamp()) if held is not None else whole
    room = max(width - 34, 6)
    most = max(*sent, cap, 1.0) if sent else max(cap, 1.0)
    drawn = "".join(spark(one / most) for one in sent[-room:])
    share = f"{min(rate / cap, 9.99):.0%} of it" if cap else "closed now"
    lines = [
        _labelled("out", f"{mbit(rate):>13} ", (drawn, "accent")),
        _labelled("may take", f"{mbit(cap):>13} ", (fill(rate, cap or 1.0, max(min(room, 16), 4)), "accent"),
                  f" {share}"),
    ]  # fmt: skip
    if held is None:
        lines.append(line(("nothing holds transfers back: t limits them", "dim")))
    else:
        limit = settings.transfers.limit_mbit
        said = f" · own limit {limit:g} Mbit/s" if limit is not None else ""
        quarter = now.astimezone(UTC).replace(minute=now.minute // 15 * 15, second=0, microsecond=0)
        lines.append(_labelled("then", f"{_next_words(held, cap, quarter, settings.link.zone)}{said}"))
    return lines


@lru_cache(4)  # within a quarter of an hour the calendar says the same
def _next_words(held: Line, cap: float, quarter: datetime, zone: str) -> str:
    """Return when the calendar allows another rate, and which."""
    for number in range(1, _QUARTERS):
        at = quarter + timedelta(minutes=15 * number)
        if (rate := held.rate_bytes_s(at.timestamp())) != cap:
            return f"{mbit(rate)} from {at.astimezone(ZoneInfo(zone)):%a %H:%M} {visible(zone, 24)}"
    return "the same at all hours"


def describe_freshness(lanes: Iterable[Lane]) -> list[Content]:
    """Return how many groups are within their target, and which is worst and why."""
    aged = [lane for lane in lanes if lane.depth == 1 and lane.age_s is not None]
    bound = [lane for lane in aged if lane.target_s]
    if not aged:
        return [line(("no copy is kept up to date now", "dim"))]
    within = sum(not lane.over for lane in bound)
    lines = []
    if bound:
        tone = "good" if within == len(bound) else "bad"
        mark = "✔" if within == len(bound) else "✖"
        share = f"{within} of {plural(len(bound), 'group')} {100 * within / len(bound):.0f}%"
        lines.append(_labelled("within", (f"{mark} {share}", tone)))
    worst = max(bound or aged, key=lambda lane: (lane.age_s or 0.0) / (lane.target_s or 1.0))
    target = f" of {show_duration(worst.target_s)}" if worst.target_s else ", no target"
    age = f"{rounded(worst.age_s or 0.0)}{target}"
    lines.append(_labelled("oldest", (age, "bad" if worst.over else ""), f"  {visible(worst.name, 30)}"))
    if worst.over:
        lines.append(_labelled("why", visible(worst.note, 200)))
    return lines


def rounded(seconds: float) -> str:
    """Return a time that does not change every second."""
    return show_duration(int(seconds // 60) * 60) if seconds >= 60 else "under 1 m"


def describe_store(live: Live, said: Sums) -> list[Content]:
    """Return what compression and dedupe saved, and how the journals stand, the worst first."""
    lines = []
    if said.wire_total_bytes:
        ratio = said.data_bytes / said.wire_total_bytes if said.data_bytes else 1.0
        lines.append(_labelled("packed", f"{ratio:.1f}×  {show_bytes(said.wire_total_bytes)} sent"))
    whole = said.data_bytes + said.deduped_bytes
    if whole:
        share = f"{said.deduped_bytes / whole:.0%}"
        lines.append(_labelled("dedupe", f"{share}  {show_bytes(said.deduped_bytes)} saved"))
    histories = [
        (group, found)
        for wave in live.waves
        if wave.copies is not None and has_age(wave.status.stage)  # after the go there is no journal
        for group, found in wave.copies.histories.items()
    ]
    if histories:
        short = [(group, found) for group, found in histories if found["is_short"]]
        group, worst = min(histories, key=lambda one: one[1]["history_s"] / (one[1]["wanted_s"] or 1.0))
        reach = f"{show_duration(worst['history_s'])} of {show_duration(worst['wanted_s'])}"
        points = sum(found["checkpoints"] for _, found in histories)
        good = f"{'✖' if short else '✔'} {len(histories) - len(short)} of {len(histories)} as wanted"
        lines.append(_labelled("journals", (good, "bad" if short else "good")))
        lines.append(_labelled("shortest", reach, f"  {visible(group, 30)}"))
        lines += [line((f"▲ {visible(said, 200)}", "warn")) for said in worst["said"][:2]]
        lines.append(_labelled("kept", plural(points, "checkpoint")))
    return lines or [line(("nothing was sent yet", "dim"))]


def describe_lane(lane: Lane | None, live: Live, now: datetime) -> list[Content]:
    """Return one lane from near: what it is at, why, its disks, its order and its run."""
    wave = live.wave(lane.wave) if lane is not None else None
    if lane is None or wave is None:
        return [line(("no lane is under the cursor", "dim"))]
    mark, tone = phase_mark(lane.phase)
    lines = [_labelled("phase", (f"{mark} {visible(lane.phase)}", tone), *_flags(wave))]
    if lane.note:
        lines.append(_labelled("why" if lane.ill else "now", visible(lane.note, 300)))
    if lane.left_s is not None:
        ends = [f"{now + timedelta(seconds=left):%a %H:%M}" for left in lane.left_s]
        lines.append(
            _labelled(
                "done in", f"P50 / P95  {left_words(lane.left_s)}", (f"  {ends[0]} / {ends[1]} UTC", "dim")
            )
        )
    lines += _of_disks(lane, wave)
    if lane.age_s is not None:
        target = f" of {show_duration(lane.target_s)}" if lane.target_s else ", no target"
        lines.append(_labelled("RPO", (f"{rounded(lane.age_s)}{target}", "bad" if lane.over else "")))
        if lane.over and (again := within_again(wave.status, wave.lefts, now)) is not None:
            lines.append(_labelled("in target", visible(words(again), 300)))
    lines += _of_maps(lane, wave)
    if lane.changed_bytes is not None:
        lines.append(_labelled("changed", f"{show_bytes(lane.changed_bytes)} in the last whole round"))
    if lane.tries:
        lines.append(
            _labelled("tries", (f"{plural(lane.tries, 'try')} in vain".replace("trys", "tries"), "warn"))
        )
    return lines + _of_run(wave)


def _flags(wave: WaveNow) -> list[tuple[str, str]]:
    return [(f"  ▲ {visible(flag)}", "warn") for flag in wave.status.flags]


def _of_disks(lane: Lane, wave: WaveNow) -> list[Content]:
    """Return a line for each disk of a lane that is under way."""
    if wave.copies is None or lane.depth == 0:
        return []
    lines = []
    for one in wave.copies.vms:
        if one.member.group != lane.group or (lane.depth == 2 and one.member.name != lane.name):
            continue
        for volume, label in zip(one.volumes, one.labels, strict=True):
            if (moving := wave.moving.get(volume)) is not None:
                name = label if lane.depth == 2 else f"{one.member.name} {label}"
                lines.append(_labelled("disk", f"{visible(name, 40)}  {disk_words(moving)}"))
    return lines


def _of_maps(lane: Lane, wave: WaveNow) -> list[Content]:
    """Return for each disk of a VM where the last pass changed it."""
    if wave.copies is None or lane.depth != 2:
        return []
    return [
        _labelled(
            "where",
            f"{visible(label, 20)}  ",
            (cells(newest.where, _MAP), "accent"),
            f"  {runs_words(newest)}",
        )
        for one in wave.copies.vms
        if (one.member.group, one.member.name) == (lane.group, lane.name)
        for label, newest in zip(one.labels, one.newest, strict=False)
        if newest is not None
    ]


def disk_words(moving: Moving) -> str:
    """Return how far one disk is, how fast, how it is packed, and over how many connections."""
    words = [f"{show_bytes(moving.done_bytes)} / {show_bytes(moving.total_bytes)}"]
    if moving.rate_bytes_s is not None:
        words.append(f"{show_bytes(moving.rate_bytes_s)}/s")
    if moving.packing is not None:
        packed = moving.packing
        words.append(f"zstd {packed.level}, {packed.ratio:.1f}×, {packed.binds.value} binds")
    if moving.deduped_bytes:
        words.append(f"{show_bytes(moving.deduped_bytes)} was there")
    if moving.streams > 1:
        words.append(plural(moving.streams, "stream"))
    return " · ".join(words)


def _of_run(wave: WaveNow) -> list[Content]:
    """Return the run, and the order that is open."""
    status = wave.status
    lines = []
    if wave.run is not None:
        steps = f"{status.steps_done} of {count(status.steps_total)} steps"
        driven = "is driven now" if wave.driven else "nobody drives it"
        lines.append(_labelled("run", f"{wave.run} · {visible(status.state)} · {steps} · {driven}"))
    if wave.order is not None:
        who = "the engine, a cycle" if wave.order.cycle else visible(wave.order.who, 40)
        lines.append(_labelled("ordered", f"{wave.order.purpose} by {who}, {short_time(wave.order.at)} UTC"))
    if status.gate:
        lines.append(_labelled("waits at", visible(status.gate, 120)))
    if "foreign snapshot" in status.held:
        lines.append(_labelled("helps", "it goes on when that is gone; O goes on beside it, with a reason"))
    if status.hint:
        lines.append(_labelled("hint", visible(status.hint, 300)))
    return lines


def lane_page(lane: Lane, live: Live, now: datetime) -> Content:
    """Return the same as one text."""
    return stack(describe_lane(lane, live, now))
