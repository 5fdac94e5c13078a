"""What a person does to a run under way: hold it, try again, pass over, say a word at a gate.

The verbs and 7 Cutover call the same functions; each looks at the record itself before it acts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from migrate.gates.words import Verdict
    from migrate.probes.now import Asked
    from migrate.run.history import History
    from migrate.run.runbook import Step
    from migrate.run.store import Run
    from planner.store.project import Project


@dataclass(frozen=True, slots=True)
class Held:
    """A wave that was asked to stop; ``waits`` says that it stood at its go gate, kept up to date."""

    wave: str
    waits: bool


@dataclass(frozen=True, slots=True)
class TriedAgain:
    """Steps that are tried again; ``driven`` says that a process does so at once."""

    run: Run
    history: History
    steps: tuple[Step, ...]
    driven: bool


def pause(project: Project, wave: str) -> Held:
    """Ask the process that drives a wave to stop at the next edge; raises NotFound, Blocked for none."""
    from migrate.run import controls, cycles
    from migrate.run import store as runs
    from migrate.run.waves import find_wave
    from planner.errors import Blocked

    found = find_wave(project, wave)
    planned = found.wave
    waits = found.history is not None and cycles.waits_for_go(found.history)
    if not waits and not runs.is_held(project, planned.name):
        raise Blocked(
            f"no process drives {planned.name}, so there is nothing to pause", "see 'wherry status'"
        )
    controls.ask_to_pause(project, planned.name)
    return Held(planned.name, waits)


def retry(project: Project, run: Run, history: History, step: str = "") -> TriedAgain:
    """Ask for another try at a step, or at all that failed; raises NotFound, Blocked, ProjectBusy."""
    from migrate.run import levers
    from migrate.run import store as runs
    from migrate.run.actions import waits
    from planner.errors import Blocked

    chosen = [history.runbook.step(step)] if step else levers.failed(history)
    driven = runs.is_held(project, run.wave)
    if driven and not step:
        chosen = [one for one in chosen if waits(history, one.id)]
    if not chosen:
        raise Blocked(f"no step of {run.wave} failed", f"see 'wherry run show {run.wave}'")
    if driven:
        levers.hurry(project, run, history, chosen)
    else:
        for one in chosen:
            levers.retry(project, run, history, one)
    return TriedAgain(run, history, tuple(chosen), driven)


def skip(project: Project, run: Run, history: History, step: str, reason: str, live: bool) -> Step:
    """Pass a step over, or only look whether it may be; raises NotFound, BadInput, Blocked, ProjectBusy."""
    from migrate.run import levers

    one = history.runbook.step(step)
    levers.check_skip(history, one, reason)
    if live:
        levers.skip(project, run, history, one, reason)
    return one


def ask_probe(project: Project, wave: str, step: str) -> Asked:
    """Ask the probe of a step once, now, beside the run; raises NotFound, BadInput, Blocked."""
    from migrate.probes.now import ask_now, probe_of_step

    (asked,) = ask_now(project, [probe_of_step(project, wave, step)])
    return asked


def check_word(
    project: Project, run: Run, history: History, gate: str, verdict: Verdict, ticket: str, reason: str
) -> Step:
    """Return a gate at which this word may be said now; raises NotFound, BadInput, Blocked."""
    from migrate.gates import seeing, words
    from migrate.gates.saying import check_word as check

    step = seeing.gate_of(history, gate)
    check(project, run, history, step, verdict, ticket)
    words.check_text(ticket.strip(), reason.strip())
    return step


def say(
    project: Project, run: Run, history: History, gate: str, verdict: Verdict, ticket: str, reason: str
) -> None:
    """Say a word at a gate, once more looked at; raises NotFound, BadInput, Blocked."""
    from migrate.gates import words

    step = check_word(project, run, history, gate, verdict, ticket, reason)
    words.say(project, run, step.id, verdict, ticket, reason)
