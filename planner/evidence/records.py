"""Raw evidence as it was imported: who talked to whom, what people say of a VM, what a person settled.

Names are kept as the file spells them; to which VM they lead is decided anew for each inventory.
Times are seconds since 1970 in UTC; ``None`` means that the file does not say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

FACTS = ("application", "tier", "environment", "owner", "criticality", "window")
DAY_S = 86_400
DAY_BITS = 63  # nine weeks; a day further off shares a bit, so that days are never overcounted


class Kind(StrEnum):
    """What a file of evidence is, by its layout."""

    AZURE = "azure-migrate"
    PLAIN = "plain"
    NETWORKS = "vrni"
    NETFLOW = "netflow"
    APPLICATIONS = "applications"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One end of a conversation, or the subject of a fact.

    It has a name, an IP address in canonical text, or both.
    """

    name: str
    address: str = ""

    @property
    def label(self) -> str:
        """What the endpoint is called by those who settle it."""
        return self.name or self.address


@dataclass(frozen=True, slots=True)
class Conversation:
    """All that one import says of one client, server, port and protocol.

    ``days`` has a bit for each day it was seen on (see ``day_bits``), ``rows`` the first few rows.
    """

    origin: int  # id of the import
    source: Endpoint
    destination: Endpoint
    port: int | None
    protocol: str  # tcp, udp, ...; empty = unknown
    size_bytes: int | None
    count: int
    first_seen: int | None
    last_seen: int | None
    days: int
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Fact:
    """What one row of an application list says of a VM. ``field`` is one of ``FACTS``."""

    origin: int
    subject: Endpoint
    field: str
    value: str
    row: int


@dataclass(frozen=True, slots=True)
class Import:
    """The head of one imported file. ``ignored`` counts the rows left out on purpose, by reason."""

    id: int
    kind: Kind
    name: str  # of the file, made visible
    sha256: str
    at: str
    who: str
    rows: int
    refused: int
    ignored: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything a project was told. ``conversations`` may be a stream: it is read once.

    ``settled`` leads from a label (``settled_key``) to the VM id a person named, or to "" for a name
    that is none of ours.
    """

    imports: tuple[Import, ...] = ()
    conversations: Iterable[Conversation] = ()
    facts: tuple[Fact, ...] = ()
    settled: Mapping[str, str] | None = None


def settled_key(label: str) -> str:
    """Return the form in which labels are compared."""
    return label.strip().casefold()


def day_bits(*moments: int | None) -> int:
    """Return a bit for the day of each moment that is known, modulo nine weeks."""
    bits = 0
    for moment in moments:
        if moment is not None:
            bits |= 1 << (moment // DAY_S % DAY_BITS)
    return bits


def iso(moment: int | None) -> str:
    """Return a moment as ISO 8601 in UTC, "" when unknown."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment is not None else ""
