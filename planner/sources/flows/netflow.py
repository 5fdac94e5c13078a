"""NetFlow as ``nfdump -o csv`` writes it, of 1.6 (ts,te,td,sa,da,sp,dp,pr) and 1.7 (firstSeen,duration,...).

A flow record has a direction of packets, not of need, and each conversation has two: the server is
told by its port (``server_is_second``), so that both sum up under the client. What stands below the
word Summary is left out.
"""

from __future__ import annotations

from planner.sources.flows.conversations import NOT_ONE, SELF, Ports, refusal, size_of, times_note
from planner.sources.flows.reading import Log
from planner.sources.flows.table import Table
from planner.sources.flows.tally import NO_PORT, NOBODY, Tally
from planner.sources.flows.values import Clock, read_protocol, server_is_second

_AGAIN = frozenset({"sa", "srcAddr"})  # outputs that were joined repeat the header
_PORTLESS = frozenset({"icmp", "icmp6", "igmp", "esp", "gre", "ospf", "vrrp"})


def _duration(text: str) -> float:
    try:
        return max(float(text), 0.0)
    except ValueError:
        return 0.0


def read_netflow(table: Table, tally: Tally, log: Log) -> tuple[str, ...]:
    """Sum the records up in ``tally`` and return notes."""
    at = table.header.columns
    source_at, target_at = at["source_address"], at["destination_address"]
    ports_at = (at["source_port"], at["port"])
    protocol_at, size_at, back_at = at.get("protocol", -1), at.get("size", -1), at.get("size_back", -1)
    first_at, last_at, count_at = at.get("first", -1), at.get("last", -1), at.get("count", -1)
    duration_at = at.get("duration", -1)
    clock, ports = Clock(table.sample), Ports()
    for number, cells in table.rows:
        if isinstance(cells, str):
            log.rows += 1
            log.refuse(number, cells)
            continue
        if cells[0].startswith("Summary"):
            break
        if cells[source_at].strip() in _AGAIN:
            continue
        log.rows += 1
        source, target = tally.endpoint("", cells[source_at]), tally.endpoint("", cells[target_at])
        if wrong := refusal(source, target):
            log.refuse(number, wrong)
            continue
        if NOBODY in (source, target):
            log.ignore(NOT_ONE)
            continue
        if source == target:
            log.ignore(SELF)
            continue
        name = read_protocol(cells[protocol_at])
        # Under dp nfdump writes type and code of a signal: 8.0 is no port.
        drawn, port = (
            (NO_PORT, NO_PORT) if name in _PORTLESS else (ports.read(cells[index]) for index in ports_at)
        )
        size_bytes, back_bytes = size_of(cells[size_at]), size_of(cells[back_at])
        if drawn < 0 or port < 0:
            log.refuse(number, "has a port that cannot be read")
            continue
        if size_bytes < -1 or back_bytes < -1:
            log.refuse(number, "has a size that cannot be read")
            continue
        if drawn != NO_PORT and (port == NO_PORT or not server_is_second(drawn, port)):
            source, target, port = target, source, drawn
        first = clock.read(cells[first_at])
        last = clock.read(cells[last_at]) if last_at >= 0 else first
        if last_at < 0 and first is not None:
            last = first + int(_duration(cells[duration_at]))
        known = [size for size in (size_bytes, back_bytes) if size >= 0]
        tally.add(
            source,
            target,
            port,
            tally.protocol(name),
            sum(known) if known else -1,
            max(size_of(cells[count_at]), 1),
            first,
            last,
            number,
        )
    return times_note(clock, log)
