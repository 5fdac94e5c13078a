"""What an estate is made of: the distributions and rates, as data.

Anchors are three measured estates (571, 805 and 131 VMs) and published figures; what is no anchor
is a judgement. ``trouble`` scales everything that is planted for checks to find; 0 plants nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from planner.errors import BadInput
from planner.units import GIB, TIB

TAKEN_AT = "2026-10-05T06:00:00+00:00"  # a Monday; nothing here asks the clock
MOST_VMS = 200_000
MOST_BYTES = 30 * TIB  # of one VM in use

# (vCPUs, weight) by class; memory is a ratio in GiB per vCPU.
CPUS: dict[str, tuple[tuple[int, float], ...]] = {
    "web": ((1, 10), (2, 60), (4, 30)),
    "application": ((2, 30), (4, 45), (8, 25)),
    "database": ((4, 35), (8, 40), (16, 20), (32, 5)),
    "file": ((2, 40), (4, 60)),
    "infrastructure": ((2, 55), (4, 45)),
    "desktop": ((2, 70), (4, 30)),
}
GIB_PER_CPU: dict[str, tuple[tuple[int, float], ...]] = {
    "web": ((2, 70), (4, 30)),
    "application": ((2, 30), (4, 50), (8, 20)),
    "database": ((4, 45), (8, 55)),
    "file": ((2, 40), (4, 60)),
    "infrastructure": ((2, 60), (4, 40)),
    "desktop": ((2, 50), (4, 50)),
}
USED_MEDIAN: dict[str, int] = {
    "web": 50 * GIB,
    "application": 85 * GIB,
    "database": 230 * GIB,
    "file": 230 * GIB,
    "infrastructure": 60 * GIB,
    "desktop": 55 * GIB,
}
USED_SIGMA = 1.0
TAIL = 0.02  # of VMs are from a Pareto tail
TAIL_ALPHA = 1.3
PROVISIONED_FACTOR, PROVISIONED_SIGMA = 1.7, 0.35
FIRST_DISK = (40 * GIB, 60 * GIB, 80 * GIB, 100 * GIB, 150 * GIB)
DISKS = (
    (1, 0.40),
    (2, 0.36),
    (3, 0.12),
    (4, 0.05),
    (5, 0.03),
    (6, 0.016),
    (8, 0.012),
    (11, 0.008),
    (14, 0.004),
)
THIN = 0.8

CHURN_MEDIAN, CHURN_SIGMA = 0.015, 0.9  # of used bytes a day
CHURN_CLASS = {"database": 3.0, "file": 0.7}

APP_MEDIAN, APP_SIGMA, APP_CAP = 3.86, 0.85, 120  # VMs of an application's environment
ENVIRONMENTS = (("Production", "p", 0.5), ("Test", "t", 0.2), ("Development", "d", 0.2), ("UAT", "u", 0.1))
STAGES = ("Development", "Test", "UAT", "Production")  # the order in which they move
CRITICALITY = (("mission-critical", 0.05), ("high", 0.15), ("medium", 0.40), ("low", 0.40))
ENVIRONMENTS_PER_OWNER = 12
WINDOWS = (
    ("any weekend", 0.60),
    ("second weekend of the month", 0.25),
    ("two weeks after the end of a quarter", 0.10),
    ("any day 01:00-02:00", 0.05),
)
POWERED_OFF = 0.052
TEMPLATES = 0.012
PLACEHOLDERS = 0.003
NAME_VIOLATIONS = 0.05

RDM_VMS = 0.015
RDM_PHYSICAL = 0.7
CLUSTER_SIZES = ((2, 0.80), (4, 0.15), (8, 0.05))
MULTI_WRITER_VMS = 0.003

INTER_APP = 2.5  # applications that an application needs
INTER_ALPHA = 1.3
# Sigma 2 would leave 37 % of the bytes on the busiest hundredth of the edges; real networks carry
# 60 to 80 % there.
WEIGHT_SIGMA = 2.6
LATENCY = 0.04  # of the edges between applications
HIDDEN, NOISE = 0.10, 0.05

VMS_PER_HOST = 22
HOSTS_PER_CLUSTER = (8, 32)
VMS_PER_STORE = 40
VMS_PER_NETWORK = 80


@dataclass(frozen=True, slots=True)
class Recipe:
    """How large, which one of them, and how much is wrong with it; raises BadInput."""

    vms: int
    seed: int = 7
    trouble: float = 1.0

    def __post_init__(self) -> None:
        if not 10 <= self.vms <= MOST_VMS:
            raise BadInput(f"an estate of {self.vms} VMs cannot be made", f"ask for 10 to {MOST_VMS} of them")
        if not 0 <= self.trouble <= 10:
            raise BadInput(
                f"trouble {self.trouble:g} is out of range", "use 0 for none, 1 for the usual, at most 10"
            )

    @property
    def vcenters(self) -> int:
        """How many vCenters an estate of this size has."""
        return 1 + sum(self.vms > limit for limit in (1_500, 5_000, 20_000))

    @property
    def hubs(self) -> int:
        """How many VMs everyone needs."""
        return min(max(8, self.vms // 400), self.vms // 3)
