"""All readiness checks, and the one function that runs them.

    rules of each family ──ask every object──▶ findings, and for each check how many it could not decide

Unknown is neither finding nor pass: it is counted, so that a thin export does not look healthy.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from planner.checks import (
    compute,
    controllers,
    devices,
    disks,
    fitting,
    guest,
    hosts,
    mapped,
    names,
    network,
    platform,
    raw,
    replication,
    security,
    sharing,
    sizes,
    snapshots,
    space,
    storage,
)
from planner.checks.check import About, Check, Rule, Whole
from planner.checks.estate import Estate, survey
from planner.errors import NotFound
from planner.garbage import uncollected
from planner.model import VM, Finding, Inventory, Method, Network, Severity

if TYPE_CHECKING:
    from planner.settings import Settings

_RULES: tuple[Rule, ...] = (
    *raw.RULES,
    *sharing.RULES,
    *disks.RULES,
    *controllers.RULES,
    *sizes.RULES,
    *snapshots.RULES,
    *storage.RULES,
    *space.RULES,
    *mapped.RULES,
    *replication.RULES,
    *compute.RULES,
    *fitting.RULES,
    *devices.RULES,
    *security.RULES,
    *hosts.RULES,
    *network.RULES,
    *names.RULES,
    *guest.RULES,
    *platform.RULES,
)
_WEIGHT = {Severity.BLOCKER: 0, Severity.WARNING: 1, Severity.INFO: 2}
# Families about a kind of device that a source may not list at all.
_KIND_OF_FAMILY = {"disks": "disks"}
_PORTION = 200  # VMs between two words on the progress


@dataclass(frozen=True, slots=True)
class Readiness:
    """Findings by severity, check and name; ``unknown`` counts objects by check id, zeros left out.

    ``undecided`` is the same the other way round: how many checks stay open, by VM id.
    """

    findings: tuple[Finding, ...]
    unknown: dict[str, int]
    undecided: dict[str, int] = field(default_factory=dict)

    @property
    def open(self) -> tuple[Finding, ...]:
        """The findings that no waiver covers."""
        return tuple(finding for finding in self.findings if not finding.waiver)

    def count(self, severity: Severity) -> int:
        """Return how many findings have a severity, waived ones left aside."""
        return sum(finding.severity is severity and not finding.waiver for finding in self.findings)


def all_checks() -> tuple[Check, ...]:
    """Return every check, in the order of families and files."""
    return tuple(rule.check for rule in _RULES)


def explain(check_id: str) -> Check:
    """Return one check by id; raises NotFound."""
    for rule in _RULES:
        if rule.check.id == check_id:
            return rule.check
    families = ", ".join(dict.fromkeys(rule.check.family for rule in _RULES))
    raise NotFound(
        f"check {check_id!r} does not exist",
        f"list them all with 'wherry check --list'; families are {families}",
    )


def _networks(estate: Estate) -> Sequence[Network]:
    """Return the networks, those too that VMs are on and the inventory does not list."""
    unlisted = (place for place in estate.lookup.users if place not in estate.networks)
    return (*estate.inventory.networks, *(Network(name, name, vcenter=at) for at, name in unlisted))


def _objects(estate: Estate, about: About) -> Sequence[object]:
    inventory = estate.inventory
    found: dict[About, Sequence[object]] = {
        About.VM: inventory.vms,
        About.HOST: inventory.hosts,
        About.CLUSTER: inventory.clusters,
        About.DATASTORE: inventory.datastores,
        About.NETWORK: _networks(estate),
        About.VCENTER: inventory.vcenters,
        About.ESTATE: (Whole(About.ESTATE.value, inventory.source),),
    }
    return found[about]


def _unlisted(estate: Estate) -> set[About]:
    """Return the kinds of which the inventory does not list all there must be."""
    inventory = estate.inventory
    # The kinds of gaps are the plurals.
    found = {about for about in About if f"{about.value}s" in estate.gaps}
    members = [vm for vm in inventory.vms if vm.movable]
    if members and not inventory.vcenters:
        found.add(About.VCENTER)
    if members and not inventory.hosts:
        found.add(About.HOST)
    if any(vm.host and estate.place(vm, vm.host) not in estate.hosts for vm in members):
        found.add(About.HOST)
    if any(vm.cluster and estate.place(vm, vm.cluster) not in estate.clusters for vm in members):
        found.add(About.CLUSTER)
    return found


class _Asking:
    """Findings and unknowns as they come in, for one method."""

    def __init__(self, estate: Estate, method: Method) -> None:
        self.estate = estate
        self.method = method
        self.findings: list[Finding] = []
        self.unknown: Counter[str] = Counter()

    def ask(self, rules: Iterable[tuple[Rule, bool]], item: object) -> int:
        """Ask rules about one object and return how many of them it leaves open.

        True beside a rule leaves it undecided whatever it finds.
        """
        left_open = 0
        for rule, undecided in rules:
            for answer in rule.ask(item, self.estate):
                if answer is None:
                    undecided = True
                else:
                    self.findings.append(self._finding(rule.check, item, answer))
            if undecided:
                self.unknown[rule.check.id] += 1
                left_open += 1
        return left_open

    def _finding(self, check: Check, item: Any, message: str) -> Finding:
        severity = check.severities[self.method]
        return Finding(check.id, severity, item.id, item.name, message, check.remedy, check.about.value)


def _chooser(rules: Iterable[Rule], common: frozenset[str]) -> Callable[[VM], Sequence[tuple[Rule, bool]]]:
    """Return what chooses the rules for a VM, and beside each whether a gap leaves it undecided."""
    about_vms = [
        (rule, rule.kinds | {_KIND_OF_FAMILY.get(rule.check.family, "")} - {""})
        for rule in rules
        if rule.check.about is About.VM
    ]

    # Few sources tell more than a handful of gaps apart; 100,000 VMs share them.
    @lru_cache(maxsize=64)
    def chosen(gaps: tuple[str, ...], movable: bool) -> Sequence[tuple[Rule, bool]]:
        lacking = common.union(gaps)
        return [
            (rule, not kinds.isdisjoint(lacking))
            for rule, kinds in about_vms
            if movable or not rule.of_movable
        ]

    return lambda vm: chosen(vm.gaps, vm.movable)


@uncollected()
def run_checks(
    inventory: Inventory,
    settings: Settings | None = None,
    target: Inventory | None = None,
    own_rules: Iterable[Rule] = (),
    method: Method | None = None,
    progress: Callable[[int, int], None] | None = None,
    only: Callable[[VM], bool] | None = None,
) -> Readiness:
    """Ask every check about every object it is about; pure, one pass, no I/O.

    ``target`` is the inventory of the estate it goes to, ``own_rules`` are a project's. Findings weigh
    for the settings' method unless another one is given; ``progress`` hears VMs done and VMs in all.
    ``only`` picks the VMs to ask about: then nothing else is asked about, all is still looked at.
    """
    estate = survey(inventory, settings, survey(target) if target else None)
    asking = _Asking(estate, method or (settings.method if settings else Method.WARM))
    rules = (*_RULES, *own_rules)
    rules_for = _chooser(rules, estate.gaps)
    undecided: dict[str, int] = {}
    for at, vm in enumerate(inventory.vms):
        if progress and at % _PORTION == 0:
            progress(at, len(inventory.vms))
        if only and not only(vm):
            continue
        if left_open := asking.ask(rules_for(vm), vm):
            undecided[vm.id] = left_open
    unlisted = _unlisted(estate)
    for rule in rules:
        about = rule.check.about
        if about is not About.VM and not only:
            for item in _objects(estate, about):
                asking.ask([(rule, False)], item)
            # What is not listed was not asked about: that is unknown, not fine.
            if about in unlisted:
                asking.unknown[rule.check.id] += 1
    asking.findings.sort(
        key=lambda item: (_WEIGHT[item.severity], item.check, item.subject_name, item.subject, item.message)
    )
    unknown = {key: count for key, count in sorted(asking.unknown.items()) if count}
    return Readiness(tuple(asking.findings), unknown, undecided)
