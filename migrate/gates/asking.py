"""Gates of a run in the store: is one open now, by words, clock, and the policy of the approved plan.

Whoever drives a run asks each time it comes to a gate, so that nothing is passed on an old answer.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from migrate.gates import words
from migrate.gates.ending import ends_at
from migrate.gates.opening import Open, Shut, by_policy, standing
from migrate.run import store as runs
from migrate.run.actions import Wait, next_actions
from migrate.run.history import History
from migrate.run.runbook import COMMIT, Step
from migrate.run.store import RunKind
from planner.store import plans

if TYPE_CHECKING:
    from migrate.run.store import Run
    from planner.store.project import Project


def waiting(history: History) -> list[Step]:
    """Return the gates and human steps that a run waits at."""
    return [action.step for action in next_actions(history.runbook, history) if isinstance(action, Wait)]


def ask(
    project: Project, run: Run, history: History, step: Step, now: datetime, upto: int | None = None
) -> Open | Shut:
    """Return whether a gate of a run is open at ``now``, an aware time.

    ``upto`` is the last entry of the record that counts, and ``now`` then a past moment.
    """
    said = words.of(project, run.id, step.id, "" if upto is None else words.stamp(now))
    found = standing(step, said, now, run.fingerprint)
    if isinstance(found, Open) or step.id != COMMIT or step not in waiting(history):
        return found
    wave = plans.wave(project, run.plan, run.wave)
    if wave.conduct.ending.act != "commit" or run.kind is not RunKind.WAVE:
        return found
    ended_at = ends_at(project, run, wave.policies.commit_window_h, runs.ENDLESS if upto is None else upto)
    policy = by_policy(step, said, now, run.fingerprint, ended_at)
    return policy if isinstance(policy, Open) else found
