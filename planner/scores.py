"""How hard VMs and applications are to move, as points with the reason for each.

    findings nobody waived, disks, size, churn, sharing, system, snapshots, ties ──▶ points ──▶ level

The points order the work and explain themselves; they are judgement, not measurement. ``FACTORS`` says
all of it. What is not known adds nothing and is named, so that a thin source does not look easy.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from planner.checks.lifecycle import runs
from planner.checks.registry import Readiness
from planner.model import VM, Finding, Inventory, Severity, Tie, Volume
from planner.names import visible
from planner.units import GIB, TIB, show_bytes, show_count
from planner.volumes import volumes

_BY_SEVERITY = {Severity.BLOCKER: ("blockers", 10, "blocks"), Severity.WARNING: ("warnings", 3, "warns")}
_EASY_DISKS, _MOST_FOR_DISKS = 2, 10
_PER_TIB, _MOST_FOR_SIZE = 4, 40
_CHURN_STEP, _MOST_FOR_CHURN = 20 * GIB, 10
_PER_SHARED, _MOST_FOR_SHARING = 5, 15
_ODD_SYSTEM = 3
_MOST_FOR_SNAPSHOTS = 5
_PER_TIE, _MOST_FOR_TIES = 2, 10
_REST_OF_APPLICATION, _PER_NEIGHBOUR = 10, 5

FACTORS: tuple[tuple[str, str], ...] = (
    ("blockers", "10 for each check that blocks, waived ones left aside"),
    ("warnings", "3 for each check that warns, waived ones left aside"),
    ("disks", f"1 for each disk after the second, {_MOST_FOR_DISKS} at the most"),
    ("size", f"{_PER_TIB} for each TiB provisioned, {_MOST_FOR_SIZE} at the most"),
    ("churn", f"1 for each {_CHURN_STEP // GIB} GiB written a day, {_MOST_FOR_CHURN} at the most"),
    ("sharing", f"{_PER_SHARED} for each disk other VMs use too, {_MOST_FOR_SHARING} at the most"),
    ("system", f"{_ODD_SYSTEM} for an operating system of no known make"),
    ("snapshots", f"1 for each snapshot, {_MOST_FOR_SNAPSHOTS} at the most"),
    ("ties", f"{_PER_TIE} for each other VM it cannot do without, {_MOST_FOR_TIES} at the most"),
    (
        "application",
        "its hardest VM, a tenth of the points of the others, and "
        f"{_PER_NEIGHBOUR} for each other application it has hard ties with",
    ),
)


class Level(StrEnum):
    """How hard, in a word: under 10 points, under 25, under 50, more."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    VERY_HIGH = "very high"


_LIMITS = ((10, Level.LOW), (25, Level.MEDIUM), (50, Level.HIGH))


def level(points: int) -> Level:
    """Return the level of so many points."""
    return next((name for limit, name in _LIMITS if points < limit), Level.VERY_HIGH)


@dataclass(frozen=True, slots=True)
class Points:
    """Points of one factor, and why."""

    factor: str
    points: int
    why: str


@dataclass(frozen=True, slots=True)
class Complexity:
    """How hard a VM or an application is. ``unknown`` names factors nobody could weigh."""

    id: str
    name: str
    application: str
    points: int
    reasons: tuple[Points, ...]
    unknown: tuple[str, ...] = ()

    @property
    def level(self) -> Level:
        """The points in a word."""
        return level(self.points)


@dataclass(frozen=True, slots=True)
class _Around:
    """What a VM's score looks at besides the VM."""

    gaps: frozenset[str]
    findings: Mapping[str, Sequence[Finding]]
    shared: Mapping[str, int]  # disks that other VMs use too, by VM
    partners: Mapping[str, frozenset[str]]  # other ends of hard ties, by VM
    has_ties: bool


def _shared(found: Iterable[Volume]) -> Counter[str]:
    counted: Counter[str] = Counter()
    for volume in found:
        if volume.shared:
            counted.update({item.vm.id for item in volume.attachments})
    return counted


