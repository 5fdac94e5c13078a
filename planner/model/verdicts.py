"""What the planner says of an estate: findings, groups, estimates."""

from __future__ import annotations

from dataclasses import dataclass

from planner.model.words import Severity


@dataclass(frozen=True, slots=True)
class Finding:
    """What a readiness check found, and what to do about it.

    ``subject`` is the id of an object of ``subject_kind`` (vm, host, cluster, datastore, network,
    vcenter). ``waiver`` is the sentence of a waiver in force, empty = none.
    """

    check: str
    severity: Severity
    subject: str
    subject_name: str
    message: str
    remedy: str
    subject_kind: str = "vm"
    waiver: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why two VMs must move together: one edge of a move group's closure."""

    a: str
    b: str
    why: str


@dataclass(frozen=True, slots=True)
class MoveGroup:
    """VMs that must move together, closed over hard ties, with the reasons."""

    name: str
    vms: tuple[str, ...]
    reasons: tuple[Reason, ...] = ()
    shared_services: bool = False


@dataclass(frozen=True, slots=True)
class Estimate:
    """A quantity with its median and its 95th percentile, in the unit its name says."""

    p50: float
    p95: float
