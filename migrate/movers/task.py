"""What a mover is asked to do, and what it tells, as lines of JSON.

    to the mover     {"task": {...}}  {"share": bytes a second or null}  {"stop": true}  end of file
    from the mover   {"moving": {...}}  {"copied" | "compared" | "placed" | "kept" | "error": {...}}

A task holds all that it takes: ends, fencing generation, and one thing to do, of four kinds.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from migrate.replication.adapt import Binds
from migrate.replication.pace import Left
from migrate.replication.passes import Mode
from migrate.sites.ports import Consistency, Extent
from migrate.transfers.ports import Moving, Packing, Wanted, Written
from planner import errors
from planner.errors import WherryError


@dataclass(frozen=True, slots=True)
class Ends:
    """Where a task reads and where it writes: what ``open_at`` opens both sites by.

    ``receiver`` is told to movers of other machines: where that of the target is, HOST:PORT, empty for one
    beside whoever writes.
    """

    source: str
    target: str
    receiver: str = ""


@dataclass(frozen=True, slots=True)
class Manner:
    """How passes are sent: compression, block size, dedupe."""

    level: int
    block_bytes: int
    adapts: bool = False
    dedupe: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """Digests that are wanted of a volume at both ends; its source may be ``larger``."""

    volume: str
    size_bytes: int
    snapshot: str | None
    larger: bool = False


@dataclass(frozen=True, slots=True)
class Placement:
    """An image that is wanted on a volume; how far it is, is kept in ``folder`` in the name of a run."""

    image: str
    folder: str
    volume: str
    size_bytes: int
    run: str


@dataclass(frozen=True, slots=True)
class Keeping:
    """What a target wrote that is wanted as checkpoint ``name`` of a wave, among those in ``folder``."""

    name: str
    wave: str
    folder: str
    volumes: tuple[Written, ...]


@dataclass(frozen=True, slots=True)
class Task:
    """One pass (``wanted``), ``comparison``, ``placement`` or ``keeping``, under a fencing generation."""

    ends: Ends
    manner: Manner
    generation: int
    wanted: Wanted | None = None
    comparison: Comparison | None = None
    placement: Placement | None = None
    keeping: Keeping | None = None

    @property
    def volume(self) -> str:
        """The volume that it is about, of a pass, a comparison or a placement."""
        about = self.wanted or self.comparison or self.placement
        assert about is not None
        return about.volume


def dump_task(task: Task) -> dict[str, Any]:
    """Return a task as plain JSON data."""
    return asdict(task)


def load_task(raw: dict[str, Any]) -> Task:
    """Return the task that ``dump_task`` wrote; raises KeyError, TypeError or ValueError."""
    wanted, comparison, placement = raw["wanted"], raw["comparison"], raw.get("placement")
    keeping = raw.get("keeping")
    if sum(part is not None for part in (wanted, comparison, placement, keeping)) != 1:
        raise ValueError("a task is one pass, one comparison, one placement or one keeping")
    if wanted is not None:
        wanted = Wanted(
            **{
                **wanted,
                "mode": Mode(wanted["mode"]),
                "consistency": Consistency(wanted["consistency"]),
                "extents": _load_areas(wanted["extents"]),
            }
        )
    return Task(
        Ends(**raw["ends"]),
        Manner(**raw["manner"]),
        int(raw["generation"]),
        wanted,
        None if comparison is None else Comparison(**comparison),
        None if placement is None else Placement(**placement),
        None if keeping is None else _load_keeping(keeping),
    )


def _load_keeping(raw: dict[str, Any]) -> Keeping:
    volumes = tuple(Written(**{**one, "areas": _load_areas(one["areas"])}) for one in raw["volumes"])
    return Keeping(**{**raw, "volumes": volumes})


def _load_areas(raw: list[dict[str, int]] | None) -> tuple[Extent, ...] | None:
    return None if raw is None else tuple(Extent(**area) for area in raw)


_BINDS = {one.value: one for one in Binds}


def load_moving(raw: Sequence[Any]) -> Moving:
    """Return the progress that was written as it is; raises KeyError, TypeError or ValueError."""
    volume, done, total, wire, rate, packing, left, deduped, streams = raw
    if packing is not None:
        level, ratio, binds = packing
        packing = Packing(level, ratio, _BINDS[binds])
    return Moving(volume, done, total, wire, rate, packing, left and Left(*left), deduped, streams)


def load_error(raw: dict[str, Any]) -> WherryError:
    """Return the error that ``as_json`` wrote, of the class with that code."""
    found = {kind.code: kind for kind in reversed(_tree(WherryError))}  # of equal codes the general one
    return found.get(str(raw["error"]), errors.WherryError)(str(raw["message"]), str(raw["hint"]))


def _tree(kind: type[WherryError]) -> list[type[WherryError]]:
    return [kind, *(deeper for child in kind.__subclasses__() for deeper in _tree(child))]


def line(message: dict[str, Any]) -> bytes:
    """Return a message as it goes over the pipe."""
    return json.dumps(message, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"
