"""Which VM a row of another sheet belongs to, and how sure that is.

The keys, best first: (VI SDK UUID, VM ID), VM ID alone, VM UUID, name. A key counts only while it
names one VM. Rows that belong to no VM of vInfo are counted, sheet by sheet, never dropped in
silence: people filter one sheet of a workbook before they send it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from planner.names import visible
from planner.sources.headers import Row, Table


@dataclass(frozen=True, slots=True)
class Identity:
    """What a row of vInfo says of who it is."""

    vcenter: str
    moref: str
    uuid: str
    name: str


def identity(row: Row) -> Identity:
    """Return the identity of a row on any VM sheet; unknown parts are empty."""
    return Identity(
        vcenter=row.text("visdkuuid", "vcenteruuid", "visdkserver"),
        moref=row.text("vmid"),
        uuid=row.text("vmuuid").casefold(),
        name=row.text("vm"),
    )


def _unique(keys: list[object]) -> dict[object, int]:
    """Return each key that occurs once, with its position."""
    counts = Counter(keys)
    return {key: at for at, key in enumerate(keys) if counts[key] == 1 and key and key != ("", "")}


@dataclass(slots=True)
class Owners:
    """Finds the VM of a row. ``find`` answers positions in the list it was built from.

    ``twice`` holds the VMs that vInfo repeats: their devices are listed twice on the other sheets.
    """

    identities: list[Identity]
    twice: frozenset[int] = frozenset()
    notes: list[str] = field(default_factory=list)
    _full: dict[object, int] = field(init=False)
    _moref: dict[object, int] = field(init=False)
    _uuid: dict[object, int] = field(init=False)
    _name: dict[object, int] = field(init=False)
    _names: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self._full = _unique([(one.vcenter, one.moref) if one.moref else "" for one in self.identities])
        self._moref = _unique([one.moref for one in self.identities])
        self._uuid = _unique([one.uuid for one in self.identities])
        self._name = _unique([one.name for one in self.identities])
        self._names = frozenset(one.name for one in self.identities)

    def find(self, row: Row) -> int | None:
        """Return the position of the row's VM, None when it is unknown or ambiguous."""
        who = identity(row)
        if who.moref:
            at = self._full.get((who.vcenter, who.moref))
            if at is None:
                at = self._moref.get(who.moref)
                # The same moref in another vCenter is another VM.
                if at is not None and who.vcenter and self.identities[at].vcenter not in ("", who.vcenter):
                    return None
            if at is not None:
                return at
        if who.uuid and (at := self._uuid.get(who.uuid)) is not None:
            return at
        at = self._name.get(who.name)
        # A name is no identity: when both sides have an id and the ids differ, it is another VM.
        if at is not None and who.moref and self.identities[at].moref:
            return None
        return at

    def rows_of(self, sheet: Table, *device: str, alone: bool = False) -> Iterator[tuple[int, Row]]:
        """Yield (VM position, row) and note at the end how many rows were left out, and why.

        ``device`` are the columns that tell a VM's devices apart. A row that says the same in them as
        one before is the same device when vInfo repeats its VM, or when the columns are enough
        ``alone`` (and the first of them says something).
        """
        orphans: Counter[str] = Counter()
        seen: set[tuple[object, ...]] = set()
        ambiguous = by_name = repeated = 0
        for row in sheet.rows():
            at = self.find(row)
            if at is not None:
                key = (at, *(row.text(column) for column in device))
                if key in seen and (at in self.twice or (alone and key[1])):
                    repeated += 1
                    continue
                if device:
                    seen.add(key)
                by_name += not (row.text("vmid") or row.text("vmuuid"))
                yield at, row
            elif row.text("vm") in self._names and not row.text("vmid"):
                ambiguous += 1
            else:
                orphans[row.text("vm") or row.text("vmid")] += 1
        if repeated:
            self.notes.append(f"{sheet.sheet} lists {repeated} devices twice: they were read once")
        if by_name:
            self.notes.append(
                f"{sheet.sheet} has no VM ID or VM UUID in {by_name} rows: joined by unique VM name"
            )
        if ambiguous:
            self.notes.append(
                f"{sheet.sheet} has {ambiguous} rows whose VM name several VMs have: they were left out"
            )
        if orphans:
            shown = ", ".join(visible(name, 40) for name in sorted(orphans)[:3])
            self.notes.append(
                f"{sheet.sheet} has {orphans.total()} rows of {len(orphans)} VMs that vInfo does not have "
                f"({shown}{', ...' if len(orphans) > 3 else ''}): they were left out"
            )


def repair_name_column(sheet: Table, names: frozenset[str]) -> tuple[Table, list[str]]:
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
            values = [str(row[at]) for row in sheet.body if at < len(row) and row[at] not in ("", None)]
            if values and sum(value in names for value in values) >= 0.9 * len(values):
                found = at
                break
    if found is None:
        return sheet, [f"{sheet.sheet} has no VM column"]
    was = visible(sheet.headers[found], 40) or "blank"
    return sheet.renamed(found, "vm"), [
        f"{sheet.sheet} has its VM header overwritten ({was}): the column was recognised by its "
        f"{'values' if names else 'place'}"
    ]
