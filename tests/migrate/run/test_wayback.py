"""The way back entry by entry is the way back as it is defined, on any runbook, in any order of undoing."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from migrate.run.runbook import Phase, Runbook, Step
from migrate.run.wayback import UNDONE_PHASES, WayBack
from planner.effects import Effect


@st.composite
def runbooks(draw: st.DrawFn) -> Runbook:
    steps: list[Step] = []
    for number in range(draw(st.integers(1, 14))):
        before = [step.id for step in steps]
        needs = draw(st.lists(st.sampled_from(before), unique=True, max_size=3)) if before else []
        phase = draw(st.sampled_from([Phase.REPLICATE, Phase.CUTOVER]))
        undoable = draw(st.booleans())
        steps.append(Step(f"s{number}", "stop", "", "", phase, Effect.LIVE, tuple(needs), {}, undoable))
    return Runbook("W01", "f", tuple(steps))


def due(runbook: Runbook, way: str, left: set[str]) -> list[str]:
    """Return what may be undone now, by the definition, from scratch."""
    clear: dict[str, bool] = {}
    found = []
    for step in reversed(runbook.steps):
        free = all(clear[user] for user in runbook.dependents[step.id])
        touched = step.phase in UNDONE_PHASES[way] and step.undoable and step.id in left
        clear[step.id] = free and not touched
        if free and touched:
            found.append(step.id)
    return found


@settings(max_examples=150, deadline=None)
@given(runbooks(), st.sampled_from(["rollback", "abort"]), st.data())
def test_it_is_the_definition(runbook: Runbook, way: str, data: st.DataObject) -> None:
    left = set(data.draw(st.lists(st.sampled_from([step.id for step in runbook.steps]), unique=True)))
    back = WayBack.begin(runbook, way, left.__contains__)
    while wanted := due(runbook, way, left):
        assert [runbook.steps[position].id for position in reversed(back.due)] == wanted
        undone = data.draw(st.sampled_from(wanted))
        left.discard(undone)
        back.undone(undone)
    assert back.due == []
