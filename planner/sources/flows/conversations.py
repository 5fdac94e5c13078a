"""Flow exports that say who the client is: Azure Migrate, vRNI and plain csv."""

from __future__ import annotations

from planner.evidence.records import Kind
from planner.sources.flows.reading import Log
from planner.sources.flows.table import Table
from planner.sources.flows.tally import BLANK, NO_PORT, TOO_LONG, Tally
from planner.sources.flows.values import Clock, read_port, read_protocol, read_size
from planner.units import show_count

_DENIED = frozenset({"deny", "denied", "drop", "dropped", "block", "blocked", "reject", "rejected"})
_KEPT = 100_000  # spellings of ports and sizes remembered
SELF, NOT_ONE = "from a machine to itself", "to or from an address that is no single machine's"
DENIED = "of traffic that a firewall denied"
_UNREAD = -2


def refusal(source: int, destination: int) -> str:
    """Return what is wrong with the ends of a row, "" when both may be used."""
    for what, end in (("source", source), ("destination", destination)):
        if end == BLANK:
            return f"has no {what}"
        if end == TOO_LONG:
            return f"has a {what} of more than 255 characters"
    return ""


def times_note(clock: Clock, log: Log) -> tuple[str, ...]:
    """Return a note on times that were there and could not be read."""
    if not clock.unread:
        return ()
    cells = show_count(clock.unread, "cell")
    return (f"{log.name} has {cells} of time that could not be read: when is unknown there",)


class Ports:
    """Ports by their spelling, each read once; ``NO_PORT`` for none, -2 for what is no port."""

    def __init__(self) -> None:
        self._kept: dict[str, int] = {"": NO_PORT}

    def read(self, text: str) -> int:
        """Return the port of a cell."""
        found = self._kept.get(text)
        if found is None:
            try:
                port = read_port(text)
                found = NO_PORT if port is None else port
            except ValueError:
                found = _UNREAD
            if len(self._kept) < _KEPT:
                self._kept[text] = found
        return found


def size_of(text: str) -> int:
    """Return the bytes of a cell, -1 when it is blank, -2 when it is no size."""
    if not text:
        return -1
    if len(text) < 15 and text.isdecimal():  # nearly every cell
        return int(text)
    try:
        size = read_size(text)
    except ValueError:
        return _UNREAD
    return -1 if size is None else size


def read_conversations(table: Table, tally: Tally, log: Log) -> tuple[str, ...]:
    """Sum the rows up in ``tally`` and return notes; each row is one conversation unless it counts more."""
    at = table.header.columns
    source_name, source_address = at.get("source", -1), at.get("source_address", -1)
    target_name, target_address = at.get("destination", -1), at.get("destination_address", -1)
    port_at, protocol_at = at.get("port", -1), at.get("protocol", -1)
    size_at, count_at, action_at = at.get("size", -1), at.get("count", -1), at.get("action", -1)
    first_at, last_at, slot_at = at.get("first", -1), at.get("last", -1), at.get("slot", -1)
    clock, ports = Clock(table.sample), Ports()
    # Azure Migrate lists TCP connections and says so nowhere.
    usual = "tcp" if table.header.layout.kind is Kind.AZURE else ""
    protocols: dict[str, int] = {}
    for number, cells in table.rows:
        if isinstance(cells, str):
            log.rows += 1
            log.refuse(number, cells)
            continue
        source = tally.endpoint(cells[source_name], cells[source_address])
        destination = tally.endpoint(cells[target_name], cells[target_address])
        if source < 0 or destination < 0:
            if not any(cell.strip() for cell in cells):
                continue
            log.rows += 1
            if wrong := refusal(source, destination):
                log.refuse(number, wrong)
            else:
                log.ignore(NOT_ONE)
            continue
        log.rows += 1
        if source == destination:
            log.ignore(SELF)
            continue
        if action_at >= 0 and cells[action_at].strip().casefold() in _DENIED:
            log.ignore(DENIED)
            continue
        port, size_bytes = ports.read(cells[port_at]), size_of(cells[size_at])
        count = size_of(cells[count_at]) if count_at >= 0 else 1
        if _UNREAD in (port, size_bytes, count):
            log.refuse(number, _unread(port, size_bytes))
            continue
        spelled = cells[protocol_at]
        protocol = protocols.get(spelled)
        if protocol is None:
            protocol = tally.protocol(read_protocol(spelled) or usual)
            if len(protocols) < _KEPT:
                protocols[spelled] = protocol
        if slot_at >= 0:
            first, last = clock.slot(cells[slot_at])
        else:
            first = clock.read(cells[first_at])
            last = clock.read(cells[last_at]) if last_at >= 0 else first
            first = last if first is None else first
        tally.add(source, destination, port, protocol, size_bytes, max(count, 1), first, last, number)
    return times_note(clock, log)


def _unread(port: int, size_bytes: int) -> str:
    what = "port" if port == _UNREAD else "size" if size_bytes == _UNREAD else "count"
    return f"has a {what} that cannot be read"
