"""What a check is, and how one is written.

A check is a function over one object of the estate that yields a sentence for every finding and
``None`` where the source does not say enough to decide. The decorator gives it id, severity, reason and
remedy. Severities weigh a move by wherry, which copies what it cannot follow live after the VM has
stopped: a blocker is what it cannot move at all as it is by the chosen method.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from typing import Any

from planner.checks.estate import Estate
from planner.model import Method, Severity
from planner.units import show_duration

Ask = Callable[[Any, Estate], Iterator[str | None]]


class About(StrEnum):
    """What kind of object a check is asked about."""

    VM = "vm"
    HOST = "host"
    CLUSTER = "cluster"
    DATASTORE = "datastore"
    NETWORK = "network"
    VCENTER = "vcenter"
    ESTATE = "estate"  # the whole of it and where it goes, asked once


@dataclass(frozen=True, slots=True)
class Whole:
    """The estate as an object that checks are asked about."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Work:
    """What it takes to clear a finding: a task of the plan.

    ``fix`` is the step kind that wherry can do itself, empty = a person's work. ``lead_days`` is how
    long before the seed it has to be done. ``shared`` work is done once for all VMs of a wave: it takes
    ``effort_min`` and ``each_min`` more for each of them, and no VM is down for it.
    """

    effort_min: int
    outage: bool = False
    lead_days: int = 1
    fix: str = ""
    shared: bool = False
    each_min: float = 0.0

    def minutes(self, vms: int = 1) -> int:
        """Return what a task about so many VMs takes."""
        return ceil(self.effort_min + self.each_min * vms)

    def takes(self) -> str:
        """Return the effort in words."""
        once = show_duration(self.effort_min * 60.0)
        return f"{once} a wave and {self.each_min:g} min for each VM" if self.shared else once

    def __post_init__(self) -> None:
        if self.shared and (self.outage or self.fix):
            raise ValueError("shared work is a person's, and takes no VM down")


@dataclass(frozen=True, slots=True)
class Check:
    """What is looked for, why it matters and what to do. ``id`` starts with its family.

    ``severities`` holds one for each method; ``condition`` is the rule in words, ``properties`` the
    paths of the vSphere API it looks at, ``reference`` where the fact is from. ``work`` is None when
    there is a decision to take and nothing to repair.
    """

    id: str
    title: str
    severities: Mapping[Method, Severity]
    why: str
    remedy: str
    condition: str = ""
    properties: tuple[str, ...] = ()
    reference: str = ""
    about: About = About.VM
    work: Work | None = None

    @property
    def family(self) -> str:
        """The first word of the id."""
        return self.id.partition(".")[0]

    def severity(self, method: Method = Method.WARM) -> Severity:
        """Return how much a finding weighs for a method."""
        return self.severities[method]


@dataclass(frozen=True, slots=True)
class Rule:
    """A check with the function that asks it.

    ``of_movable`` is False for the few VM checks that are about templates and placeholders too;
    ``kinds`` are the kinds of the inventory's gaps that leave it undecided by themselves.
    """

    check: Check
    ask: Ask
    of_movable: bool = True
    kinds: frozenset[str] = frozenset()


def by_method(warm: Severity, cold: Severity) -> Mapping[Method, Severity]:
    """Return the severities of a check that weighs differently once the VM is off during the copy."""
    return {Method.WARM: warm, Method.COLD: cold}


def rule(
    rules: list[Rule],
    check_id: str,
    severity: Severity | Mapping[Method, Severity],
    title: str,
    *,
    why: str,
    remedy: str,
    condition: str = "",
    properties: tuple[str, ...] = (),
    reference: str = "",
    about: About = About.VM,
    work: Work | None = None,
    of_movable: bool = True,
    kinds: tuple[str, ...] = (),
) -> Callable[[Ask], Ask]:
    """Return a decorator that adds a function to a family's rules as a check."""

    def add(ask: Ask) -> Ask:
        severities = dict.fromkeys(Method, severity) if isinstance(severity, Severity) else dict(severity)
        check = Check(check_id, title, severities, why, remedy, condition, properties, reference, about, work)
        rules.append(Rule(check, ask, of_movable, frozenset(kinds)))
        return ask

    return add
