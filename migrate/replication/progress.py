"""What a receiver holds durably of one volume: a small state and an append-only log of it.

The first record is a whole state, written atomically; acknowledged extents are appended. A torn last
record is dropped, for it was never acknowledged. Damage anywhere else is not a torn tail: the content
of the volume counts as unknown then, and the damaged log is kept aside.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from blake3 import blake3

from migrate.disks.extent import Extent
from migrate.replication.extents import ExtentSet
from migrate.replication.passes import Mode
from migrate.sites.consistency import Consistency

_RECORD = struct.Struct("<4sI16s")
_MAGIC = b"WPL1"
_RECORD_MAX = 4 * 1024 * 1024
_COMPACT_BYTES = 1024 * 1024
WHOLE = (Extent(0, 2**62),)


class LogStore(Protocol):
    """Where a log lives. Both writes return only when durable; ``replace`` is atomic."""

    def read(self) -> bytes: ...
    def append(self, data: bytes) -> None: ...
    def replace(self, data: bytes) -> None: ...
    def set_aside(self, data: bytes) -> None:
        """Keep a damaged log for people to look at."""
        ...


@dataclass(frozen=True, slots=True)
class CurrentPass:
    """The pass that is under way. ``held`` is durable under its id."""

    pass_id: str
    mode: Mode
    size_bytes: int
    change: str
    fresh: bool
    held: tuple[Extent, ...] = ()
    cycle: str = ""
    consistency: Consistency = Consistency.CRASH


@dataclass(frozen=True, slots=True)
class DonePass:
    """The last completed pass, as long as nothing was written after it."""

    pass_id: str
    mode: Mode
    size_bytes: int
    change: str
    data_bytes: int
    wire_bytes: int
    cycle: str = ""
    consistency: Consistency = Consistency.CRASH


@dataclass(frozen=True, slots=True)
class VolumeState:
    """Everything remembered of a volume.

    ``base`` is the change id a delta may stand on. ``unknown`` means only a comparison helps, and
    ``suspects`` are runs whose readable content may differ from the durable one.
    """

    generation: int = 0
    base: str = ""
    unknown: bool = False
    suspects: tuple[Extent, ...] = ()
    current: CurrentPass | None = None
    done: DonePass | None = None


class ProgressLog:
    """The log of one volume. Used by the one conversation that holds the volume."""

    def __init__(self, store: LogStore, volume: str) -> None:
        self._store = store
        self._volume = volume.encode("utf-8", "surrogatepass")
        self._count = 0
        self._bytes = 0
        self.state = VolumeState()
        self._load()

    def begin(self, current: CurrentPass, generation: int) -> None:
        """Record durably that a pass starts (or goes on under a newer generation)."""
        base = self.state.base if current.mode is Mode.DELTA else ""
        self._replace(replace(self.state, generation=generation, base=base, current=current, done=None))

    def fence(self, generation: int) -> None:
        """Record durably which generation came, though it had nothing to write."""
        self._replace(replace(self.state, generation=generation))

    def hold(self, extents: Iterable[Extent]) -> None:
        """Record durably that these extents of the current pass are durable."""
        current = self.state.current
        assert current is not None, "hold comes after begin"
        fresh = tuple(extents)
        held = ExtentSet(current.held)
        for extent in fresh:
            held.add(extent.offset, extent.length)
        state = replace(self.state, current=replace(current, held=held.extents()))
        if self._bytes > _COMPACT_BYTES:
            self._replace(state)
        else:
            self._append({"hold": _pairs(fresh)})
            self.state = state

    def finish(self, data_bytes: int, wire_bytes: int) -> None:
        """Record durably that the current pass is complete; older passes are forgotten."""
        current = self.state.current
        assert current is not None, "finish comes after begin"
        done = DonePass(
            current.pass_id,
            current.mode,
            current.size_bytes,
            current.change,
            data_bytes,
            wire_bytes,
            current.cycle,
            current.consistency,
        )
        self._replace(VolumeState(self.state.generation, base=current.change, done=done))

    def forget(self) -> None:
        """Record durably that nothing is known of the content: no delta stands on it, no cycle brought it."""
        self._replace(replace(self.state, base="", current=None, done=None))

    def poison(self, suspects: Iterable[Extent]) -> None:
        """Record durably that the content is unknown; ``suspects`` were written since the last flush."""
        runs = ExtentSet(self.state.suspects)
        for extent in suspects:
            runs.add(extent.offset, extent.length)
        self._replace(
            replace(self.state, base="", unknown=True, suspects=runs.extents(), current=None, done=None)
        )

    def _load(self) -> None:
        raw = self._store.read()
        end, damaged = 0, False
        while end < len(raw):
            payload = self._record(raw, end, self._count)
            if payload is None:
                # Only appended records can be torn; the first one was put there atomically.
                damaged = end == 0 or self._valid_after(raw, end + 1)
                break
            self._apply(json.loads(payload))
            end += _RECORD.size + len(payload)
            self._count += 1
        self._bytes = end
        if damaged:
            self._store.set_aside(raw)
            self._replace(VolumeState(self.state.generation, unknown=True, suspects=WHOLE))
        elif end < len(raw):
            self._replace(self.state)

    def _record(self, raw: bytes, at: int, number: int) -> bytes | None:
        if len(raw) - at < _RECORD.size:
            return None
        magic, length, digest = _RECORD.unpack_from(raw, at)
        payload = raw[at + _RECORD.size : at + _RECORD.size + length]
        if magic != _MAGIC or length > _RECORD_MAX or len(payload) != length:
            return None
        return payload if self._digest(number, payload) == digest else None

    def _valid_after(self, raw: bytes, start: int) -> bool:
        at = raw.find(_MAGIC, start)
        while at >= 0:
            # records are short, so few numbers are possible from here on
            if any(self._record(raw, at, number) for number in range(self._count + 1, self._count + 65)):
                return True
            at = raw.find(_MAGIC, at + 1)
        return False

    def _apply(self, record: dict[str, Any]) -> None:
        if "state" in record:
            self.state = _state_from(record["state"])
            return
        current = self.state.current
        if current is not None:
            held = ExtentSet(current.held)
            for offset, length in record["hold"]:
                held.add(offset, length)
            self.state = replace(self.state, current=replace(current, held=held.extents()))

    def _digest(self, number: int, payload: bytes) -> bytes:
        state = blake3(self._volume)
        state.update(number.to_bytes(8, "little"))
        state.update(payload)
        return bytes(state.digest(16))

    def _packed(self, number: int, body: dict[str, Any]) -> bytes:
        payload = json.dumps(body, separators=(",", ":")).encode()
        return _RECORD.pack(_MAGIC, len(payload), self._digest(number, payload)) + payload

    def _append(self, body: dict[str, Any]) -> None:
        data = self._packed(self._count, body)
        self._store.append(data)
        self._count += 1
        self._bytes += len(data)

    def _replace(self, state: VolumeState) -> None:
        data = self._packed(0, {"state": _state_to(state)})
        self._store.replace(data)
        self.state, self._count, self._bytes = state, 1, len(data)


def _pairs(extents: Iterable[Extent]) -> list[list[int]]:
    return [[extent.offset, extent.length] for extent in extents]


def _extents(pairs: Iterable[list[int]]) -> tuple[Extent, ...]:
    return tuple(Extent(offset, length) for offset, length in pairs)


def _state_to(state: VolumeState) -> dict[str, Any]:
    current, done = state.current, state.done
    return {
        "generation": state.generation,
        "base": state.base,
        "unknown": state.unknown,
        "suspects": _pairs(state.suspects),
        "current": current
        and [
            current.pass_id,
            current.mode,
            current.size_bytes,
            current.change,
            current.fresh,
            _pairs(current.held),
            current.cycle,
            *_worth(current),
        ],
        "done": done
        and [
            done.pass_id,
            done.mode,
            done.size_bytes,
            done.change,
            done.data_bytes,
            done.wire_bytes,
            done.cycle,
            *_worth(done),
        ],
    }


def _worth(one: CurrentPass | DonePass) -> list[str]:
    return [] if one.consistency is Consistency.CRASH else [one.consistency.value]


def _cycle(rest: list[str]) -> tuple[str, Consistency]:
    """Return the last two of a pass; older ones have no cycle, and those worth a crash do not say so."""
    return rest[0] if rest else "", Consistency(rest[1]) if len(rest) > 1 else Consistency.CRASH


def _state_from(body: dict[str, Any]) -> VolumeState:
    current = done = None
    if body["current"]:
        pass_id, mode, size_bytes, change, fresh, held, *rest = body["current"]
        current = CurrentPass(pass_id, Mode(mode), size_bytes, change, fresh, _extents(held), *_cycle(rest))
    if body["done"]:
        pass_id, mode, size_bytes, change, data_bytes, wire_bytes, *rest = body["done"]
        done = DonePass(pass_id, Mode(mode), size_bytes, change, data_bytes, wire_bytes, *_cycle(rest))
    return VolumeState(
        body["generation"], body["base"], body["unknown"], _extents(body["suspects"]), current, done
    )
