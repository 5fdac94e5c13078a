"""One file of evidence, read: what it is, what it holds, and which rows could not be used."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from planner.errors import BadInput
from planner.evidence.records import Kind
from planner.sources.flows.table import open_table
from planner.sources.flows.tally import MOST, Tally
from planner.sources.flows.text import Source
from planner.sources.isolation import Report
from planner.units import show_count

_TOLD = 5  # refused rows that are told one by one


@dataclass(slots=True)
class Log:
    """What became of the rows of one file, in the words a person gets to read."""

    name: str
    rows: int = 0
    refused: int = 0
    said: list[str] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)

    def refuse(self, row: int, why: str) -> None:
        """Count a row that cannot be used; ``why`` follows its number: ``has no destination``."""
        self.refused += 1
        if len(self.said) < _TOLD:
            self.said.append(f"{self.name} row {row} {why}")

    def ignore(self, why: str) -> None:
        """Count a row that is left out on purpose."""
        self.ignored[why] += 1


@dataclass(frozen=True, slots=True)
class Told:
    """One fact as a list says it; ``subject`` is an index of the tally's endpoints."""

    subject: int
    field: str
    value: str
    row: int


@dataclass(frozen=True, slots=True)
class Reading:
    """A file as it was read. ``rows`` are all that hold anything, the refused and ignored ones included."""

    source: Source
    kind: Kind
    log: Log
    tally: Tally
    facts: tuple[Told, ...]
    notes: tuple[str, ...]


def read_evidence(
    source: Source, kind: Kind | None = None, report: Report | None = None, most: int = MOST
) -> Reading:
    """Read a flow export or application list; raises BadInput.

    ``kind`` overrides what the header says, ``report`` is told bytes read and bytes in all, ``most``
    bounds the distinct conversations.
    """
    from planner.sources.flows.applications import read_applications
    from planner.sources.flows.conversations import read_conversations
    from planner.sources.flows.netflow import read_netflow

    log, tally = Log(source.name), Tally(source.name, most)
    facts: tuple[Told, ...] = ()
    with open_table(source, kind, report) as table:
        found = table.header.layout.kind
        notes = table.notes
        if found is Kind.APPLICATIONS:
            facts = read_applications(table, tally, log)
        else:
            read = read_netflow if found is Kind.NETFLOW else read_conversations
            notes = (*notes, *read(table, tally, log))
    if not len(tally) and not facts:
        raise _nothing(log, found)
    return Reading(source, found, log, tally, facts, notes)


def _nothing(log: Log, kind: Kind) -> BadInput:
    if not log.rows:
        return BadInput(f"{log.name} has a header and no rows", "export it again with its content")
    if log.refused:
        return BadInput(
            f"{log.name} has no row that can be used as {kind}: {log.said[0].removeprefix(log.name + ' ')}",
            "correct the file, or name what it is with --kind",
        )
    why = ", ".join(f"{show_count(count, 'row')} {reason}" for reason, count in sorted(log.ignored.items()))
    return BadInput(f"{log.name} has no row that says anything: {why}", "export flows between machines")
