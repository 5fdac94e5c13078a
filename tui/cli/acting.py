"""What the verbs that act on a wave share: dry by default, the wave's name typed, narration."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.cli.options import Command, json_option, open_project, project_option
from tui.cli.output import data, line, say, table

if TYPE_CHECKING:
    from migrate.run.driver import Told
    from migrate.run.execute import Carried, Intended, Onlooker, Purpose
    from migrate.run.history import Status
    from migrate.run.runbook import Step
    from planner.plan import Wave
    from planner.store.project import Project
    from tui.cli.progress import Bar


def acting(function: Command) -> Command:
    """Add WAVE, --live, --confirm, --project and --json."""
    confirm = click.option("--confirm", metavar="WAVE", help="The wave's name again, instead of typing it.")
    live = click.option("--live", is_flag=True, help="Really do it; without this it is only said.")
    named = click.argument("wave")
    options: list[Callable[[Command], Command]] = [json_option, project_option, confirm, live, named]
    for option in options:
        function = option(function)
    return function


def act(
    purpose: Purpose,
    wave: str,
    live: bool,
    confirm: str | None,
    project_dir: Path,
    as_json: bool,
    seed_from: Path | None = None,
    ticket: str = "",
) -> int:
    """Say what the verb would do, or with ``live`` do it; return the exit code."""
    from migrate.run.execute import concerned
    from tui.cli.ordering import carry

    with open_project(project_dir) as project:
        planned = concerned(project, wave, purpose)
        if not live:
            _dry(project, planned, purpose, as_json, seed_from)
            return 0
        confirm_live(planned.name, confirm, purpose.value)
        from tui.cli.progress import Bar

        with Bar() as bar:
            carried = carry(project, planned.name, purpose, onlooker(bar), seed_from, ticket)
        return _conclude(carried, _shut(project, purpose, carried), as_json)


def confirm_live(wave: str, confirm: str | None, verb: str, what: str = "the wave's name") -> None:
    """Have the wave's name typed, or ``what`` else; raises BadInput when it is another or nobody types."""
    from planner.errors import BadInput

    if confirm is None:
        if not sys.stdin.isatty():
            raise BadInput(f"{verb} {wave} is live and was not confirmed", f"add --confirm {wave}")
        try:
            confirm = click.prompt(f"This is live. Type {wave} to {verb}", err=True)
        except click.Abort:
            say("\nnothing was done")
            raise click.exceptions.Exit(130) from None
    if confirm.strip() != wave:
        raise BadInput(f"{confirm!r} is not {what}, nothing was done", f"type {wave}")


def _dry(project: Project, wave: Wave, purpose: Purpose, as_json: bool, seed_from: Path | None) -> None:
    """List the steps that the verb would take from where the wave stands; refuse what it would refuse."""
    from migrate.run.execute import Purpose, intend
    from migrate.run.history import Status
    from migrate.run.rounds import next_round, round_of
    from migrate.run.runbook import GO

    intended = intend(project, wave.name, purpose, seed_from)
    history = intended.history
    runbook = history.runbook
    more = purpose in (Purpose.REPLICATE, Purpose.REVERSE)
    if more and (number := next_round(history)) is not None:
        runbook = runbook.with_cycle(GO, round_of(intended.kind, wave, number, history))
    back = purpose in (Purpose.ROLLBACK, Purpose.ABORT)
    wanted = [
        step
        for step in (reversed(runbook.steps) if back else runbook.steps)
        if _concerns(step, purpose, history.status.get(step.id, Status.PENDING), history.tried(step.id))
    ]
    _list(wanted, back, wave.name, purpose, _missing(project, intended), as_json)
    if not as_json and purpose is Purpose.COMMIT and intended.home is None and wave.conduct.ending.reverse:
        say("then the engine protects it at its source, in a journal that keeps what was committed")


def _missing(project: Project, intended: Intended) -> str:
    """Return what a live run would be refused for now, empty when nothing is seen without asking a site."""
    from migrate.run.execute import check_approved
    from planner.errors import Blocked
    from planner.store import settings

    try:
        if intended.run is None and intended.home is None:
            check_approved(project, intended)
    except Blocked as error:
        return f"{error.message}: {error.hint}"
    lacking = {"source", "target"} - {site.role for site in settings.load(project).sites.values()}
    if lacking:
        roles = " and no ".join(sorted(lacking))
        return f"the project has no {roles} site: see 'wherry site add', or try it with 'wherry lab build'"
    return ""


