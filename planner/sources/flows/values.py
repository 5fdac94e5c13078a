"""Cells of flow exports to values: ports, protocols, sizes and times in the spellings tools write.

Times without a zone are taken as UTC. A date of three numbers with slashes is month first, unless a
date at the beginning of the file has a first number above 12.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from planner.errors import BadInput
from planner.sources.cells import moment as cell_moment
from planner.sources.cells import number
from planner.units import parse_bytes

# Services by port: what listens there is the server, whatever the other port is. Numbers under 1024 go
# without saying; these are the usual ones above.
_ABOVE = """
1414 1433 1434 1521 1522 1526 1723 1812 1813 1883 2049 2181 2375 2376 2379 2380 2483 2484 3000 3128 3260 3268
3269 3306 3343 3389 4369 4443 5000 5044 5060 5061 5222 5432 5433 5601 5671 5672 5900 5985 5986 6379 6432 6443
7000 7001 7002 7077 8000 8006 8009 8080 8081 8086 8088 8090 8140 8161 8181 8200 8443 8500 8530 8531 8834 8888
9000 9042 9080 9090 9092 9093 9100 9160 9200 9300 9389 9418 9443 9999 10050 10051 10250 11211 15672 22122
25672 26379 27017 27018 30000 50000 50070 61616
"""
LISTENING = frozenset(map(int, _ABOVE.split()))
_SERVICES = {
    "ftp": 21, "ssh": 22, "telnet": 23, "smtp": 25, "dns": 53, "domain": 53, "http": 80, "kerberos": 88,
    "pop3": 110, "ntp": 123, "imap": 143, "snmp": 161, "ldap": 389, "https": 443, "smb": 445,
    "microsoft-ds": 445, "ldaps": 636, "ms-sql-s": 1433, "oracle": 1521, "nfs": 2049, "mysql": 3306,
    "rdp": 3389, "ms-wbt-server": 3389, "postgresql": 5432,
}  # fmt: skip
_PROTOCOLS = {
    "1": "icmp", "2": "igmp", "6": "tcp", "17": "udp", "47": "gre", "50": "esp", "58": "icmp6", "89": "ospf",
    "112": "vrrp", "132": "sctp", "ipv6-icmp": "icmp6", "icmpv6": "icmp6",
}  # fmt: skip
_FORMS = (
    "%Y-%m-%d %H:%M", "%Y-%m-%d %I:%M %p", "%Y-%m-%d %I:%M:%S %p", "%d-%b-%Y", "%d-%b-%Y %H:%M", "%d %b %Y",
    "%d %b %Y %H:%M:%S", "%b %d, %Y", "%d.%m.%Y", "%d.%m.%Y %H:%M",
)  # fmt: skip
_SLASHES = re.compile(r"(?<![\d/])(\d{1,2})/(\d{1,2})/(\d{4})")
_EARLIEST, _LATEST = 86_400, 4_102_444_800  # up to the year 2100: what lies outside is no time of a flow
_MOST_KEPT = 100_000
_MOST_BYTES = 1 << 50


def read_port(text: str) -> int | None:
    """Return a port for ``443``, ``TCP:443``, ``443 [https]`` or ``https``; raises ValueError.

    Blank and 0 are None: none was said.
    """
    word = text.strip().casefold().removesuffix(".0")  # of a number that went through a spreadsheet
    if word in _SERVICES:
        return _SERVICES[word]
    numbers = re.findall(r"\d+", word)
    if len(numbers) != 1:
        if word in ("", "-", "any", "n/a"):
            return None
        raise ValueError(text)
    if word.startswith("-") or len(numbers[0]) > 5 or int(numbers[0]) > 65_535:
        raise ValueError(text)
    return int(numbers[0]) or None


def read_protocol(text: str) -> str:
    """Return ``tcp`` for ``TCP``, ``6`` and ``tcp``; at most sixteen characters of anything else."""
    word = text.strip().casefold()
    return _PROTOCOLS.get(word, word[:16])


def read_size(text: str) -> int | None:
    """Return bytes for ``1536``, ``1,536``, ``1.5 KB`` (of 1024); None for a blank; raises ValueError."""
    word = text.strip()
    if word.isascii() and word.isdigit() and len(word) < 17:
        size = int(word)
    elif word in ("", "-"):
        return None
    else:
        plain = number(word)
        try:
            size = round(plain) if plain is not None else parse_bytes(word)
        except BadInput as error:
            raise ValueError(text) from error
    if not 0 <= size <= _MOST_BYTES:
        raise ValueError(text)
    return size


def server_is_second(first: int, second: int) -> bool:
    """Return whether the second of two ports is the server's.

    A service's port (``LISTENING``, or under 1024) goes before one that names none, and of two alike the
    lower one serves: client ports are drawn from the top of the range.
    """
    known = (first < 1024 or first in LISTENING, second < 1024 or second in LISTENING)
    if known[0] != known[1]:
        return known[1]
    return second <= first


class Clock:
    """Reads the times of one file. ``sample`` is its beginning, which decides how dates are written."""

    def __init__(self, sample: str) -> None:
        self._day_first = any(int(found[0]) > 12 for found in _SLASHES.findall(sample))
        self._kept: dict[str, int | None] = {}
        self.unread = 0  # cells that hold something but no time

    def read(self, text: str) -> int | None:
        """Return seconds since 1970, None for a blank and for what is no time."""
        try:
            return self._kept[text]
        except KeyError:
            pass
        found = self._read(text.strip())
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        if found is None and text.strip() not in ("", "-"):
            self.unread += 1
        else:
            self._kept[text] = found
        return found

    def slot(self, text: str) -> tuple[int | None, int | None]:
        """Return begin and end of ``7/28/2026 12:00-18:00``; a plain time is both."""
        day, _, rest = text.strip().partition(" ")
        ends = re.fullmatch(r"(\d{1,2}:\d\d(?::\d\d)?)\s*[-–]\s*(\d{1,2}:\d\d(?::\d\d)?)", rest.strip())
        if ends is None:
            moment = self.read(text)
            return moment, moment
        begin, end = self.read(f"{day} {ends[1]}"), self.read(f"{day} {ends[2]}")
        # 18:00-0:00 ends on the next day
        return begin, end + 86_400 if begin is not None and end is not None and end < begin else end

    def _read(self, word: str) -> int | None:
        if not word or len(word) > 40:
            return None
        found = self._parsed(word)
        return found if found is not None and _EARLIEST <= found < _LATEST else None

    def _parsed(self, word: str) -> int | None:
        if re.fullmatch(r"\d{9,10}(\.\d+)?|\d{12,13}", word):
            seconds = float(word)
            return int(seconds / 1000 if seconds > 1e11 else seconds)
        match = _SLASHES.match(word)
        if match:
            month, day = (match[2], match[1]) if self._day_first else (match[1], match[2])
            time = word[match.end() :].strip().lstrip(",")
            return self._of_forms(f"{match[3]}-{month.zfill(2)}-{day.zfill(2)} {time}".strip())
        return self._of_forms(word)

    @staticmethod
    def _of_forms(word: str) -> int | None:
        told = cell_moment(word)
        if told:
            return int(datetime.fromisoformat(told).timestamp())
        for form in _FORMS:
            try:
                return int(datetime.strptime(word, form).replace(tzinfo=UTC).timestamp())
            except ValueError:
                continue
        return None
