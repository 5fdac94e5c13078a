"""Conversations to soft dependencies: one for each client, server and port, with what it was seen on.

Confidence says how sure it is that a tie is no accident. With ``d`` the days it was seen on and ``n``
its conversations: 0.5 + 0.3 * min(d - 1, 6) / 6 + 0.19 * min(log10(n), 2) / 2, which is 0.5 for what
was seen once and 0.99 for what was seen a hundred times over a week. Only a person makes it 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

from planner.evidence.records import Conversation, Import, iso
from planner.evidence.resolve import Resolver, Verdict
from planner.model import Dependency, Tie

MOST_PORTS = 20  # of one pair; a scanner asks for thousands
DYNAMIC = 49_152  # from here on a port is drawn anew each time and names no service (RFC 6335)
_ROWS = 3
_IMPORTS = 3
_ANY, _DRAWN, _REST = -1, -2, -3  # in place of a port: none was said, dynamic ones, all above MOST_PORTS
_REASONS = {_DRAWN: "talks to it on dynamic ports", _REST: "talks to it on many more ports"}
_SIGNALS = frozenset({"icmp", "icmp6", "igmp"})  # a ping is no dependency

Key = tuple[str, str, int]  # client, server, port
Rows = tuple[tuple[int, tuple[int, ...]], ...]  # the first few rows of each import, by its id


@dataclass(slots=True)
class Talk:
    """What is known of one client, server and port, summed up."""

    size_bytes: int | None = None
    count: int = 0
    first_seen: int | None = None
    last_seen: int | None = None
    days: int = 0
    protocols: tuple[str, ...] = ()
    rows: Rows = ()

    def add(self, said: Conversation) -> None:
        """Take one conversation in; the order does not matter."""
        self._sum(said.size_bytes, said.count, said.first_seen, said.last_seen, said.days)
        self._over((said.protocol,) if said.protocol else ())
        self._note(((said.origin, said.rows),))

    def merge(self, other: Talk) -> None:
        """Take in what is known of another port."""
        self._sum(other.size_bytes, other.count, other.first_seen, other.last_seen, other.days)
        self._over(other.protocols)
        self._note(other.rows)

    def _sum(self, size: int | None, count: int, first: int | None, last: int | None, days: int) -> None:
        if size is not None:
            self.size_bytes = (self.size_bytes or 0) + size
        self.count += count
        if first is not None and (self.first_seen is None or first < self.first_seen):
            self.first_seen = first
        if last is not None and (self.last_seen is None or last > self.last_seen):
            self.last_seen = last
        self.days |= days

    def _over(self, protocols: tuple[str, ...]) -> None:
        if not set(protocols) <= set(self.protocols):
            self.protocols = tuple(sorted({*self.protocols, *protocols}))

    def _note(self, more: Rows) -> None:
        if not self.rows:
            self.rows = more
            return
        known = dict(self.rows)
        for origin, rows in more:
            known[origin] = tuple(sorted({*known.get(origin, ()), *rows})[:_ROWS])
        self.rows = tuple(sorted(known.items()))


def confidence(count: int, days: int) -> float:
    """Return how sure a tie is, from 0.5 to 0.99, for its conversations and the bits of its days."""
    seen_on = min(max(days.bit_count() - 1, 0), 6)
    return round(0.5 + 0.3 * seen_on / 6 + 0.19 * min(math.log10(max(count, 1)), 2) / 2, 2)


def cite(rows: Rows, count: int, imports: Mapping[int, Import]) -> str:
    """Return where a tie is known from: ``azure-migrate deps.csv rows 12, 40, … (5 conversations)``."""
    parts = []
    listed = 0
    for origin, numbers in rows[:_IMPORTS]:
        head = imports[origin]
        listed += len(numbers)
        named = ", ".join(map(str, numbers))
        parts.append(f"{head.kind} {head.name} {'row' if len(numbers) == 1 else 'rows'} {named}")
    more = ", …" if listed < count else ""
    return f"{'; '.join(parts)}{more} ({count} conversation{'s' * (count != 1)})"


def talks(conversations: Iterable[Conversation], resolver: Resolver) -> dict[Key, Talk]:
    """Return what VM talks to what VM on what port; both ends resolved, self-talk and pings left out."""
    found: dict[Key, Talk] = {}
    for said in conversations:
        client, server = resolver.resolve(said.source), resolver.resolve(said.destination)
        if client.verdict is not Verdict.VM or server.verdict is not Verdict.VM:
            continue
        if client.vm == server.vm or (said.port is None and said.protocol in _SIGNALS):
            continue
        port = _ANY if said.port is None else _DRAWN if said.port >= DYNAMIC else said.port
        key = (client.vm, server.vm, port)
        talk = found.get(key)
        if talk is None:
            talk = found[key] = Talk()
        talk.add(said)
    return found


def _weight(item: tuple[int, Talk]) -> tuple[int, int, int]:
    port, talk = item
    return (-(talk.size_bytes or 0), -talk.count, port)


def _kept(ports: dict[int, Talk]) -> dict[int, Talk]:
    """Return the ports of a pair with all but the heaviest in one."""
    if len(ports) <= MOST_PORTS:
        return ports
    ranked = sorted(ports.items(), key=_weight)
    rest = Talk()
    for _, talk in ranked[MOST_PORTS - 1 :]:
        rest.merge(talk)
    return {**dict(ranked[: MOST_PORTS - 1]), _REST: rest}


def dependencies(found: dict[Key, Talk], imports: Mapping[int, Import]) -> tuple[Dependency, ...]:
    """Return the soft dependencies that follow, sorted by client, server and port; empties ``found``."""
    made = []
    same: dict[str, str] = {}  # reasons and times repeat hundreds of thousands of times
    for (client, server), keys in groupby(sorted(found), key=lambda key: key[:2]):
        ports = {key[2]: found.pop(key) for key in keys}
        for port, talk in sorted(_kept(ports).items()):
            over = f" over {' and '.join(talk.protocols)}" if talk.protocols else ""
            reason = _REASONS.get(port, "talks to it") + over
            first, last = iso(talk.first_seen), iso(talk.last_seen)
            made.append(
                Dependency(
                    source=client,
                    target=server,
                    tie=Tie.SOFT,
                    reason=same.setdefault(reason, reason),
                    port=port if port >= 0 else None,
                    evidence=cite(talk.rows, talk.count, imports),
                    confidence=confidence(talk.count, talk.days),
                    traffic_bytes=talk.size_bytes,
                    first_seen=same.setdefault(first, first),
                    last_seen=same.setdefault(last, last),
                )
            )
    return tuple(made)
