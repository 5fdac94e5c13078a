"""An accepted suggestion, or a name that a person gives, as a reading: what an application list would say."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from planner.candidates.suggest import Suggestion
from planner.evidence.records import Kind
from planner.model import VM, Inventory
from planner.names import visible
from planner.sources.flows.reading import Log, Reading, Told
from planner.sources.flows.tally import Tally
from planner.sources.flows.text import Source


def as_reading(suggestion: Suggestion, inventory: Inventory, name: str = "") -> Reading:
    """Return facts for the VMs whose application is not known yet; ``name`` is a person's for it.

    What the inventory says of environments already is not said again.
    """
    application = name.strip() or suggestion.name
    vms = {vm.id: vm for vm in inventory.vms}
    title = visible(f"suggestion {application} {suggestion.environment}".strip(), 80)
    tally, facts = Tally(title), []
    subject_of = _subjects(inventory, tally)
    for row, member in enumerate(suggestion.new, 1):
        vm = vms[member.vm]
        subject = subject_of(vm)
        facts.append(Told(subject, "application", application, row))
        if suggestion.environment and not vm.environment:
            facts.append(Told(subject, "environment", suggestion.environment, row))
    return _reading(title, tally, facts, "", len(suggestion.new))


def named_reading(vms: Sequence[VM], application: str, inventory: Inventory, at: str) -> Reading:
    """Return facts that VMs belong to an application, as a person said at a time (ISO 8601).

    It counts from then on, whatever lists or the source said before.
    """
    title = visible(f"name {application}", 80)
    tally = Tally(title)
    subject_of = _subjects(inventory, tally)
    facts = [Told(subject_of(vm), "application", application, row) for row, vm in enumerate(vms, 1)]
    return _reading(title, tally, facts, at, len(vms))


def _subjects(inventory: Inventory, tally: Tally) -> Callable[[VM], int]:
    """Return who numbers VMs in a tally, by their names where one VM has it, else by their ids.

    So the facts hold after a new discovery.
    """
    times = Counter(vm.name.casefold() for vm in inventory.vms)

    def subject_of(vm: VM) -> int:
        subject = tally.endpoint(vm.name if vm.name and times[vm.name.casefold()] == 1 else vm.id)
        # a name that is no endpoint's, of blanks or an address that names nobody
        return subject if subject >= 0 else tally.endpoint(vm.id)

    return subject_of


def _reading(title: str, tally: Tally, facts: Sequence[Told], at: str, rows: int) -> Reading:
    """Return the facts as a reading; ``at`` makes the same words said at another time another one."""
    said = [f"{tally.endpoints[one.subject].label}\t{one.field}\t{one.value}" for one in facts]
    body = "\n".join([at, *said] if at else said).encode("utf-8", "surrogatepass")
    source = Source(Path(title), title, hashlib.sha256(body).hexdigest(), len(body), "")
    return Reading(source, Kind.APPLICATIONS, Log(title, rows=rows), tally, tuple(facts), ())
