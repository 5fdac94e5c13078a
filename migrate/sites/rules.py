"""Placement rules of a cluster: which VMs run together, apart, or on which hosts. Not every site has them.

A rule is built over VMs that are there, at most once; what the site says against it is told and holds
nothing up. Only what a step built itself is removed when it is undone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from planner.model import RuleKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from migrate.sites.ports import NewVM


@dataclass(frozen=True, slots=True)
class NewRule:
    """A rule to build; ``vms`` are ids. ``affine``: of one with hosts, whether VMs run on them or elsewhere.

    The group of its VMs is made under ``vm_group``; a group of hosts has to be there under ``host_group``.
    """

    name: str
    kind: RuleKind
    vms: tuple[str, ...]
    enabled: bool = True
    mandatory: bool = False
    vm_group: str = ""
    host_group: str = ""
    affine: bool = True


class Rules(Protocol):
    """A site that keeps rules. Asking for one that stands already is not an error."""

    def build_rule(self, rule: NewRule, op: str) -> str:
        """Build a rule; return what stands against it in words, empty when it stands."""
        ...

    def drop_rule(self, rule: NewRule, op: str) -> None:
        """Remove a rule that the same step built; what somebody else made stays."""
        ...


@runtime_checkable
class RuleHosts(Protocol):
    """A site that can say before a run which groups of hosts its rules would miss."""

    def hosts_missing(self, rules: Iterable[NewRule], arriving: Iterable[NewVM]) -> tuple[str, ...]:
        """Return a sentence for each group of hosts that is not in the cluster where a rule's VMs land."""
        ...
