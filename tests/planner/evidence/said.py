"""Evidence for tests, said in few words."""

from __future__ import annotations

from typing import Any

from planner.evidence.addresses import address_of
from planner.evidence.records import Conversation, Endpoint, Evidence, Fact, Import, Kind, day_bits

DAY = 86_400
MONDAY = 1_791_158_400  # 2026-10-05T00:00:00Z


def end(text: str, address: str = "") -> Endpoint:
    """An endpoint by name, or by address when ``text`` is one."""
    return Endpoint("", text) if address_of(text) else Endpoint(text, address)


def calls(source: str, destination: str, port: int | None = 443, **more: Any) -> Conversation:
    """One conversation of import 1, seen once on a Monday."""
    fields = {
        "origin": 1,
        "source": end(source),
        "destination": end(destination),
        "port": port,
        "protocol": "tcp",
        "size_bytes": 1000,
        "count": 1,
        "first_seen": MONDAY,
        "last_seen": MONDAY,
        "days": day_bits(MONDAY),
        "rows": (2,),
        **more,
    }
    return Conversation(**fields)


def fact(subject: str, field: str, value: str, row: int = 2, origin: int = 1) -> Fact:
    """One fact of an application list."""
    return Fact(origin, end(subject), field, value, row)


def evidence(*said: Conversation | Fact, settled: dict[str, str] | None = None) -> Evidence:
    """Evidence of imports 1 and 2 that hold all this."""
    heads = tuple(
        Import(number, Kind.PLAIN, f"flows-{number}.csv", str(number), "2026-10-10T00:00:00Z", "me", 9, 0, {})
        for number in (1, 2)
    )
    return Evidence(
        heads,
        [item for item in said if isinstance(item, Conversation)],
        tuple(item for item in said if isinstance(item, Fact)),
        settled,
    )
