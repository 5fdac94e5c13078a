"""Changing calls, all of them: noted, sent at most once without knowing, and seen through.

    done? ─ yes ─▸ that's it
      │ no
    send ── answer ──▸ follow the task ── ended well ──▸ its result
      │                                └─ in a fault ──▸ Declined, NoSpace
      └── none (dropped, timeout, restart), or another task is in the way
            └──▸ wait for what runs at the object, then ask again from the top

An outcome that is unknown is so always asked for before anything is sent again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from migrate.sites.vsphere.calls import CallLog
from migrate.sites.vsphere.connection import Connection
from migrate.sites.vsphere.refusing import ended, kind_of, raised
from planner.errors import NoSpace, SiteRefused, Unreachable, WherryError
from planner.names import visible
from planner.sources.vcenter.paths import Kind
from planner.sources.vcenter.soap import Ref
from planner.sources.vcenter.values import text
from planner.units import show_duration

T = TypeVar("T")

SENDINGS = 3  # of one call whose outcome was asked for in between
LIMIT_S = 4 * 3600.0  # a consolidation of a large disk takes hours
GRACE_S = 10.0  # for what was sent and not answered: a busy vCenter may begin it late
_FIRST_POLL_S, _LONGEST_POLL_S = 0.05, 2.0
_RUNS = ("queued", "running")
_TASK = Kind("tasks", (), {"Task": ("info.state", "info.error", "info.result")})
_RUNNING = Kind("tasks", (), {"Task": ("info.state", "info.entity", "info.name")})
_RECENT = Kind("recent tasks", (), {"TaskManager": ("recentTask",)})
_IN_THE_WAY = frozenset({"TaskInProgress"})


class _Unknown(Exception):
    """Nobody knows whether a call was executed; ``error`` is what to say when that stays so."""

    def __init__(self, error: WherryError) -> None:
        super().__init__(str(error))
        self.error = error


@dataclass(frozen=True, slots=True)
class Act:
    """One call of a step: everything it changes is sent through here."""

    tasks: Tasks
    op: str
    call: str
    subject: str

    def run(
        self,
        target: Ref,
        method: str,
        *arguments: Any,
        done: Callable[[], T | None],
        limit_s: float = LIMIT_S,
    ) -> T | Any:
        """Call ``method`` of a managed object, ``PowerOnVM_Task``, and see its task through.

        ``done`` returns None as long as what is wanted is not so, else the result: it is asked before the
        call is sent at all, and whenever an answer is lost. Returns that, or the task's result as the
        property collector sends it (of a reference its id). Raises Declined, NoSpace, Unreachable.
        """
        return self.tasks.run(self, target, method, arguments, done, limit_s)

    @property
    def failed(self) -> str:
        """The clause that an error begins with: ``cannot power_on web-01``."""
        return f"{self.call.replace('_', ' ')} of {visible(self.subject, 80)} failed"


class Tasks:
    """Starts the tasks of one connection and follows them. For several threads."""

    def __init__(self, connection: Connection, log: CallLog) -> None:
        self.connection = connection
        self.log = log

    def act(self, call: str, subject: str, op: str) -> Act:
        """Note a call of a step and return what it acts through."""
        self.log.note(op, call, subject)
        return Act(self, op, call, subject)

    def run(
        self,
        act: Act,
        target: Ref,
        method: str,
        arguments: tuple[Any, ...],
        done: Callable[[], T | None],
        limit_s: float,
    ) -> T | Any:
        """Do what ``Act.run`` says."""
        unknown: WherryError | None = None
        for _ in range(SENDINGS):
            found = done()
            if found is not None:
                return found
            try:
                return self._follow(act, self._send(act, target, method, arguments), limit_s)
            except _Unknown as error:
                unknown = error.error
            except (SiteRefused, NoSpace):
                found = done()  # a refusal may mean that it is so already: an earlier sending of it came late
                if found is not None:
                    return found
                raise
            if isinstance(unknown, Unreachable):
                self.connection.sleep(GRACE_S)
            self._settle(target, method, limit_s)
        found = done()
        if found is not None:
            return found
        assert unknown is not None
        raise unknown

    def _send(self, act: Act, target: Ref, method: str, arguments: tuple[Any, ...]) -> Ref | None:
        """Send a call once and return its task, None for a method that has none."""
        from pyVmomi import vmodl

        connection = self.connection
        self.log.sent(method)
        try:
            task = connection.session.invoke(
                lambda _: getattr(connection.managed(target), method)(*arguments)
            )
        except Unreachable as error:
            raise _Unknown(error) from error
        except vmodl.MethodFault as fault:
            if kind_of(fault) in _IN_THE_WAY:
                raise _Unknown(raised(act.failed, fault)) from fault
            raise raised(act.failed, fault) from fault
        return Ref("Task", task._GetMoId()) if method.endswith("_Task") else None

    def _follow(self, act: Act, task: Ref | None, limit_s: float) -> Any:
        if task is None:
            return None
        connection, pause_s = self.connection, _FIRST_POLL_S
        begun = connection.clock()
        while True:
            item = connection.one(_TASK, task)
            if item is None:  # the vCenter came back without it
                raise _Unknown(
                    Unreachable(f"{act.failed}: {connection.shown} has lost its task", "try again")
                )
            state = text(item.values, "info.state")
            if state == "success":
                return item.values.get("info.result")
            if state == "error":
                error = ended(act.failed, item.values.get("info.error"))
                if getattr(error, "kind", "") in _IN_THE_WAY:
                    raise _Unknown(error)
                raise error
            if connection.clock() - begun > limit_s:
                raise Unreachable(
                    f"{act.failed}: its task still runs after {show_duration(limit_s)}",
                    "look at the task in vCenter; when it has ended, run the verb again",
                )
            connection.sleep(pause_s)
            pause_s = min(pause_s * 1.5, _LONGEST_POLL_S)

    def _settle(self, target: Ref, method: str, limit_s: float) -> None:
        """Wait until no task runs at ``target``, whoever began it; raises Unreachable after ``limit_s``."""
        connection, pause_s = self.connection, _FIRST_POLL_S
        manager = Ref("TaskManager", connection.session.content.taskManager._GetMoId())
        begun = connection.clock()
        while True:
            connection.sleep(pause_s)
            pause_s = min(pause_s * 1.5, _LONGEST_POLL_S)
            listed = connection.one(_RECENT, manager)
            ids = listed.values.get("recentTask", ()) if listed else ()
            recent = connection.read(_RUNNING, [Ref("Task", str(one)) for one in ids])
            if not any(_runs_at(item.values, target, method) for item in recent):
                return
            if connection.clock() - begun > limit_s:
                raise Unreachable(
                    f"a task of {connection.shown} runs for more than {show_duration(limit_s)}",
                    "look at the tasks in vCenter, then try again",
                )


def _runs_at(values: Any, target: Ref, method: str) -> bool:
    """Whether a task that is not over is of this object; one of no object counts by its method."""
    entity = text(values, "info.entity")
    mine = entity == target.id if entity else text(values, "info.name") == method
    return mine and text(values, "info.state") in _RUNS
