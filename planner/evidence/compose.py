"""An inventory with what was imported beside it: dependencies from flows, facts from lists.

Pure: the bare snapshot and the evidence decide, so the same two always give the same inventory. What
the source said itself stays; where an import says otherwise the import counts and a note says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from planner.evidence.records import Conversation, Endpoint, Evidence, Fact
from planner.evidence.resolve import Resolver, Verdict
from planner.evidence.ties import dependencies, talks
from planner.evidence.told import Contradiction, cite_fact, told
from planner.model import VM, Dependency, Inventory
from planner.names import visible
from planner.units import show_bytes, show_count

_NAMED = 5  # contradictions that notes tell one by one


class _Watch:
    """Passes conversations on and counts what their ends could not be resolved to."""

    def __init__(self, conversations: Iterable[Conversation], resolver: Resolver) -> None:
        self._conversations, self._resolver = conversations, resolver
        self.lost: dict[Endpoint, Verdict] = {}
        self.lost_bytes: int | None = None
        self.by_address_only = False

    def __iter__(self) -> Iterator[Conversation]:
        for said in self._conversations:
            astray = False
            for end in (said.source, said.destination):
                verdict = self._resolver.resolve(end).verdict
                self.by_address_only |= not end.name
                if verdict in (Verdict.UNKNOWN, Verdict.AMBIGUOUS):
                    self.lost[end] = verdict
                    astray = True
            if astray and said.size_bytes is not None:
                self.lost_bytes = (self.lost_bytes or 0) + said.size_bytes
            yield said


def compose(inventory: Inventory, evidence: Evidence) -> Inventory:
    """Return a bare snapshot with the evidence on it; without any, the snapshot itself.

    Idempotent on a bare snapshot: facts carry where they are from in ``VM.sayings``, and
    dependencies in ``evidence``.
    """
    if not evidence.imports:
        return inventory
    imports = {item.id: item for item in evidence.imports}
    resolver = Resolver(inventory, evidence.settled)
    watch = _Watch(evidence.conversations, resolver)
    made = dependencies(talks(watch, resolver), imports)
    facts, contradictions = told(evidence.facts, resolver, imports)
    for fact in evidence.facts:
        verdict = resolver.resolve(fact.subject).verdict
        if verdict in (Verdict.UNKNOWN, Verdict.AMBIGUOUS):
            watch.lost[fact.subject] = verdict
    cited = {
        vm: {name: cite_fact(fact, imports) for name, fact in said.items()} for vm, said in facts.items()
    }
    return replace(
        inventory,
        vms=tuple(
            _with_facts(vm, facts[vm.id], cited[vm.id]) if vm.id in facts else vm for vm in inventory.vms
        ),
        dependencies=_joined(inventory.dependencies, made),
        notes=(
            *inventory.notes,
            *_import_notes(evidence, made),
            *_lost_notes(watch, resolver),
            *_replaced_notes(inventory, facts),
            *_contradiction_notes(inventory, contradictions),
        ),
    )


def _with_facts(vm: VM, facts: dict[str, Fact], cited: dict[str, str]) -> VM:
    values: dict[str, Any] = {name: fact.value for name, fact in facts.items()}
    kept = tuple(item for item in vm.sayings if item[0] not in cited)
    return replace(vm, **values, sayings=(*kept, *sorted(cited.items())))


def _joined(known: tuple[Dependency, ...], made: tuple[Dependency, ...]) -> tuple[Dependency, ...]:
    """Return the source's own dependencies, each with what was seen of it, and those that are new.

    A tie that the source calls hard stays hard, however soft the traffic looks.
    """
    seen = {(item.source, item.target, item.port): item for item in made}
    own = []
    for item in known:
        flow = seen.pop((item.source, item.target, item.port), None)
        if flow is not None:
            item = replace(
                item,
                evidence="; ".join(filter(None, (item.evidence, flow.evidence))),
                traffic_bytes=flow.traffic_bytes if item.traffic_bytes is None else item.traffic_bytes,
                first_seen=item.first_seen or flow.first_seen,
                last_seen=item.last_seen or flow.last_seen,
            )
        own.append(item)
    return (*own, *(item for item in made if (item.source, item.target, item.port) in seen))


def _import_notes(evidence: Evidence, made: tuple[Dependency, ...]) -> Iterator[str]:
    names = ", ".join(item.name for item in evidence.imports[-_NAMED:])
    last = "" if len(evidence.imports) <= _NAMED else "the last of them "
    count = len(made)
    yield (
        f"{show_count(len(evidence.imports), 'import')} of evidence, {last}{names}, "
        f"{'holds' if len(evidence.imports) == 1 else 'hold'} "
        f"{count:,} {'dependency' if count == 1 else 'dependencies'}"
    )


def _lost_notes(watch: _Watch, resolver: Resolver) -> Iterator[str]:
    counts = Counter(watch.lost.values())
    if counts:
        parts = [
            f"{show_count(count, 'name')} {said}"
            for verdict, said in ((Verdict.UNKNOWN, "of no VM"), (Verdict.AMBIGUOUS, "of several VMs"))
            if (count := counts[verdict])
        ]
        traffic = "" if watch.lost_bytes is None else f", with {show_bytes(watch.lost_bytes)} of traffic"
        yield f"imported evidence holds {' and '.join(parts)}{traffic}: see 'wherry flows unresolved'"
    if watch.by_address_only and not resolver.knows_addresses:
        yield (
            "the inventory says no address of any VM: flows that name their ends by address only "
            "could not be matched"
        )


def _replaced_notes(inventory: Inventory, facts: dict[str, dict[str, Fact]]) -> Iterator[str]:
    replaced: Counter[str] = Counter()
    for vm in inventory.vms:
        for name, fact in facts.get(vm.id, {}).items():
            before = getattr(vm, name)
            replaced[name] += bool(before) and before.casefold() != fact.value.casefold()
    for name, count in sorted(replaced.items()):
        if count:
            of_vms = show_count(count, "VM")
            yield f"application lists overrule what the source says of the {name} of {of_vms}"


def _contradiction_notes(inventory: Inventory, contradictions: tuple[Contradiction, ...]) -> Iterator[str]:
    names = {vm.id: vm.name for vm in inventory.vms}
    for item in contradictions[:_NAMED]:
        yield (
            f"{item.evidence} says that the {item.field} of {visible(names[item.vm], 60)} is "
            f"{visible(item.value, 60)}, {item.overruled_evidence} says {visible(item.overruled, 60)}: "
            "the newer one counts"
        )
    if len(contradictions) > _NAMED:
        more = len(contradictions) - _NAMED
        yield (
            f"application lists contradict each other in {more:,} more places: "
            "see 'wherry flows contradictions'"
        )