def _concerns(step: Step, purpose: Purpose, status: Status, tried: bool) -> bool:
    """Return whether the verb would act on a step: undo what was begun, or do what is not done."""
    from migrate.run.execute import Purpose
    from migrate.run.history import SETTLED, Status
    from migrate.run.runbook import Phase

    reach = {
        Purpose.REPLICATE: (Phase.REPLICATE,),
        Purpose.CUTOVER: (Phase.REPLICATE, Phase.CUTOVER),
        Purpose.COMMIT: (Phase.COMMIT,),
        Purpose.ROLLBACK: (Phase.CUTOVER,),
        Purpose.ABORT: (Phase.REPLICATE,),
        Purpose.REVERSE: (Phase.REPLICATE,),
        Purpose.FAILBACK: (Phase.REPLICATE, Phase.CUTOVER),
    }[purpose]
    if step.phase not in reach:
        return False
    if purpose in (Purpose.ROLLBACK, Purpose.ABORT):
        return step.undoable and tried and status is not Status.UNDONE
    return status not in SETTLED


def _list(steps: list[Step], back: bool, wave: str, purpose: Purpose, missing: str, as_json: bool) -> None:
    from migrate.run.runbook import HUMAN
    from migrate.steps.kinds import KINDS
    from planner.names import visible

    def what(step: Step) -> str:
        if back and step.kind != "hook":
            return "undo"
        if step.kind == HUMAN:
            return f"a person: {visible(step.params['says'])}"
        return (
            f"the word of a person: wherry {purpose.value}" if step.is_gate else KINDS[step.kind].plan(step)
        )

    if as_json:
        data({"wave": wave, "verb": purpose.value, "live": False, "missing": missing,
              "steps": [{"id": s.id, "kind": s.kind, "title": s.title, "effect": s.effect, "what": what(s)}
                        for s in steps]})  # fmt: skip
        return
    if steps:
        table(("no", "effect", "step", "what"), (
            (number, step.effect.value, step.title, what(step)) for number, step in enumerate(steps, 1)
        ))  # fmt: skip
    count = (
        f"these {len(steps)} steps" if len(steps) > 1 else "this step" if steps else "it (no step is left)"
    )
    verb = f"replicate {wave} --reverse" if purpose.value == "reverse" else f"{purpose.value} {wave}"
    say(f"dry: nothing was done. To do {count}: wherry {verb} --live")
    if missing:
        say(f"it would be refused now: {missing}")


def onlooker(bar: Bar) -> Onlooker:
    """Return the narrator of a run: a line a step, and the bar."""
    from migrate.run.execute import Onlooker
    from tui.cli.transfers import Transfers

    transfers, say_step = Transfers(bar), _teller(bar)

    def tell(told: Told) -> None:
        transfers.told(told)
        say_step(told)

    return Onlooker(tell=tell, report=transfers.report)


def _teller(bar: Bar) -> Callable[[Told], None]:
    """Return a narrator: one line a step, when it ends."""
    from migrate.papers.evidence import evidence, undo_evidence
    from migrate.run.history import Event
    from migrate.waiting import rests
    from planner.names import visible

    def tell(told: Told) -> None:
        step, detail = told.step, told.detail
        match told.event:
            case Event.INTENT:
                bar.begin(step.title)
                return
            case Event.UNDO_INTENT:
                bar.begin(f"undo {step.title}")
                return
            case Event.DONE | Event.APPROVED:
                mark, said = "✔", evidence(step.kind, detail)
                if detail.get("asked"):
                    mark, said = "✔", "had happened before the interruption, not repeated"
            case Event.UNDONE:
                mark, said = "↶", undo_evidence(step.kind, detail)
            case Event.NOT_DONE:
                mark, said = "…", "had not happened before the interruption"
            case Event.SKIPPED:
                mark, said = "·", "passed over, the others go on"
            case Event.HELD:
                mark, said = "…", visible(f"waits for {detail['why']}, and then goes on by itself")
            case Event.WATCHED:
                mark, said = "…", visible(detail["why"]) or "young enough again, with room enough"
            case Event.GIVEN_UP:
                mark, said = "…", visible(f"{detail['why']}: given up, what reads it stops and it is removed")
            case Event.FAILED | Event.UNDO_FAILED | Event.UNKNOWN:
                again = rests(detail)
                mark = "…" if again else "✖"
                said = visible(f"{detail['message']} ({detail['hint']})") + (f"; {again}" if again else "")
            case _:
                mark, said = "·", told.event.value
        bar.end()
        bar.say(f"  {mark} {step.title}" + (f"  {said}" if said else ""))

    return tell


