"""An accepted suggestion as a reading: what an application list of its VMs would say."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

from planner.candidates.suggest import Suggestion
from planner.evidence.records import Kind
from planner.model import Inventory
from planner.names import visible
from planner.sources.flows.reading import Log, Reading, Told
from planner.sources.flows.tally import Tally
from planner.sources.flows.text import Source


def as_reading(suggestion: Suggestion, inventory: Inventory, name: str = "") -> Reading:
    """Return facts for the VMs whose application is not known yet; ``name`` is a person's for it.

    VMs are called by their names where one VM has it, else by their ids, so that the facts hold after a
    new discovery. What the inventory says of environments already is not said again.
    """
    application = name.strip() or suggestion.name
    vms = {vm.id: vm for vm in inventory.vms}
    times = Counter(vm.name.casefold() for vm in inventory.vms)
    title = visible(f"suggestion {application} {suggestion.environment}".strip(), 80)
    tally, facts = Tally(title), []
    for row, member in enumerate(suggestion.new, 1):
        vm = vms[member.vm]
        subject = tally.endpoint(vm.name if vm.name and times[vm.name.casefold()] == 1 else vm.id)
        if subject < 0:  # a name that is no endpoint's, of blanks or an address that names nobody
            subject = tally.endpoint(vm.id)
        facts.append(Told(subject, "application", application, row))
        if suggestion.environment and not vm.environment:
            facts.append(Told(subject, "environment", suggestion.environment, row))
    said = "\n".join(f"{tally.endpoints[one.subject].label}\t{one.field}\t{one.value}" for one in facts)
    body = said.encode("utf-8", "surrogatepass")
    source = Source(Path(title), title, hashlib.sha256(body).hexdigest(), len(body), "")
    return Reading(source, Kind.APPLICATIONS, Log(title, rows=len(suggestion.new)), tally, tuple(facts), ())
