"""All kinds of deviations: each is looked for in every run, and what is found is a sentence."""

from __future__ import annotations

from collections.abc import Callable

from migrate.papers.deviations import people, steps, times
from migrate.papers.deviations.found import Found
from migrate.papers.moments import Moments
from planner.names import visible
from planner.run_report import Deviation

KINDS: dict[str, Callable[[Moments], Found]] = {
    "stop forced": steps.forced,
    "step failed": steps.failed,
    "step tried again": steps.tried_again,
    "another try asked for": people.retries,
    "step interrupted": steps.interrupted,
    "outcome asked of the site": steps.asked_of_the_site,
    "site could not be asked": steps.not_to_be_asked,
    "step held up by somebody else": steps.held_up,
    "snapshot given up": steps.given_up,
    "foreign snapshot overlooked": people.overlooked,
    "step passed over by a person": steps.passed_over,
    "optional probe or hook failed": steps.optional_failed,
    "power changed by hand": steps.by_hand,
    "human step": people.human_steps,
    "comparison instead of a delta": steps.compared,
    "transfer resumed": steps.resumed,
    "seed not brought in": steps.not_brought_in,
    "comparison failed at first": steps.differed,
    "disk repaired": people.repairs,
    "disk left out by decision": steps.left_out,
    "written after the last copy": steps.written_late,
    "evidence recovered": steps.recovered,
    "outside the window": times.outside_window,
    "phase longer than planned": times.long_phases,
    "outage longer than planned": times.long_outages,
    "commit window overrun": times.long_window,
    "copy older than approved": times.old_copies,
    "cycle late": times.late_cycles,
    "gate held or refused": people.against,
    "gate passed by policy": people.by_policy,
    "word or approval on another plan": people.other_plan,
    "word without an audit line": people.unwitnessed,
    "rolled back or aborted": people.turned_back,
    "run paused": people.pauses,
    "settings changed": people.levers,
    "finding waived": people.waived,
    "not rehearsed as it is": people.unrehearsed,
}


def deviations(told: Moments) -> tuple[Deviation, ...]:
    """Return all that is found, in the order of time; what has none comes first."""
    found = [
        Deviation(kind=kind, at=one.at, step=one.step, said=visible(one.said))
        for kind, look in KINDS.items()
        for one in look(told)
    ]
    return tuple(sorted(found, key=lambda one: one.at))


def not_looked_for(told: Moments) -> tuple[str, ...]:
    """Return what the record cannot tell."""
    said = [
        "who used a VM at the target before commit: nobody counts who connects",
    ]
    if any(one.number not in (0, 1) for one in told.cycles):
        said.append("failed attempts of cycles before the newest whole one: only whole ones are kept")
    if told.recovered:
        said.append("what went wrong before the record was lost: its evidence is lost")
    return tuple(said)
