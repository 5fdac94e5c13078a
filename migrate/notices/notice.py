"""One notice, and what an order's end makes people be told."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from planner.names import visible
from planner.store.project import utc_now

if TYPE_CHECKING:
    from migrate.run.execute import Carried
    from planner.errors import WherryError
    from planner.settings_notices import About


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that people are told: what it is about, the wave, one sentence, and what to do."""

    about: About
    project: str
    wave: str
    text: str
    hint: str
    at: str

    def as_json(self) -> dict[str, Any]:
        """Return it as a webhook gets it."""
        return {"schema": "wherry.notice/1", **asdict(self)}


def of_end(project: str, carried: Carried) -> Notice:
    """Return what is told when a run came back."""
    from migrate.run.actions import Outcome
    from migrate.run.store import RunKind

    stopped, wave = carried.stopped, carried.run.wave
    if carried.run.kind is RunKind.REMEDY and stopped.decide is None:
        back = stopped.outcome is Outcome.ROLLED_BACK
        came = "were paused" if stopped.paused else "are taken back" if back else "are done"
        return _notice("outcome", project, wave, f"the remedies of {wave} {came}", f"wherry remedy {wave}")
    look = f"wherry status {wave}"
    if stopped.decide is not None:
        failure = carried.history.failures.get(stopped.decide.id, {})
        said = f"{wave} failed at {stopped.decide.title}: {failure.get('message', '')}"
        return _notice("failure", project, wave, said, str(failure.get("hint") or look))
    if stopped.outcome is not None:
        return _notice("outcome", project, wave, f"{wave} is {stopped.outcome.value}", "wherry export")
    if stopped.gate is not None:
        said = f"{wave} waits: {stopped.gate.title}"
        return _notice("gate", project, wave, said, f"wherry gate list {wave}")
    return _notice("outcome", project, wave, f"{wave} was paused", look)


def of_error(project: str, wave: str, error: WherryError) -> Notice:
    """Return what is told when an order was refused or failed."""
    return _notice("failure", project, wave, f"{wave}: {error.message}", error.hint)


def of_alarm(project: str, wave: str, why: str) -> Notice:
    """Return what is told when time came and a person is needed."""
    return _notice("alarm", project, wave, f"{wave}: {why}", f"wherry gate list {wave}")


def _notice(about: About, project: str, wave: str, text: str, hint: str) -> Notice:
    return Notice(about, visible(project), visible(wave), visible(text, 500), visible(hint, 300), utc_now())
