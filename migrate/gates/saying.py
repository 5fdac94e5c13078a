"""What may be said at a gate now: refused before anything is written when it could not count.

Go may be approved ahead of the gate; whoever says commit, or that a human step is done, has seen it wait.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate.gates import words
from migrate.gates.asking import waiting
from migrate.gates.opening import newest, rule_of
from migrate.gates.words import Verdict
from migrate.run.history import SETTLED, History, Mode
from migrate.run.runbook import GO, Step
from planner.errors import BadInput, Blocked
from planner.names import visible
from planner.ticket import matches

if TYPE_CHECKING:
    from migrate.run.store import Run
    from planner.store.project import Project


def check_word(
    project: Project, run: Run, history: History, gate: Step, verdict: Verdict, ticket: str
) -> None:
    """Raise Blocked when the gate takes no such word from this person now, BadInput for a wrong ticket."""
    title = visible(gate.title)
    if history.status[gate.id] in SETTLED:
        raise Blocked(f"{title} is passed", f"see 'wherry gate list {run.wave}'")
    if history.mode is not Mode.FORWARD:
        raise Blocked(f"{run.wave} is on its way back", "see 'wherry status'")
    if verdict is Verdict.RELEASE:
        uid = words.here().uid
        said = newest(gate, words.of(project, run.id, gate.id), run.fingerprint)
        mine = next((word for word in said if word.uid == uid), None)
        if mine is None or mine.verdict is Verdict.RELEASE:
            raise Blocked(
                f"{words.here().who} said nothing at {title} that could be taken back",
                "only the person who held or refused a gate releases it",
            )
    if verdict is Verdict.APPROVE:
        if gate.id != GO and gate not in waiting(history):
            raise Blocked(
                f"{run.wave} has not come to it: {title}", "approve it when 'wherry status' says so"
            )
        pattern = rule_of(gate).ticket
        if pattern and not matches(pattern, ticket.strip()):
            given = f"{visible(ticket)} is not a ticket like" if ticket else "no ticket was given, like"
            raise BadInput(f"{given} {visible(pattern)}", "add --ticket NUMBER")
