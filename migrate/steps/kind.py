"""What a step kind is, and what it is given to act with.

    plan    what acting would do, in words, without touching anything
    act     do it and return a result that goes into the record; raises WherryError
    verify  after a crash: did it happen? the result if yes, None if certainly not; raises
            Unreachable when the world cannot be asked
    undo    take it back; must be harmless when there is nothing (more) to take back
    held    of some kinds: what somebody else does there that is waited for before acting

``op`` is unique for one attempt at one step: sites stamp what they make with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from migrate.claims import Standing
from migrate.clock import Clock
from migrate.run.history import History
from migrate.run.runbook import Step
from migrate.sites.ports import FullSite
from migrate.transfers.ports import Histories, Keeps, Moving, Places, Transfers
from planner.errors import StepFailed

if TYPE_CHECKING:
    from migrate.steps.outside import Outside

Result = dict[str, Any]


@dataclass(slots=True)
class Context:
    """Everything a step may touch. ``history`` is read only.

    ``placing`` and ``outside`` are None in a world without bytes, ``histories`` where none is kept: on the
    way home, for instance. ``halted`` says that whoever only waits shall stop between two looks.
    """

    run: str
    wave: str
    source: FullSite
    target: FullSite
    transfers: Transfers
    keeper: Keeps
    clock: Clock
    history: History
    report: Callable[[Moving], None]
    placing: Places | None = None
    histories: Histories | None = None
    outside: Outside | None = None
    halted: Callable[[], bool] = lambda: False

    def result(self, step_id: str) -> Result:
        """Return what an earlier step left in the record, empty when it did not run."""
        return self.history.results.get(step_id, {})

    def need(self, step_id: str) -> Result:
        """Return what an earlier step left in the record; raises StepFailed when it was skipped."""
        if not (found := self.result(step_id)):
            raise StepFailed(f"step {step_id} was skipped and left nothing to go on with", "go back")
        return found

    def op(self, step: Step, attempt: int, way: str = "do") -> str:
        """Return the key of one attempt."""
        return f"{self.run}/{step.id}/{way}{attempt}"


class StepKind(Protocol):
    """One kind of step."""

    def plan(self, step: Step) -> str: ...
    def act(self, ctx: Context, step: Step, op: str) -> Result: ...
    def verify(self, ctx: Context, step: Step, op: str) -> Result | None: ...
    def undo(self, ctx: Context, step: Step, op: str) -> Result: ...


@runtime_checkable
class Holds(Protocol):
    """A kind of step that may have to wait although its turn has come."""

    def held(self, ctx: Context, step: Step) -> Result | None:
        """Return what is waited for (``why`` in words), None for nothing. Only looks."""
        ...


@runtime_checkable
class Takes(Protocol):
    """A kind of step that takes of what runs out at a site."""

    def takes(self, ctx: Context, step: Step) -> tuple[Standing, ...]:
        """Return what acting takes, and how much of that is taken now. Only looks; raises WherryError."""
        ...


class Repeatable:
    """Kinds that only read, or may simply be done again: nothing to ask after a crash or to undo."""

    def verify(self, ctx: Context, step: Step, op: str) -> Result | None:
        """Say that it did not happen, so that it is done (again)."""
        return None

    def undo(self, ctx: Context, step: Step, op: str) -> Result:
        """Do nothing: such a step leaves nothing behind."""
        return {}
