"""The end of a commit window: when it is, and what happens then by the approved plan's policy.

    alarm     (default) somebody is told, nothing ends by itself
    commit    the commit gate opens, unless somebody holds or refuses it
    rollback  the wave goes back, but only while the record knows of nobody who was let in

What the record cannot know: VMs have their networks from power-on. The policy ``rollback`` is for waves
whose users come in by a step of the runbook that opens the door.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from migrate.gates.opening import Open, Shut, by_policy, newest
from migrate.gates.words import Verdict, Word
from migrate.run import store as runs
from migrate.run.history import SETTLED, History
from migrate.run.runbook import COMMIT, Phase
from planner.names import visible

if TYPE_CHECKING:
    from migrate.run.store import Run
    from planner.conduct import Ending
    from planner.store.project import Project

_LETS_IN = frozenset({"human", "hook"})


def ends_at(project: Project, run: Run, hours: float, upto: int = runs.ENDLESS) -> datetime:
    """Return when the commit window of a run that waits for commit is over: so long after its last entry.

    ``upto`` is the last entry that counts, of a past moment.
    """
    return datetime.fromisoformat(runs.last_at(project, run, upto)) + timedelta(hours=hours)


def let_in(history: History, words: Sequence[Word] = ()) -> str:
    """Return what says that users were let in at the target, empty when the record knows of nothing.

    That is a program or a human step after the first start that was carried out, or an approval of
    commit: whoever gave it took the VMs over. ``words`` are those at the commit gate on this plan.
    """
    after: set[str] = set()
    for step in history.runbook.steps:
        if step.kind == "start" or not after.isdisjoint(step.needs):
            after.add(step.id)
        if step.id not in after or step.phase is not Phase.CUTOVER or step.kind not in _LETS_IN:
            continue
        if step.id.endswith("/address"):  # a person set addresses in a guest, and let nobody in
            continue
        if history.tried(step.id) or history.status[step.id] in SETTLED:
            return f"{visible(step.title)} was carried out"
    for word in words:
        if word.verdict is Verdict.APPROVE:
            return f"{visible(word.who)} approved of commit"
    return ""


def act_at_end(
    ending: Ending,
    history: History,
    words: Sequence[Word],
    fingerprint: str,
    ended_at: datetime,
    now: datetime,
) -> tuple[str, str]:
    """Return what the end of the window brings: ``alarm``, ``commit`` or ``rollback``, and why.

    ``words`` are all at the commit gate. Whatever stands against a policy makes it an alarm.
    """
    gate = history.runbook.step(COMMIT)
    if ending.act == "commit":
        match by_policy(gate, words, max(now, ended_at), fingerprint, ended_at):
            case Open():
                return "commit", "the approved plan commits at the end of the commit window"
            case Shut(reason):
                return "alarm", f"the approved plan commits now, and cannot: {reason}"
    if ending.act == "rollback":
        valid = newest(gate, words, fingerprint)
        if held := next((word for word in valid if word.verdict is Verdict.HOLD), None):
            return "alarm", f"the approved plan rolls back now, and {visible(held.who)} holds it"
        said = [word for word in words if word.fingerprint == fingerprint]
        if users := let_in(history, said):
            return "alarm", f"the approved plan rolls back now, and users may be in: {users}"
        return "rollback", "the approved plan rolls back at the end of the commit window"
    return "alarm", "the commit window is over"
