"""An edge of the graph: one tie between two VMs, with reason, evidence, weight and what a person said."""

from __future__ import annotations

from dataclasses import dataclass

from planner.model import Tie

# Kinds of ties that no decision undoes: what is shared on disk is shared, whoever says otherwise.
PHYSICAL = frozenset({"volume", "clone", "ft"})
PERSON = "person"


@dataclass(frozen=True, slots=True)
class Edge:
    """One tie between two VMs.

    ``kind`` is volume, clone, ft, vapp, rule, dependency or person; ``weight_bytes`` is the traffic
    that was seen, None = unknown. ``decision`` is accept, refuse or "", ``decided`` says who, when and why.
    """

    source: str
    target: str
    tie: Tie
    kind: str
    reason: str
    evidence: str = ""
    confidence: float = 1.0
    mutual: bool = False
    port: int | None = None
    weight_bytes: int | None = None
    decision: str = ""
    decided: str = ""

    @property
    def refusable(self) -> bool:
        """True when a person may say that the tie means nothing."""
        return self.kind not in PHYSICAL
