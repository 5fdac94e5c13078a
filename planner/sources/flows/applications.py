"""Application lists: what people say of their VMs, one row a VM, one fact a cell."""

from __future__ import annotations

from planner.evidence.records import FACTS
from planner.sources.flows.conversations import NOT_ONE
from planner.sources.flows.reading import Log, Told
from planner.sources.flows.table import Table
from planner.sources.flows.tally import BLANK, NOBODY, TOO_LONG, Tally

_LONGEST = 500  # characters of a value
_MOST = 3_000_000  # facts of one list


def read_applications(table: Table, tally: Tally, log: Log) -> tuple[Told, ...]:
    """Return the facts of a list; blanks say nothing, so they overrule nothing."""
    from planner.errors import BadInput

    at = table.header.columns
    name_at, address_at = at.get("subject", -1), at.get("subject_address", -1)
    fields = [(name, at[name]) for name in FACTS if name in at]
    found: list[Told] = []
    for number, cells in table.rows:
        if isinstance(cells, str):
            log.rows += 1
            log.refuse(number, cells)
            continue
        values = [(name, " ".join(cells[index].split())) for name, index in fields]
        subject = tally.endpoint(cells[name_at], cells[address_at])
        if subject == BLANK and not any(value for _, value in values):
            continue
        log.rows += 1
        if subject == BLANK:
            log.refuse(number, "names no VM")
        elif subject == TOO_LONG:
            log.refuse(number, "has a name of more than 255 characters")
        elif subject == NOBODY:
            log.ignore(NOT_ONE)
        elif any(len(value) > _LONGEST for _, value in values):
            log.refuse(number, f"has a value of more than {_LONGEST} characters")
        elif not any(value for _, value in values):
            log.ignore("that name a VM and say nothing of it")
        else:
            found += [Told(subject, name, value, number) for name, value in values if value]
            if len(found) > _MOST:
                raise BadInput(f"{log.name} says more than {_MOST:,} facts", "split it")
    return tuple(found)
