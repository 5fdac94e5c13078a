"""Remedies as people see them: the tasks of a wave, what a run would do, and how one ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.cli.output import data, line, say, table

if TYPE_CHECKING:
    from migrate.remedy_rehearsal import RemedyRehearsal
    from migrate.run.execute import Carried
    from migrate.run.runbook import Step
    from migrate.tasks import TaskStatus
    from planner.plan import Wave
    from planner.store.project import Project


def show_dry(project: Project, wave: Wave, only: str, with_outage: bool, undo: bool, as_json: bool) -> None:
    """List the tasks of a wave and what a live run would do; nothing is touched."""
    from migrate.tasks import wave_tasks
    from planner.errors import Blocked
    from tui.acts.ticking import told

    refused = ""
    steps: list[Step] = []
    try:
        steps = _steps(project, wave, only, with_outage, undo)
    except Blocked as error:
        refused = f"{error.message}: {error.hint}"
    tasks = wave_tasks(project, wave)
    if as_json:
        data(
            {
                "wave": wave.name,
                "live": False,
                "refused": refused,
                "effort_min": wave.effort_min,
                "outages": wave.outages,
                "tasks": [told(wave, item) for item in tasks],
                "steps": [{"id": s.id, "kind": s.kind, "title": s.title, "effect": s.effect,
                           "what": _what(s, undo)} for s in steps],
            }
        )  # fmt: skip
        return
    if not undo:
        _list(wave, tasks)
    if steps:
        line()
        table(
            ("no", "effect", "step", "what"),
            ((no, step.effect.value, step.title, _what(step, undo)) for no, step in enumerate(steps, 1)),
        )
    _say_next(wave, tasks, steps, with_outage, undo, refused)


def _steps(project: Project, wave: Wave, only: str, with_outage: bool, undo: bool) -> list[Step]:
    """Return what a live run would go through; raises Blocked when it may not."""
    from migrate.run.actions import Undo, next_actions
    from migrate.run.history import SETTLED, Entry, Event, Mode
    from migrate.run.remedy_intents import check_outage_back, intend_remedies, intend_take_back

    if not undo:
        intended = intend_remedies(project, wave.name, only=only, with_outage=with_outage)
        if intended is None:
            return []
        history = intended.history
        return [step for step in history.runbook.steps if history.status[step.id] not in SETTLED]
    going = intend_take_back(project, wave.name)
    check_outage_back(going, with_outage)
    steps: list[Step] = []
    for _, history in going:
        if history.mode is Mode.FORWARD:
            history.append(Entry("", Event.ROLLBACK))  # in memory only: what would come next
        while found := [a for a in next_actions(history.runbook, history) if isinstance(a, Undo)]:
            step, attempt = found[0].step, found[0].attempt
            history.append(Entry(step.id, Event.UNDO_INTENT, attempt))
            history.append(Entry(step.id, Event.UNDONE, attempt))
            steps.append(step)
    return steps


def _what(step: Step, undo: bool) -> str:
    from migrate.steps.kinds import KINDS

    return "undo" if undo else KINDS[step.kind].plan(step)


def _list(wave: Wave, tasks: tuple[TaskStatus, ...]) -> None:
    from planner.export.printout import task_how
    from planner.units import show_count, show_duration

    if not tasks:
        line(f"{wave.name} has no tasks")
        return
    table(
        ("task", "due", "vm", "what", "owner", "min", "how", "state"),
        (
            (
                item.task.id,
                item.task.due or "–",
                wave.subject(item.task),
                item.task.title,
                item.task.owner or "–",
                item.task.effort_min,
                task_how(item.task),
                item.words,
            )
            for item in tasks
        ),
    )
    left = [item.task for item in tasks if not item.state.is_over]
    effort = show_duration(60 * sum(task.effort_min for task in left))
    outages = len({task.vm for task in left if task.outage})
    count = show_count(outages, "VM")
    line(f"{len(left)} of {show_count(len(tasks), 'task')} left: {effort} of work, {count} with an outage")


def _say_next(
    wave: Wave, tasks: tuple[TaskStatus, ...], steps: list[Step], with_outage: bool, undo: bool, refused: str
) -> None:
    if refused:
        say(f"dry: nothing was done. It would be refused now: {refused}")
        return
    more = " --undo" if undo else ""
    more += " --with-outage" if with_outage else ""
    if steps:
        say(f"dry: nothing was done. To do these {len(steps)} steps: wherry remedy {wave.name}{more} --live")
    elif tasks:
        say("dry: nothing was done. Nothing of it is left for wherry to do itself")
    down = not with_outage and any(
        item.task.fix and item.task.outage and wave.vm(item.task.vm).powered_on and not item.state.is_over
        for item in tasks
    )
    if down and not undo:
        say("tasks that take a VM down are left out without --with-outage")


def conclude(project: Project, wave: Wave, carried: tuple[Carried, ...], undo: bool, as_json: bool) -> int:
    """Say how it ended and what to do next; return the exit code."""
    from migrate.tasks import wave_tasks
    from planner.names import visible
    from tui.acts.ticking import told

    code, state, hint = _verdict(carried, undo, _on(project, wave))
    left = [item for item in wave_tasks(project, wave) if not item.state.is_over]
    if as_json:
        data({"wave": wave.name, "state": state, "next": hint, "runs": [item.run.id for item in carried],
              "left": [told(wave, item) for item in left]})  # fmt: skip
        return code
    line(f"{wave.name}: {state}")
    for item in left if not undo else ():
        line(f"  left: {item.task.id} {visible(wave.subject(item.task))}: {visible(item.task.title)}"
             f" ({visible(item.words)})")  # fmt: skip
    say(f"next: {visible(hint)}")
    return code


def _on(project: Project, wave: Wave) -> str:
    """Return what comes after remedies: a look at the estate, which a lab's inventory is not read from."""
    from planner.store import settings as settings_store

    sites = settings_store.load(project).sites.values()
    if any(site.role == "source" and site.url.startswith("lab:") for site in sites):
        return f"wherry replicate {wave.name}; nothing is discovered from a lab, so the tasks count as done"
    return "wherry discover, then wherry plan: what the source says last is what counts"


