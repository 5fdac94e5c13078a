"""What a bar and programs are told of the transfers of a run: one disk, or several at once as one sum."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from migrate.replication.adapt import Binds
from migrate.run.history import Event
from planner.names import visible
from planner.units import show_bytes
from tui.cli.progress import Bar, Known

if TYPE_CHECKING:
    from migrate.run.driver import Told
    from migrate.transfers.ports import Moving, Packing


class Transfers:
    """The transfers that go on, shown on a bar."""

    def __init__(self, bar: Bar) -> None:
        self._bar = bar
        self._titles: dict[str, str] = {}  # by volume, of those under way
        self._newest: dict[str, Moving] = {}

    def told(self, told: Told) -> None:
        """Note which begin and which end."""
        step = told.step
        if step.kind != "transfer":
            return
        if told.event is Event.INTENT:
            self._titles[step.subject] = step.title
        else:
            self._titles.pop(step.subject, None)
            self._newest.pop(step.subject, None)

    def report(self, moving: Moving) -> None:
        """Show how far one is, beside the others."""
        if len(self._titles) > 1 and moving.volume in self._titles:
            self._newest[moving.volume] = moving
            every = [self._newest[volume] for volume in self._titles if volume in self._newest]
            done, total = (
                sum(part) for part in zip(*((m.done_bytes, m.total_bytes) for m in every), strict=True)
            )
            self._bar.report_on(f"{len(self._titles)} disks", done, total, self._together(every))
        elif title := self._titles.get(moving.volume):
            self._bar.report_on(title, moving.done_bytes, moving.total_bytes, known(moving))
        else:
            self._bar.report(moving.done_bytes, moving.total_bytes, known(moving))

    def _together(self, every: list[Moving]) -> Known:
        """Return the sum of several: they are done when the last of them is."""
        rates = [moving.rate_bytes_s for moving in every if moving.rate_bytes_s is not None]
        lefts = [moving.left for moving in every if moving.left is not None]
        left = None
        if len(lefts) == len(self._titles):
            left = max(one.p50_s for one in lefts), max(one.p95_s for one in lefts)
        binds = Counter(moving.packing.binds for moving in every if moving.packing)
        words = _binding(binds.most_common(1)[0][0]) if binds else ""
        return Known(
            sum(rates) if len(rates) == len(every) else None,
            left,
            words,
            {
                "disks": [
                    {"title": visible(self._titles[moving.volume]), **_fields(moving)} for moving in every
                ]
            },
        )


def known(moving: Moving) -> Known:
    """Return what a transfer knows of itself, for a bar and for programs."""
    left = (moving.left.p50_s, moving.left.p95_s) if moving.left else None
    packing = moving.packing
    if packing is None:
        return Known(moving.rate_bytes_s, left)
    words = f"zstd {packing.level}" if packing.level else "not packed"
    if moving.deduped_bytes:
        words += f" · dedupe {show_bytes(moving.deduped_bytes)}"
    if moving.streams > 1:
        words += f" · {moving.streams} streams"
    binding = _binding(packing.binds)
    told: dict[str, Any] = {
        "volume": visible(moving.volume),
        **_packed(packing),
        "wire_bytes": moving.wire_bytes,
        "deduped_bytes": moving.deduped_bytes,
        "streams": moving.streams,
        "left_p95_s": left and round(left[1], 1),
    }
    return Known(moving.rate_bytes_s, left, f"{words} · {binding}" if binding else words, told)


def _fields(moving: Moving) -> dict[str, Any]:
    """Return what programs are told of one of several disks."""
    rate, left = moving.rate_bytes_s, moving.left
    return {
        "volume": visible(moving.volume),
        "done": moving.done_bytes,
        "total": moving.total_bytes,
        "rate": None if rate is None else round(rate, 3),
        "left_s": left and round(left.p50_s, 1),
        "left_p95_s": left and round(left.p95_s, 1),
        "wire_bytes": moving.wire_bytes,
        "deduped_bytes": moving.deduped_bytes,
        **(_packed(moving.packing) if moving.packing else {}),
    }


def _packed(packing: Packing) -> dict[str, Any]:
    return {"level": packing.level, "ratio": round(packing.ratio, 3), "binds": packing.binds.value}


def _binding(binds: Binds) -> str:
    return "" if binds is Binds.NOTHING else f"{binds.value} binds"