def _partners(inventory: Inventory) -> dict[str, frozenset[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for tie in inventory.dependencies:
        if tie.tie is Tie.HARD and tie.source != tie.target:
            found[tie.source].add(tie.target)
            found[tie.target].add(tie.source)
    return {key: frozenset(others) for key, others in found.items()}


def _around(inventory: Inventory, readiness: Readiness) -> _Around:
    findings: defaultdict[str, list[Finding]] = defaultdict(list)
    for finding in readiness.findings:
        if finding.subject_kind == "vm" and not finding.waiver:
            findings[finding.subject].append(finding)
    return _Around(
        frozenset(inventory.gaps),
        findings,
        _shared(volumes(inventory)),
        _partners(inventory),
        bool(inventory.dependencies),
    )


def _of_findings(found: Sequence[Finding]) -> Iterator[Points]:
    for severity, (factor, each, verb) in _BY_SEVERITY.items():
        if checks := sorted({finding.check for finding in found if finding.severity is severity}):
            yield Points(factor, each * len(checks), f"{', '.join(checks)} {verb}")


def _factors(vm: VM, around: _Around) -> Iterator[Points | str]:
    """Yield points, or the name of a factor that cannot be weighed."""
    yield from _of_findings(around.findings.get(vm.id, ()))
    gaps = around.gaps.union(vm.gaps)
    if "disks" in gaps:
        yield from ("disks", "size", "sharing")
    else:
        more = min(len(vm.disks) - _EASY_DISKS, _MOST_FOR_DISKS)
        yield Points("disks", max(more, 0), show_count(len(vm.disks), "disk"))
        size = min(int(_PER_TIB * vm.disk_bytes / TIB), _MOST_FOR_SIZE)
        yield Points("size", size, f"{show_bytes(vm.disk_bytes)} provisioned")
        shared = around.shared.get(vm.id, 0)
        yield Points("sharing", min(_PER_SHARED * shared, _MOST_FOR_SHARING),
                     f"{show_count(shared, 'disk')} that other VMs use too")  # fmt: skip
    if vm.churn_bytes_day is None:
        yield "churn"
    else:
        churn = min(vm.churn_bytes_day // _CHURN_STEP, _MOST_FOR_CHURN)
        yield Points("churn", churn, f"{show_bytes(vm.churn_bytes_day)} written a day")
    if not (vm.guest_os or vm.guest.running_os):
        yield "system"
    elif runs(vm) is None:
        named = visible(vm.guest.running_os or vm.guest_os, 60)
        yield Points("system", _ODD_SYSTEM, f"an operating system of no known make: {named}")
    if "snapshots" in gaps:
        yield "snapshots"
    else:
        kept = min(len(vm.snapshots), _MOST_FOR_SNAPSHOTS)
        yield Points("snapshots", kept, show_count(len(vm.snapshots), "snapshot"))
    if not around.has_ties:
        yield "ties"
    else:
        partners = len(around.partners.get(vm.id, ()))
        yield Points(
            "ties",
            min(_PER_TIE * partners, _MOST_FOR_TIES),
            f"cannot do without {show_count(partners, 'VM')}",
        )


def _complexity(vm: VM, around: _Around) -> Complexity:
    found = list(_factors(vm, around))
    reasons = tuple(item for item in found if isinstance(item, Points) and item.points)
    return Complexity(
        vm.id,
        vm.name,
        vm.application,
        sum(item.points for item in reasons),
        tuple(sorted(reasons, key=lambda item: -item.points)),
        tuple(item for item in found if isinstance(item, str)),
    )


def complexities(inventory: Inventory, readiness: Readiness) -> tuple[Complexity, ...]:
    """Return how hard each movable VM is, the hardest first."""
    around = _around(inventory, readiness)
    found = [_complexity(vm, around) for vm in inventory.vms if vm.movable]
    return tuple(sorted(found, key=lambda item: (-item.points, item.name, item.id)))


def _neighbours(inventory: Inventory, application_of: Mapping[str, str]) -> dict[str, set[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for tie in inventory.dependencies:
        a, b = application_of.get(tie.source, ""), application_of.get(tie.target, "")
        if tie.tie is Tie.HARD and a and b and a != b:
            found[a].add(b)
            found[b].add(a)
    return found


def applications(inventory: Inventory, scored: Iterable[Complexity]) -> tuple[Complexity, ...]:
    """Return how hard each application is, from its VMs as they were scored; the hardest first."""
    members: defaultdict[str, list[Complexity]] = defaultdict(list)
    for item in scored:
        if item.application:
            members[item.application].append(item)
    neighbours = _neighbours(inventory, {item.id: name for name, found in members.items() for item in found})
    return tuple(
        sorted(
            (_application(name, found, neighbours.get(name, set())) for name, found in members.items()),
            key=lambda item: (-item.points, item.name),
        )
    )


def _application(name: str, found: Sequence[Complexity], neighbours: set[str]) -> Complexity:
    hardest = max(found, key=lambda item: item.points)
    rest = sum(item.points for item in found) - hardest.points
    named = ", ".join(visible(other, 40) for other in sorted(neighbours))
    others = -(-rest // _REST_OF_APPLICATION)
    reasons = [
        Points("hardest VM", hardest.points, visible(hardest.name, 60)),
        Points("other VMs", others, f"a tenth of the points of {show_count(len(found) - 1, 'other')}"),
        Points("neighbours", _PER_NEIGHBOUR * len(neighbours), f"hard ties with {named}"),
    ]
    kept = tuple(item for item in reasons if item.points)
    unknown = tuple(dict.fromkeys(factor for item in found for factor in item.unknown))
    return Complexity(name, name, name, sum(item.points for item in kept), kept, unknown)
