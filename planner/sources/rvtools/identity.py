"""The rows of vInfo to VMs, each once, with an id: who is who before anything is joined.

    VM ID (since 3.8) ─▶ else VM UUID where it is the instance's ─▶ else datacenter and path of the vmx
    ─▶ else VM UUID ─▶ else the name; always within a vCenter

Linked vCenters export a VM twice, and people paste rows: what is the same is read once, what
contradicts itself is refused by row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from planner.errors import BadInput
from planner.names import visible
from planner.sources.cells import text
from planner.sources.naming import Naming
from planner.sources.rvtools.headers import Sheet
from planner.sources.rvtools.joins import Identity, identities
from planner.sources.rvtools.versions import Release
from planner.units import show_count


@dataclass(frozen=True, slots=True)
class Roster:
    """The VMs of a workbook by position: identity, id and row of vInfo.

    ``twice`` are the positions of VMs that vInfo repeats.
    """

    sheet: Sheet
    rows: list[int]
    identities: list[Identity]
    ids: list[str]
    twice: frozenset[int]
    naming: Naming
    notes: tuple[str, ...]


def _key(who: Identity, release: Release) -> str:
    path = f"{who.datacenter}/{who.path}" if who.datacenter and who.path else who.path
    return who.moref or (who.uuid if release.uuid_of_instance else "") or path or who.uuid or who.name


def _same(sheet: Sheet, a: int, b: int) -> bool:
    width = len(sheet.headers)
    first, second = ([text(cell) for cell in sheet.rows[row][:width]] for row in (a, b))
    return first == second


def roster(sheet: Sheet, release: Release, shown: str, vcenter: str = "") -> Roster:
    """Return the VMs of vInfo; raises BadInput for none, and for contradictory rows.

    ``vcenter`` is where all of them are when vInfo itself does not say.
    """
    people = identities(sheet)
    if vcenter and not any(who.vcenter for who in people):
        people = [replace(who, vcenter=vcenter) for who in people]
    notes = []
    if sum(who.name == "VM" for who in people) > 1:
        people = [replace(who, name="") if who.name == "VM" else who for who in people]
        notes.append("vInfo has its VM names replaced by the word VM: VMs are called by their id")
    nameless = sum(not (who.moref or who.uuid or who.name or who.path) for who in people)
    if nameless:
        notes.append(f"vInfo has {show_count(nameless, 'row')} with neither name nor id: left out")
    kept: list[int] = []
    seen: dict[tuple[str, str], int] = {}
    twice: list[int] = []
    for row, who in enumerate(people):
        key = _key(who, release)
        if not key:
            continue
        at = seen.setdefault((who.vcenter, key), len(kept))
        if at == len(kept):
            kept.append(row)
        elif _same(sheet, kept[at], row) or (who.uuid and _as_known(who, people[kept[at]])):
            twice.append(at)
        else:
            raise _contradiction(sheet, kept[at], row, who, key, shown)
    if not kept:
        raise BadInput(
            f"{shown} lists no VMs in its vInfo sheet", "export again with an account that sees VMs"
        )
    if twice:
        notes.append(f"vInfo repeats VMs in {show_count(len(twice), 'row')}: the first row of each was read")
    known = [people[row] for row in kept]
    naming = Naming(who.vcenter for who in known)
    ids = [naming.named(who.vcenter, _key(who, release)) for who in known]
    return Roster(
        sheet, kept, known, ids, frozenset(twice), naming, (*notes, *_notes_on_ids(known, naming, release))
    )


def _as_known(who: Identity, known: Identity) -> bool:
    """Return whether two rows name the same VM; where it runs may have changed between them."""
    return (who.vcenter, who.moref, who.uuid, who.name) == (
        known.vcenter,
        known.moref,
        known.uuid,
        known.name,
    )


def _contradiction(sheet: Sheet, a: int, b: int, who: Identity, key: str, shown: str) -> BadInput:
    rows = f"rows {sheet.numbers[a]} and {sheet.numbers[b]} of vInfo"
    if who.moref or who.uuid or who.path:
        return BadInput(
            f"{shown} has two different VMs with the id {visible(key, 60)}: {rows}",
            "delete the wrong row, or export each vCenter to a workbook of its own",
        )
    return BadInput(
        f"{shown} has two VMs named {visible(key, 60)} and no ids to tell them apart: {rows}",
        "export with RVTools 3.8 or newer, which writes VM ID",
    )


def _notes_on_ids(known: list[Identity], naming: Naming, release: Release) -> list[str]:
    """Return notes on ids that are less than they should be."""
    notes = []
    if len(naming.vcenters) > 1:
        notes.append(
            f"vInfo has VMs of {len(naming.vcenters)} vCenters: "
            "ids of all but the first carry the vCenter's id in front"
        )
    without = [who for who in known if not who.moref]
    if without:
        by_path = sum(bool(who.path) and not (who.uuid and release.uuid_of_instance) for who in without)
        by_name = sum(not (who.uuid or who.path) for who in without)
        rest = len(without) - by_path - by_name
        how = [
            f"{by_path} are known by vCenter, datacenter and path of their vmx" if by_path else "",
            f"{rest} by their VM UUID" if rest else "",
            f"{by_name} by name alone" if by_name else "",
        ]
        notes.append(
            f"vInfo has no VM ID for {show_count(len(without), 'VM')} (RVTools writes it since 3.8): "
            + ", ".join(filter(None, how))
        )
    return notes
