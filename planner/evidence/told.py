"""What application lists say of each VM, and where two of them disagree.

The newest import counts, and in one list the last row; what it overrules is kept as a contradiction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from planner.evidence.records import Fact, Import
from planner.evidence.resolve import Resolver, Verdict


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two values of one field of one VM: the one that counts, and one it overrules."""

    vm: str
    field: str
    value: str
    evidence: str
    overruled: str
    overruled_evidence: str


def cite_fact(fact: Fact, imports: Mapping[int, Import]) -> str:
    """Return where a fact is known from: ``cmdb.csv row 12``."""
    return f"{imports[fact.origin].name} row {fact.row}"


def _same(a: str, b: str) -> bool:
    return a.casefold() == b.casefold()


def told(
    facts: Iterable[Fact], resolver: Resolver, imports: Mapping[int, Import]
) -> tuple[dict[str, dict[str, Fact]], tuple[Contradiction, ...]]:
    """Return the fact that counts, by VM id and field, and every contradiction, oldest first."""
    counts: dict[str, dict[str, Fact]] = {}
    overruled: list[tuple[str, Fact]] = []
    for fact in sorted(facts, key=lambda item: (item.origin, item.row)):
        found = resolver.resolve(fact.subject)
        if found.verdict is not Verdict.VM:
            continue
        fields = counts.setdefault(found.vm, {})
        before = fields.get(fact.field)
        if before is not None and not _same(before.value, fact.value):
            overruled.append((found.vm, before))
        fields[fact.field] = fact
    contradictions = []
    for vm, fact in overruled:
        winner = counts[vm][fact.field]
        if not _same(winner.value, fact.value):
            contradictions.append(
                Contradiction(
                    vm,
                    fact.field,
                    winner.value,
                    cite_fact(winner, imports),
                    fact.value,
                    cite_fact(fact, imports),
                )
            )
    return counts, tuple(contradictions)
