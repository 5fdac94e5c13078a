"""Edits of the newest plan: laid out, judged, and stored with the plan they lead to, all or nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from planner.checks.registry import Readiness
    from planner.edits import Edit
    from planner.plan import Plan
    from planner.readiness import Situation
    from planner.store.plans import StoredPlan
    from planner.store.project import Project
    from planner.waves.desk import Desk
    from planner.waves.moved import Delta
    from planner.waves.verdict import Verdict

_NAMED = 8  # broken rules that a refusal lists


@dataclass(frozen=True, slots=True)
class Opened:
    """The newest plan laid out, with everything it was made from."""

    stored: StoredPlan
    at: Situation
    desk: Desk
    edits: tuple[Edit, ...]
    frozen: tuple[str, ...]  # waves under way
    inputs: Mapping[str, Any]  # of make_plan and ask_for alike


def inputs_of(
    project: Project,
    at: Situation,
    progress: Callable[[int, int], None] | None = None,
    readiness: Readiness | None = None,
) -> dict[str, Any]:
    """Return what ``make_plan`` and ``ask_for`` are given of a project; ``progress`` is of its checks.

    ``readiness`` is what the checks say of it today, where that is known.
    """
    from migrate.measured import measured
    from planner.ground import ground_of
    from planner.readiness import judge, today

    findings = (readiness or judge(at, today(), progress=progress)).open
    own_checks = tuple(rule.check for rule in at.rules)
    return {
        "inventory": at.inventory,
        "settings": at.settings,
        "findings": findings,
        "own_checks": own_checks,
        "ground": ground_of(at.inventory, at.settings, findings, own_checks),
        "target": at.target,
        "rates": measured(project, at.inventory, at.fingerprint, at.settings.link),
    }


def lay_out(
    project: Project,
    at: Situation | None = None,
    progress: Callable[[int, int], None] | None = None,
    readiness: Readiness | None = None,
) -> Opened:
    """Lay the newest plan out; raises BadInput when inventory or settings are newer than it.

    ``at`` and ``readiness`` are the situation and what its checks say, when they are known; ``progress``
    hears of the checks.
    """
    from migrate.run.waves import under_way
    from planner.errors import BadInput
    from planner.planning import ask_for
    from planner.readiness import situation
    from planner.store import edits, plans
    from planner.waves.desk import Desk
    from planner.waves.pins import slot_named

    stored = plans.latest(project)
    at = at or situation(project)
    plan = stored.plan
    for what, made_on, now in (
        ("inventory", plan.inventory, at.fingerprint),
        ("settings", plan.settings, at.settings.fingerprint),
    ):
        if made_on != now:
            raise BadInput(f"plan {stored.version} was made on older {what}", "make it anew: wherry plan")
    standing = {vm.id: slot_named(wave.name) for wave in plan.waves for vm in wave.vms}
    if not standing or None in standing.values():
        raise BadInput(f"plan {stored.version} has no waves to look at", "make it anew: wherry plan")
    known = edits.in_force(project)
    inputs = inputs_of(project, at, progress, readiness)
    frozen = under_way(project, stored)
    ask = ask_for(
        **inputs,
        last=plan,
        frozen=frozen,
        edits=known,
        standing={vm: slot for vm, slot in standing.items() if slot is not None},
    )
    return Opened(stored, at, Desk(ask), known, frozen, inputs)


def is_newest(project: Project, at: Situation, opened: Opened) -> bool:
    """Return whether a plan that was laid out would be laid out likewise now, in the situation ``at``."""
    from migrate.measured import measured
    from migrate.run.waves import under_way
    from planner.store import edits

    newest = project.rows("SELECT max(version) AS version FROM plan")[0]["version"]
    return (
        newest == opened.stored.version
        and at is opened.at
        and edits.in_force(project) == opened.edits
        and under_way(project, opened.stored) == opened.frozen
        and measured(project, at.inventory, at.fingerprint, at.settings.link) == opened.inputs["rates"]
    )


def disturbed(project: Project, newest: StoredPlan, then: Plan) -> str:
    """Return the first wave under way that would be another one in the plan that comes next, "" for none."""
    from migrate.run.waves import under_way

    wanted = {wave.name: wave.fingerprint for wave in then.waves}
    under = under_way(project, newest)
    return next((name for name in under if wanted.get(name) != newest.plan.wave(name).fingerprint), "")


def refuse_broken(verdict: Verdict) -> None:
    """Raise Blocked when an edit breaks rules that must hold."""
    from planner.errors import Blocked

    if verdict.refused:
        more = len(verdict.refused) - _NAMED
        said = "; ".join(verdict.refused[:_NAMED]) + (f"; and {more} more" if more > 0 else "")
        raise Blocked(
            f"{verdict.edit.did} breaks what must hold: {said}", "nothing was changed; choose another wave"
        )


@dataclass(frozen=True, slots=True)
class Saved:
    """Edits as they were stored, the plan they led to, and the waves whose approval that voids."""

    edits: tuple[Edit, ...]
    stored: StoredPlan
    voided: tuple[str, ...]


def save(project: Project, opened: Opened, edits: Sequence[Edit], standing: Mapping[str, int]) -> Saved:
    """Store accepted edits and the one plan they lead to, all or nothing; ``standing`` is where VMs are then.

    Raises BadInput when the plan was changed by somebody else in the meantime, Blocked when a wave that is
    under way by now would be another one.
    """
    from migrate import audit
    from migrate.run.waves import under_way
    from planner.effects import Effect
    from planner.errors import Blocked
    from planner.planning import make_plan
    from planner.store import approvals
    from planner.store import edits as edits_store
    from planner.store.project import utc_now
    from planner.waves.arrange import Draw

    numbered = edits_store.numbered(project, edits, audit.person())
    before = opened.stored.plan
    plan = make_plan(
        **opened.inputs,
        project=project.name,
        inventory_fingerprint=opened.at.fingerprint,
        created_at=utc_now(),
        last=before,
        frozen=under_way(project, opened.stored),
        edits=(*opened.edits, *numbered),
        standing=standing,
        draw=Draw(seed=before.seed or 0, effort=before.effort),
    )
    if name := disturbed(project, opened.stored, plan):
        raise Blocked(
            f"{name} is under way by now, and the edits would make another wave of it",
            f"take back what is of {name}, or go back first: wherry abort {name} --live",
        )
    stored = edits_store.add(project, numbered, opened.stored, plan)
    fingerprint = plan.fingerprint
    for edit in numbered:
        audit.note(
            project,
            Effect.EDIT_PLAN,
            f"plan {edit.act.value}",
            edit.did,
            {"edit": edit.number, "plan": stored.version, "fingerprint": fingerprint},
        )
    saved = tuple(replace(edit, saved=True) for edit in numbered)
    return Saved(saved, stored, approvals.ended(project, before, plan))


def figures(delta: Delta) -> dict[str, Any]:
    """Return how a score changes as it stands in documents."""
    return {
        "waves": delta.waves,
        "cut_share": round(delta.cut_share, 6),
        "stretch_gb": round(delta.stretch_gb, 6),
        "peak_share": round(delta.peak_share, 6),
    }


def spoken(delta: Delta) -> str:
    """Return how a score changes in words: ``cut +1.2 points, 30.5 GB more cross the line``."""
    parts = []
    if delta.waves:
        parts.append(f"waves {delta.waves:+d}")
    for what, change in (("traffic cut", delta.cut_share), ("peak", delta.peak_share)):
        if abs(change) >= 0.0005:
            parts.append(f"{what} {change * 100:+.1f} points")
    if abs(delta.stretch_gb) >= 0.05:
        parts.append(f"{delta.stretch_gb:+,.1f} GB across the line")
    return ", ".join(parts) or "the score stays as it is"


def plan_named(project: Project, version: int | None) -> tuple[int, Plan]:
    """Return a plan by version, the newest when None; raises NotFound."""
    from planner.store import plans

    stored = plans.latest(project) if version is None else plans.get(project, version)
    return stored.version, stored.plan
