"""Who stands at the gates of a run: asks the rules, what people said, and the clock, each time anew."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from migrate.gates import words
from migrate.gates.asking import ask
from migrate.gates.opening import Open, newest
from migrate.gates.words import Person, Verdict

if TYPE_CHECKING:
    from migrate.run.history import History
    from migrate.run.means import Means
    from migrate.run.runbook import Step
    from migrate.run.store import Run
    from planner.store.project import Project


class Gatekeeper:
    """The gates of one run. ``speaks_for`` are those that the person's verb says yes to."""

    def __init__(
        self,
        project: Project,
        run: Run,
        history: History,
        means: Means,
        speaks_for: Collection[str],
        verb: str,
    ) -> None:
        self._project = project
        self._run = run
        self._history = history
        self._means = means
        self._speaks_for = speaks_for if means.speaks else ()
        self._verb = verb

    def opens(self, gate: Step) -> dict[str, Any] | None:
        """Return with what evidence a gate is open now, None when it is shut."""
        if gate.id in self._speaks_for and not self._said(gate):
            by = Person(self._means.uid, self._means.who)
            words.say(self._project, self._run, gate.id, Verdict.APPROVE, self._means.ticket, by=by)
        found = ask(self._project, self._run, self._history, gate, datetime.now(UTC))
        return {**found.evidence, "verb": self._verb} if isinstance(found, Open) else None

    def _said(self, gate: Step) -> bool:
        """Return whether this person's last word at the gate is a yes, with the ticket given now, if any."""
        said = newest(gate, words.of(self._project, self._run.id, gate.id), self._run.fingerprint)
        return any(
            word.uid == self._means.uid
            and word.verdict is Verdict.APPROVE
            and self._means.ticket in ("", word.ticket)
            for word in said
        )
