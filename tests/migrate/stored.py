"""Plans for tests that need a wave in a project's store."""

from __future__ import annotations

from planner.plan import Plan, Score, Wave, leaves_out
from planner.store import plans
from planner.store.plans import StoredPlan
from planner.store.project import Project


def plan_of(*waves: Wave, created_at: str = "2026-10-01T00:00:00Z") -> Plan:
    score = Score(waves=len(waves), waves_bound=1, order_violations=0, hard_violations=0)
    return Plan(
        schema_="wherry.plan/2" if leaves_out(waves) else "wherry.plan/1",
        project="test",
        created_at=created_at,
        inventory="i" * 64,
        settings="s" * 64,
        waves=waves,
        score=score,
    )


def store_plan(project: Project, *waves: Wave, created_at: str = "2026-10-01T00:00:00Z") -> StoredPlan:
    return plans.save(project, plan_of(*waves, created_at=created_at), "me")
