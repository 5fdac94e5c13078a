"""What is known of every object between two looks: values by path, as the vCenter sent them last.

Machines are kept packed (their JSON, deflated: about 1.5 KiB each), all others as they are. Updates
carry whole values at the paths that were asked for; what goes deeper marks its object as stale.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from planner.sources.vcenter.answers import VIM, value_of
from planner.sources.vcenter.collector import RawObject, Unseen, missing_path
from planner.sources.vcenter.paths import MACHINES, SURROUNDINGS, Kind
from planner.sources.vcenter.soap import Ref


def _kinds() -> dict[str, Kind]:
    found = {kind_type: kind for kind in (*SURROUNDINGS, MACHINES) for kind_type in kind.paths}
    found["ClusterComputeResource"] = found["ComputeResource"]
    found["VirtualApp"] = found["ResourcePool"]
    found["OpaqueNetwork"] = found["Network"]
    found["StoragePod"] = found["Folder"]
    found["VmwareDistributedVirtualSwitch"] = found["DistributedVirtualSwitch"]
    return found


_KIND_OF = _kinds()


@dataclass(frozen=True, slots=True)
class _Packed:
    ref: Ref
    body: bytes
    missing: dict[str, str]

    @classmethod
    def of(cls, item: RawObject) -> _Packed:
        body = json.dumps(item.values, separators=(",", ":")).encode("utf-8", "surrogatepass")
        return cls(item.ref, zlib.compress(body, 1), dict(item.missing))

    def raw(self) -> RawObject:
        return RawObject(self.ref, json.loads(zlib.decompress(self.body)), self.missing)


@dataclass(slots=True)
class State:
    """All objects. ``touched`` machines changed since the last look, ``stale`` objects are to be read."""

    _machines: dict[str, _Packed] = field(default_factory=dict)
    _others: dict[str, dict[str, RawObject]] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)
    stale: dict[Ref, Kind] = field(default_factory=dict)

    def put(self, item: RawObject) -> None:
        """Take in an object as it is now."""
        kind = _KIND_OF.get(item.ref.kind)
        if kind is MACHINES:
            self._machines[item.ref.id] = _Packed.of(item)
            self.touched.add(item.ref.id)
        elif kind is not None:
            self._others.setdefault(kind.name, {})[item.ref.id] = item
        self.stale.pop(item.ref, None)

    def get(self, target: Ref) -> RawObject | None:
        """Return an object as it was last, None when it is unknown."""
        kind = _KIND_OF.get(target.kind)
        if kind is MACHINES:
            packed = self._machines.get(target.id)
            return packed.raw() if packed else None
        return self._others.get(kind.name, {}).get(target.id) if kind else None

    def drop(self, target: Ref) -> None:
        """Forget an object that went away."""
        kind = _KIND_OF.get(target.kind)
        if kind is MACHINES:
            self._machines.pop(target.id, None)
            self.touched.discard(target.id)
        elif kind is not None:
            self._others.get(kind.name, {}).pop(target.id, None)
        self.stale.pop(target, None)

    def update(self, element: Any, older: Callable[[Kind], Mapping[str, str]]) -> None:
        """Apply one ``objectSet`` element of an update; ``older`` are paths that this API does not know."""
        change = element.findtext(VIM + "kind")
        holder = element.find(VIM + "obj")
        target = Ref(holder.get("type", ""), holder.text or "")
        kind = _KIND_OF.get(target.kind)
        if kind is None:
            return
        if change == "leave":
            self.drop(target)
            return
        known = None if change == "enter" else self.get(target)
        values: dict[str, Any] = dict(known.values) if known else {}
        missing = dict(known.missing) if known else dict(older(kind))
        paths = {path for listed in kind.paths.values() for path in listed}
        deeper = change == "modify" and known is None
        for entry in element.iterfind(VIM + "changeSet"):
            path = entry.findtext(VIM + "name") or ""
            if path not in paths:
                deeper = True
                continue
            value = entry.find(VIM + "val")
            missing.pop(path, None)
            if value is None or entry.findtext(VIM + "op") in ("remove", "indirectRemove"):
                values.pop(path, None)
            else:
                convert = kind.convert.get(path)
                values[path] = convert(value) if convert else value_of(value)
        for entry in element.iterfind(VIM + "missingSet"):
            path, why = missing_path(entry)
            values.pop(path, None)
            missing[path] = why
        self.put(RawObject(target, values, missing))
        if deeper:
            self.stale[target] = kind

    def machines(self, only: set[str] | None = None) -> Iterator[RawObject]:
        """Yield machines unpacked, one by one; ``only`` those of these ids."""
        for key, packed in self._machines.items():
            if only is None or key in only:
                yield packed.raw()

    def machine_ids(self) -> list[str]:
        """Return the ids of all machines, in the order they came."""
        return list(self._machines)

    def surroundings(self) -> dict[str, list[RawObject]]:
        """Return all other objects by the name of their kind."""
        return {name: list(held.values()) for name, held in self._others.items()}

    def unseen(self) -> Unseen:
        """Return what is not shown to us of all objects."""
        unseen = Unseen()
        for packed in self._machines.values():
            unseen.add(MACHINES.name, packed.missing)
        for name, held in self._others.items():
            for item in held.values():
                unseen.add(name, item.missing)
        return unseen
