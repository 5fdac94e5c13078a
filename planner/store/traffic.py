"""What the stored evidence holds by endpoint and by VM. Reads the ``evidence_`` tables, writes none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from planner.evidence.leftover import Carried
from planner.evidence.records import Conversation, Fact
from planner.evidence.resolve import Resolver
from planner.store.evidence import Ends, conversations, endpoints, facts
from planner.store.project import Project

_BOTH_ENDS = """
SELECT import, number, sum(size_bytes) AS size_bytes, sum(conversations) AS conversations,
       sum(facts) AS facts
FROM (
    SELECT import, source AS number, size_bytes, count AS conversations, 0 AS facts
    FROM evidence_conversation
    UNION ALL
    SELECT import, destination, size_bytes, count, 0 FROM evidence_conversation
    UNION ALL
    SELECT import, subject, NULL, 0, 1 FROM evidence_fact
) GROUP BY import, number ORDER BY import, number
"""


@dataclass(frozen=True, slots=True)
class Heard:
    """What was imported of one VM."""

    conversations: tuple[Conversation, ...]
    facts: tuple[Fact, ...]


def carried(project: Project) -> Iterator[Carried]:
    """Yield what each endpoint of each import carries, as client or as server."""
    ends = endpoints(project)
    for row in project.rows(_BOTH_ENDS):
        yield Carried(
            ends[row["import"]][row["number"]], row["size_bytes"], row["conversations"], row["facts"]
        )


def heard(project: Project, vm: str, resolver: Resolver) -> Heard:
    """Return all conversations and facts of the VM with an id, as ``resolver`` sees them."""
    ends = endpoints(project)
    talk: list[Conversation] = []
    for origin, numbers in _of_vm(ends, vm, resolver).items():
        listed = json.dumps(numbers)
        talk += conversations(
            project,
            ends,
            "import = ? AND (source IN (SELECT value FROM json_each(?))"
            " OR destination IN (SELECT value FROM json_each(?)))",
            origin,
            listed,
            listed,
        )
    told = tuple(fact for fact in facts(project, ends) if resolver.resolve(fact.subject).vm == vm)
    return Heard(tuple(talk), told)


def _of_vm(ends: Ends, vm: str, resolver: Resolver) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for origin, known in ends.items():
        numbers = [number for number, end in enumerate(known) if resolver.resolve(end).vm == vm]
        if numbers:
            found[origin] = numbers
    return found
