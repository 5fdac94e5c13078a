"""Conversations summed up while a file streams by: one entry for each client, server, port and protocol.

Sums, counts, earliest, latest and days come out the same in whatever order the rows stand. An entry is
a few numbers in arrays, so that a million of them fit into some 200 MB; more are refused.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass

from planner.errors import BadInput
from planner.evidence.addresses import address_of, names_nobody
from planner.evidence.records import Endpoint, day_bits

MOST = 1_000_000
NO_PORT = 1 << 16
NOBODY = -1  # an address that is no machine's own
BLANK = -2
TOO_LONG = -3
LONGEST_NAME = 255  # of a DNS name; a VM's has at most 80
_MOST_BYTES = 1 << 62
_SAID_BLANK = frozenset({"-", "n/a", "#n/a", "null", "none"})
_UNKNOWN = -1
_ENDS = (1 << 23) - 1  # more than twice MOST
_SPREAD = 40_503


@dataclass(frozen=True, slots=True)
class Summed:
    """One conversation as it is stored; ``source`` and ``destination`` are indexes of endpoints."""

    source: int
    destination: int
    port: int | None
    protocol: str
    size_bytes: int | None
    count: int
    first_seen: int | None
    last_seen: int | None
    days: int
    rows: tuple[int, ...]


class Tally:
    """The conversations of one file. ``name`` is the file's, made visible, for what is refused."""

    def __init__(self, name: str, most: int = MOST) -> None:
        self._name, self._most = name, most
        self.endpoints: list[Endpoint] = []
        self._indexes: dict[tuple[str, str], int] = {}
        self._canonical: dict[Endpoint, int] = {}
        self._protocols: dict[str, int] = {"": 0}
        self._entries: dict[int, int] = {}
        self._sizes, self._counts = array("q"), array("q")
        self._firsts, self._lasts, self._days = array("q"), array("q"), array("q")
        self._rows = (array("I"), array("I"), array("I"))

    def __len__(self) -> int:
        """Return how many different conversations were summed up, drained or not."""
        return len(self._counts)

    def endpoint(self, name: str, address: str = "") -> int:
        """Return the index of an endpoint, or NOBODY, BLANK or TOO_LONG."""
        index = self._indexes.get((name, address))
        return self._new_endpoint(name, address) if index is None else index

    def _new_endpoint(self, name: str, address: str) -> int:
        if len(self._indexes) > 2 * self._most:
            raise self._too_many()
        plain, place = name.strip(), address_of(address.strip())
        if plain.casefold() in _SAID_BLANK:
            plain = ""
        if found := address_of(plain):
            plain, place = "", place or found
        elif place and names_nobody(place):
            place = ""
        if max(len(name), len(address)) > LONGEST_NAME:
            return TOO_LONG  # not kept: it may be as long as a line
        if not plain and not place:
            index = NOBODY if address_of(address.strip()) else BLANK
        elif not plain and names_nobody(place):
            index = NOBODY
        else:
            endpoint = Endpoint(plain, place)
            index = self._canonical.setdefault(endpoint, len(self.endpoints))
            if index == len(self.endpoints):
                self.endpoints.append(endpoint)
        self._indexes[name, address] = index
        return index

    def protocol(self, name: str) -> int:
        """Return the index of a protocol by its name; past 255 of them "other" stands for the rest."""
        if name not in self._protocols and len(self._protocols) >= 255:
            name = "other"
        return self._protocols.setdefault(name, len(self._protocols))

    def add(
        self,
        source: int,
        destination: int,
        port: int,
        protocol: int,
        size_bytes: int,
        count: int,
        first: int | None,
        last: int | None,
        row: int,
    ) -> None:
        """Take one row in. ``size_bytes`` is -1 when unknown, ``port`` NO_PORT."""
        # What differs most stands lowest, spread by the source: a dict finds its way by the low bits.
        spread = (destination + source * _SPREAD) & _ENDS
        key = (port << 8 | protocol) << 46 | source << 23 | spread
        at = self._entries.get(key)
        if at is None:
            self._open(key, size_bytes, count, first, last, row)
            return
        # The busiest lines of all: a row of a large file comes by here.
        if size_bytes >= 0:
            known = self._sizes[at]
            size_bytes += known if known > 0 else 0
            self._sizes[at] = size_bytes if size_bytes < _MOST_BYTES else _MOST_BYTES
        count += self._counts[at]
        self._counts[at] = count if count < _MOST_BYTES else _MOST_BYTES
        if first is not None:
            known = self._firsts[at]
            if first < known or known == _UNKNOWN:
                self._firsts[at] = first
        if last is not None and last > self._lasts[at]:
            self._lasts[at] = last
        self._days[at] |= day_bits(first, last)
        if not self._rows[2][at]:
            self._rows[1 if not self._rows[1][at] else 2][at] = row

    def _open(
        self, key: int, size_bytes: int, count: int, first: int | None, last: int | None, row: int
    ) -> None:
        if len(self._entries) >= self._most:
            raise self._too_many()
        self._entries[key] = len(self._entries)
        self._sizes.append(size_bytes)
        self._counts.append(count)
        self._firsts.append(_UNKNOWN if first is None else first)
        self._lasts.append(_UNKNOWN if last is None else last)
        self._days.append(day_bits(first, last))
        for values, value in zip(self._rows, (row, 0, 0), strict=True):
            values.append(value)

    def _too_many(self) -> BadInput:
        return BadInput(
            f"{self._name} holds more than {self._most:,} different conversations",
            "split it, or leave out client ports and addresses outside before exporting",
        )

    def drain(self) -> Iterator[Summed]:
        """Yield what was summed up, in the order in which each was first met, and let go of it."""
        names = list(self._protocols)
        entries, self._entries = self._entries, {}
        self._indexes, self._canonical = {}, {}
        for key, at in entries.items():
            source, port = key >> 23 & _ENDS, key >> 54
            size_bytes, first, last = self._sizes[at], self._firsts[at], self._lasts[at]
            yield Summed(
                source=source,
                destination=(key - source * _SPREAD) & _ENDS,
                port=None if port == NO_PORT else port,
                protocol=names[key >> 46 & 0xFF],
                size_bytes=None if size_bytes < 0 else size_bytes,
                count=self._counts[at],
                first_seen=None if first < 0 else first,
                last_seen=None if last < 0 else last,
                days=self._days[at],
                rows=tuple(values[at] for values in self._rows if values[at]),
            )
