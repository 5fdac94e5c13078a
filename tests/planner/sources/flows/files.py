"""Small files of evidence for tests, written as their tools write them."""

from __future__ import annotations

from pathlib import Path

from planner.evidence.records import Conversation, Kind
from planner.sources.flows.reading import Reading, read_evidence
from planner.sources.flows.text import look_through

AZURE = (
    "Time slot,Source server name,Source IP,Source application,Source process,"
    "Destination server name,Destination IP,Destination application,Destination process,Destination port"
)
PLAIN = "source,destination,port,protocol,bytes,first_seen,last_seen"
NFDUMP = "ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt,opkt,obyt,in,out"
NFDUMP_17 = "firstSeen,duration,proto,srcAddr,srcPort,dstAddr,dstPort,packets,bytes,flows"
NETWORKS = (
    "name,Source VM,Source IP,Destination VM,Destination IP,Protocol,Port Display,Firewall Action,Total Bytes"
)


def write(path: Path, *lines: str, encoding: str = "utf-8") -> Path:
    """Write lines as a file."""
    path.write_bytes(("\r\n".join(lines) + "\r\n").encode(encoding))
    return path


def read(path: Path, kind: Kind | None = None, most: int = 1000) -> Reading:
    """Read a file of evidence."""
    return read_evidence(look_through(path), kind, most=most)


def said(reading: Reading) -> list[Conversation]:
    """Return the conversations of a reading with their endpoints; empties its tally."""
    ends = reading.tally.endpoints
    return [
        Conversation(
            1,
            ends[item.source],
            ends[item.destination],
            item.port,
            item.protocol,
            item.size_bytes,
            item.count,
            item.first_seen,
            item.last_seen,
            item.days,
            item.rows,
        )
        for item in reading.tally.drain()
    ]


def spoken(reading: Reading) -> list[tuple[str, str, int | None, str, int | None, int]]:
    """Return (client, server, port, protocol, bytes, count) of each conversation."""
    return [
        (item.source.label, item.destination.label, item.port, item.protocol, item.size_bytes, item.count)
        for item in said(reading)
    ]
