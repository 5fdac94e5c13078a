"""What a change to the evidence led to: as a person reads it, and as a program does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tui.cli.output import line, say

if TYPE_CHECKING:
    from planner.evidence.records import Import, Kind
    from planner.sources.flows.reading import Reading
    from planner.sources.flows.text import Source
    from planner.store.evidence import Taken


def read_all(sources: list[Source], kind: Kind | None) -> tuple[Reading, ...]:
    """Read files one after the other under a bar; together they stay under the bound of one."""
    from planner.sources.flows.reading import read_evidence
    from planner.sources.flows.tally import MOST
    from tui.cli.progress import Bar

    readings: list[Reading] = []
    with Bar() as bar:
        for source in sources:
            bar.begin(f"reading {source.name}")
            held = sum(len(reading.tally) for reading in readings)
            readings.append(read_evidence(source, kind, bar.report, MOST - held))
    return tuple(readings)


def read_summary(reading: Reading, number: int) -> dict[str, Any]:
    """Return the document of one file that became an import."""
    return {
        "id": number,
        "name": reading.source.name,
        "kind": reading.kind.value,
        "rows": reading.log.rows,
        "refused": reading.log.refused,
        "refused_rows": reading.log.said,
        "ignored": dict(reading.log.ignored),
        "conversations": len(reading.tally),
        "facts": len(reading.facts),
        "notes": list(reading.notes),
    }


def change_summary(taken: Taken | None) -> dict[str, Any]:
    """Return the document of the snapshot that followed."""
    snapshot = taken.snapshot if taken else None
    return {
        "inventory": snapshot.id if snapshot else None,
        "dependencies": len(snapshot.inventory.dependencies) if snapshot else None,
        "notes": list(snapshot.inventory.notes) if snapshot else [],
    }


def tell_reading(reading: Reading, head: Import) -> None:
    """Say what became of the rows of one file."""
    from planner.names import visible
    from planner.units import show_count

    log = reading.log
    what = [show_count(log.rows, "row")]
    if len(reading.tally):
        what.append(show_count(len(reading.tally), "conversation"))
    if reading.facts:
        what.append(show_count(len(reading.facts), "fact"))
    line(f"import {head.id}: {head.name}, {reading.kind}: {', '.join(what)}")
    for why, count in sorted(log.ignored.items()):
        line(f"  left out: {show_count(count, 'row')} {why}")
    if log.refused:
        line(f"  refused: {show_count(log.refused, 'row')} that could not be used")
        for sentence in log.said:
            line(f"    {visible(sentence)}")
        if log.refused > len(log.said):
            line(f"    and {log.refused - len(log.said):,} more")
    for note in reading.notes:
        line(f"  note: {visible(note)}")


def tell_change(taken: Taken) -> None:
    """Say what snapshot followed and what it notes."""
    from planner.names import visible

    if taken.snapshot is None:
        say("nothing was discovered yet: names are matched when 'wherry discover' has read an estate")
        return
    count = len(taken.snapshot.inventory.dependencies)
    line(f"inventory {taken.snapshot.id}: {count:,} {'dependency' if count == 1 else 'dependencies'}")
    for note in taken.snapshot.inventory.notes:
        line(f"  note: {visible(note)}")
    say("next: wherry flows unresolved, then wherry deps")
