"""The score card of a plan: how good its waves are, beside bounds and the spreadsheet's way."""

from __future__ import annotations

from pydantic import Field

from planner.conduct import Part


class Spread(Part):
    """A quantity's median and 95th percentile."""

    p50: float
    p95: float


class Used(Part):
    """How much of a cap a wave takes, or waves on average; ``most`` is the fullest of several waves."""

    resource: str
    used: float
    most: float | None = None
    cap: float | None = None


class Figures(Part):
    """How good waves are. What nobody measured or dated is None.

    ``cut_share`` is the traffic between groups of different waves over all traffic between groups,
    ``peak_share`` the largest traffic across one wave boundary over the same total, ``stretch_gb`` what
    crosses the line because ends are apart.
    """

    waves: int
    waves_bound: int
    makespan_h: float | None = None
    makespan_bound_h: float | None = None
    cut_share: float | None = None
    stretch_gb: float | None = None
    peak_share: float | None = None
    hard_violations: int = 0
    order_violations: int = 0
    latency_violations: int = 0


class Score(Figures):
    """The score card: figures beside their bounds, and those of name order."""

    baseline: Figures | None = Field(None, description="the spreadsheet's way: first fit in name order")
    binds: str = Field("", description="what keeps the number of waves from being smaller")
    utilisation: tuple[Used, ...] = ()
    risk_ramp: tuple[float, ...] = Field((), description="share of all risk in each third of the waves")
    stability: float | None = Field(None, description="share of VMs whose wave is that of the plan before")
    makespan_spread_h: Spread | None = None