def _verdict(carried: tuple[Carried, ...], undo: bool, on: str) -> tuple[int, str, str]:
    """Return exit code, state and what is next; ``on`` is what comes when all is done."""
    from migrate.run.history import Status
    from planner.errors import Blocked, PartlyDone

    if not carried:
        return 0, "nothing is left for wherry to do itself", "do the rest by hand and tick it off with --done"
    last = carried[-1]
    if last.stopped.paused:
        return PartlyDone.exit_code, "paused", "give the same verb again; it goes on where it was"
    if (step := last.stopped.decide) is not None:
        failure = last.history.failures.get(step.id, {})
        hint = f"{failure.get('hint', '')}; then the same verb goes on from there"
        return PartlyDone.exit_code, f"stopped at {step.title}: {failure.get('message', '')}", hint
    if undo:
        return 0, "its remedies are taken back", "wherry remedy does them again"
    fixes = [step.id for step in last.history.runbook.steps if "tasks" in step.params]
    over = sum(last.history.status[step] is Status.SKIPPED for step in fixes)
    if over == len(fixes):
        return Blocked.exit_code, "no remedy could be done", "clear what each one said, then run it again"
    if over:
        said = f"{len(fixes) - over} of {len(fixes)} remedies are done"
        return PartlyDone.exit_code, said, "clear what the others said, then run it again"
    done = "1 remedy is done" if len(fixes) == 1 else f"{len(fixes)} remedies are done"
    return 0, done, on


def show_rehearsal(report: RemedyRehearsal) -> None:
    """Print the report of a rehearsal."""
    from planner.names import visible
    from planner.units import show_duration

    what = ", ".join(f"{count} {outcome}" for outcome, count in report.outcomes.items())
    line(f"{report.wave}: {report.runs} runs of {report.steps} steps on the twin: {what}")
    rows = [("all remedies", report.total), ("longest outage", report.down)]
    table(
        ("part", "p50", "p95"),
        [(name, show_duration(took.p50), show_duration(took.p95)) for name, took in rows if took],
    )
    for title, count in report.passed_over.items():
        line(f"  passed over: {visible(title)} in {count} runs")
    say("times are modelled; what is touched: nothing")
