"""Which VM a row of another sheet belongs to, and how sure that is.

The keys, best first: (VI SDK UUID, VM ID), VM ID alone, VM UUID, name, and name with datacenter and
host. A key counts only while it names one VM. Rows that belong to no VM of vInfo are counted, sheet
by sheet, never dropped in silence: people filter one sheet of a workbook before they send it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from planner.names import visible
from planner.sources.cells import text
from planner.sources.rvtools.headers import Sheet
from planner.units import show_count

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Identity:
    """What a row of vInfo says of who it is and where it stands."""

    vcenter: str
    moref: str
    uuid: str
    name: str
    datacenter: str = ""
    host: str = ""
    path: str = ""  # of its vmx

    @property
    def place(self) -> tuple[str, str, str]:
        """What tells VMs of one name apart where there are no ids."""
        return self.name, self.datacenter, self.host


def identities(sheet: Sheet) -> list[Identity]:
    """Return the identity of each row of a VM sheet; unknown parts are empty."""
    return list(
        map(
            Identity,
            sheet.vcenters(),
            sheet.texts("vmid"),
            sheet.folded("vmuuid"),
            sheet.texts("vm"),
            sheet.texts("datacenter"),
            sheet.texts("host"),
            sheet.texts("path"),
        )
    )


def _unique(keys: Sequence[Key]) -> dict[Key, int]:
    """Return each key that occurs once, with its position."""
    counts = Counter(keys)
    return {key: at for at, key in enumerate(keys) if key and counts[key] == 1}


@dataclass(slots=True)
class Owners:
    """Finds the VM of a row. ``match`` answers positions in the list it was built from.

    ``twice`` holds the VMs that vInfo repeats: their devices are listed twice on the other sheets.
    """

    identities: Sequence[Identity]
    twice: frozenset[int] = frozenset()
    notes: list[str] = field(default_factory=list)
    _full: dict[tuple[str, str], int] = field(init=False)
    _moref: dict[str, int] = field(init=False)
    _uuid: dict[str, int] = field(init=False)
    _name: dict[str, int] = field(init=False)
    _place: dict[tuple[str, str, str], int] = field(init=False)
    _names: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        known = self.identities
        # A row without a VM ID never finds anyone by it.
        self._full = _unique([(one.vcenter, one.moref or f"\0{at}") for at, one in enumerate(known)])
        self._moref = _unique([one.moref for one in known])
        self._uuid = _unique([one.uuid for one in known])
        self._name = _unique([one.name for one in known])
        self._place = _unique([one.place for one in known])
        self._names = frozenset(one.name for one in known)

    def positions(self, sheet: Sheet) -> list[int | None]:
        """Return the position of each row's VM, None where it is unknown or ambiguous."""
        vcenters, morefs = sheet.vcenters(), sheet.texts("vmid")
        found: list[int | None] = list(map(self._full.get, zip(vcenters, morefs, strict=True)))
        missing = [at for at, position in enumerate(found) if position is None]
        if missing:
            uuids, names = sheet.folded("vmuuid"), sheet.texts("vm")
            datacenters, hosts = sheet.texts("datacenter"), sheet.texts("host")
            by_name = 0
            for at in missing:
                place = names[at], datacenters[at], hosts[at]
                found[at] = self._less_sure(vcenters[at], morefs[at], uuids[at], place)
                by_name += found[at] is not None and not (morefs[at] or uuids[at])
            if by_name:
                self.notes.append(
                    f"{sheet.name} has no VM ID or VM UUID in {show_count(by_name, 'row')}: "
                    "joined by unique VM name"
                )
        return found

    def _less_sure(self, vcenter: str, moref: str, uuid: str, place: tuple[str, str, str]) -> int | None:
        if moref:
            at = self._moref.get(moref)
            if at is not None:
                # The same moref in another vCenter is another VM.
                return None if vcenter and self.identities[at].vcenter not in ("", vcenter) else at
        if uuid and (at := self._uuid.get(uuid)) is not None:
            return at
        at = self._name.get(place[0])
        if at is None:
            at = self._place.get(place)
        # A name is no identity: when both sides have an id and the ids differ, it is another VM.
        if at is not None and moref and self.identities[at].moref:
            return None
        return at

    def match(self, sheet: Sheet, *device: str, alone: bool = False) -> list[tuple[int, int]]:
        """Return (row, VM position) of every row that counts, and note how many do not, and why.

        ``device`` are the columns that tell a VM's devices apart. A row that says the same in them as
        one before is the same device when vInfo repeats its VM, or when the columns are enough
        ``alone`` (and the first of them says something).
        """
        positions = self.positions(sheet)
        matched = [(row, at) for row, at in enumerate(positions) if at is not None]
        if len(matched) < len(positions):
            self._note_lost(sheet, [row for row, at in enumerate(positions) if at is None])
        if not device or not (alone or self.twice):
            return matched
        said = list(zip(*(sheet.texts(column) for column in device), strict=True))
        seen: set[tuple[int, tuple[str, ...]]] = set()
        kept = []
        for row, at in matched:
            key = (at, said[row])
            if key in seen and (at in self.twice or (alone and key[1][0])):
                continue
            seen.add(key)
            kept.append((row, at))
        if repeated := len(matched) - len(kept):
            self.notes.append(f"{sheet.name} lists {show_count(repeated, 'device')} twice: read once")
        return kept

    def _note_lost(self, sheet: Sheet, lost: list[int]) -> None:
        names, morefs = sheet.texts("vm"), sheet.texts("vmid")
        orphans: Counter[str] = Counter()
        ambiguous = 0
        for row in lost:
            if names[row] in self._names and not morefs[row]:
                ambiguous += 1
            else:
                orphans[names[row] or morefs[row]] += 1
        if ambiguous:
            self.notes.append(
                f"{sheet.name} has {show_count(ambiguous, 'row')} whose VM name several VMs have: left out"
            )
        if orphans:
            shown = ", ".join(visible(name, 40) for name in sorted(orphans)[:3])
            self.notes.append(
                f"{sheet.name} has {show_count(orphans.total(), 'row')} of {show_count(len(orphans), 'VM')} "
                f"that vInfo does not have ({shown}{', ...' if len(orphans) > 3 else ''}): left out"
            )


def repair_name_column(sheet: Sheet, names: frozenset[str]) -> tuple[Sheet, list[str]]:
    """Find the VM column of a sheet by its values when its header was overwritten.

    The column must be headed by nothing RVTools writes there, and nine in ten of its values must be
    names that vInfo has. For vInfo itself (``names`` empty) the first column is taken when the
    second is Powerstate, the order of every version.
    """
    if sheet.has("vm") or not sheet.has("powerstate"):
        return sheet, []
    found: int | None = None
    if not names:
        found = 0 if sheet.columns["powerstate"] == 1 else None
    else:
        for at in range(min(len(sheet.headers), sheet.columns["powerstate"] + 1)):
            values = [value for cell in sheet.at(at) if (value := text(cell))]
            if values and sum(value in names for value in values) >= 0.9 * len(values):
                found = at
                break
    if found is None:
        return sheet, [f"{sheet.name} has no VM column"]
    was = visible(sheet.headers[found], 40) or "blank"
    return sheet.renamed(found, "vm"), [
        f"{sheet.name} has its VM header overwritten ({was}): the column was recognised by its "
        f"{'values' if names else 'place'}"
    ]