def _shut(project: Project, purpose: Purpose, carried: Carried) -> str:
    """Return what a gate still needs although the verb said yes to it, empty when that is not so."""
    from datetime import UTC, datetime

    from migrate.gates.asking import ask
    from migrate.gates.opening import Shut
    from migrate.run.execute import OPENS

    gate = carried.stopped.gate
    if gate is None or gate.id not in OPENS[purpose]:
        return ""
    found = ask(project, carried.run, carried.history, gate, datetime.now(UTC))
    return ", ".join(found.missing) if isinstance(found, Shut) else ""


def _conclude(carried: Carried, shut: str, as_json: bool) -> int:
    """Say how it stopped and what to do next; return the exit code."""
    verdict = _verdict(carried)
    if shut:
        hint = f"the engine goes on when the gate opens; see 'wherry gate list {carried.run.wave}'"
        verdict = _Verdict(4, verdict.state, hint, f"the gate needs {shut}")
    if as_json:
        data({"wave": carried.run.wave, "run": carried.run.id, "state": verdict.state,
              "why": verdict.why, "next": verdict.hint,
              "steps_done": len(carried.history.results),
              "steps": len(carried.history.runbook.steps)})  # fmt: skip
    else:
        line(f"{carried.run.wave}: {verdict.state}")
        if verdict.why:
            say(f"why:  {verdict.why}")
        say(f"next: {verdict.hint}")
    return verdict.code


@dataclass(frozen=True, slots=True)
class _Verdict:
    """How it stopped, for a script and for a person."""

    code: int
    state: str
    hint: str
    why: str = ""


def _verdict(carried: Carried) -> _Verdict:
    from migrate.run.actions import Outcome
    from migrate.run.runbook import GO, HUMAN
    from migrate.run.store import RunKind
    from planner.names import visible

    stopped, wave = carried.stopped, carried.run.wave
    home = carried.run.kind is RunKind.FAILBACK
    if stopped.outcome is not None:
        failed_back = home and stopped.outcome is Outcome.COMMITTED
        return _Verdict(
            0, "failed back" if failed_back else stopped.outcome.value, "wherry export, wherry status"
        )
    if stopped.decide is not None:
        return _failed(carried, stopped.decide)
    if stopped.paused:
        return _Verdict(4, "paused", "give the same verb again; it goes on where it was")
    assert stopped.gate is not None
    if stopped.gate.kind == HUMAN:
        hint = f"do it, then wherry gate approve {wave} {stopped.gate.id} --live, and the same verb again"
        return _Verdict(
            0, f"waits for a person: {stopped.gate.title}", hint, visible(stopped.gate.params["says"])
        )
    if stopped.gate.id == GO and home:
        hint = f"wherry replicate {wave} --reverse --live again, or wherry failback {wave} --live"
        return _Verdict(0, "reverse protected", hint)
    if stopped.gate.id == GO:
        return _Verdict(0, "in sync, waits for its cutover", f"wherry cutover {wave} --live")
    hint = f"wherry commit {wave} --live, or wherry rollback {wave} --live"
    return _Verdict(0, f"runs at the {'source' if home else 'target'}, waits for commit", hint)


def _failed(carried: Carried, step: Step) -> _Verdict:
    """Say what a step that failed for good means: nothing done yet is a refusal, else partly done."""
    from migrate.run.history import Mode
    from migrate.run.runbook import Phase
    from planner.effects import Effect
    from planner.errors import Blocked, PartlyDone
    from planner.names import visible

    history, wave = carried.history, carried.run.wave
    failure = history.failures.get(step.id, {})
    acted = any(history.tried(other.id) for other in history.runbook.steps if other.effect is not Effect.VIEW)
    code = PartlyDone.exit_code if acted else int(failure.get("exit_code", Blocked.exit_code))
    back = {Phase.REPLICATE: "abort", Phase.CUTOVER: "rollback"}.get(step.phase, "")
    on = "the same verb goes on from there"
    if back and history.mode is Mode.FORWARD:
        on += f", or go back: wherry {back} {wave} --live"
    hint = f"{failure['hint']}; then {on}" if failure.get("hint") else on
    return _Verdict(code, f"stopped at {step.title}", visible(hint), visible(failure.get("message", "")))
