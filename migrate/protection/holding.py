"""One member of a group through one checkpoint: brought to rest, frozen, looked at, let go.

    prepare (before hook) ─▶ freeze (agent) ─▶ look (agent, check hook) ─▶ release (agent, after hook)

What it reached is what was confirmed last. An answer that did not come, or came too late, confirms
nothing; a thaw that finds nothing frozen says that somebody else thawed before.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from migrate.protection.agent import Agent, AgentFailed
from migrate.protection.hooks import HookEnd, Purpose, Sessions, end_leftovers, run_hook
from migrate.protection.policy import Member
from migrate.protection.stopping import Stop
from migrate.sites.consistency import Consistency, at_least, lowest

_READY_S = 5.0  # an agent that is well answers in milliseconds
_TRY_S = 5.0
_PAUSE_S = 0.25
THAW_S = 600.0  # a guest that does not thaw is tried for so long


@dataclass(frozen=True, slots=True)
class Found:
    """What a member reached and ``why`` not more; ``complaint`` is what went wrong with letting it go.

    ``held_s`` is for how long its writes waited. One that ``may_be_held`` did not confirm that it goes on.
    """

    name: str
    consistency: Consistency
    why: str = ""
    complaint: str = ""
    held_s: float = 0.0
    may_be_held: bool = False


class Holding:
    """Holds one member, a step in one thread after the other; ``on_held`` hears when its writes may wait.

    Each step goes on until ``stop`` is said, or a moment of ``time.monotonic``, and raises nothing.
    """

    def __init__(
        self, member: Member, purpose: Purpose, hook_limit_s: float, on_held: Callable[[], None]
    ) -> None:
        self.member = member
        self._purpose = purpose
        self._hook_limit_s = hook_limit_s
        self._on_held = on_held
        self._agent: Agent | None = None
        self._hooked = False  # its before hook was started
        self._sessions: Sessions | None = None  # what that left running, once it said that it holds
        self._sent = False  # the word that freezes was sent
        self._frozen = 0
        self._reached = member.worth if member.is_held else Consistency.CRASH
        self._why = "" if member.is_held else "nothing holds it"
        self._complaints: list[str] = []
        self._lock = threading.Lock()  # what one thread lowers no other raises again
        self.held_at: float | None = None
        self._let_go_at: float | None = None

    @property
    def found(self) -> Found:
        """What is known of it now."""
        held_s = 0.0
        if self.held_at is not None:
            held_s = (self._let_go_at or time.monotonic()) - self.held_at
        may_be_held = bool(self._complaints) or (self.held_at is not None and self._let_go_at is None)
        complaint = "; ".join(self._complaints)
        return Found(self.member.name, self._reached, self._why, complaint, held_s, may_be_held)

    def prepare(self, stop: Stop) -> None:
        """Run its before hook."""
        if not self.member.before:
            return
        self._hooked = True
        end = self._run("before", stop, self._hook_limit_s)
        if end.why:
            self._lower(self._without_hooks(), end.sentence("before"))
        else:
            self._held()
            self._sessions = Sessions(self._purpose)

    def freeze(self, until: float, stop: Stop) -> None:
        """Freeze its file systems."""
        if not self.member.agent:
            return
        self._agent = Agent(self.member.agent, stop)
        try:
            if self._agent.is_frozen(min(until, time.monotonic() + _READY_S)):
                self._lower(Consistency.CRASH, "somebody else holds it frozen")
                return
            self._sent = True
            self._held()
            self._agent.freeze()
            self._frozen = self._agent.frozen(until)
            if not self._frozen:
                self._lower(Consistency.CRASH, "none of its file systems could be frozen")
        except AgentFailed as error:
            self._lower(Consistency.CRASH, error.message)

    def look(self, until: float, stop: Stop) -> None:
        """Lower what it reached unless it is still held."""
        if self._agent is not None and self._frozen:
            self._agent.stop = stop
            try:
                if not self._agent.is_frozen(until):
                    self._lower(Consistency.CRASH, "it was thawed before the checkpoint was made")
            except AgentFailed as error:
                self._lower(Consistency.CRASH, error.message)
        if self._sessions is not None and not self._sessions.live:
            self._lower(
                self._without_hooks(),
                "what its before hook left running ended before the checkpoint was made",
            )
        if self.member.check and self._sessions is not None:
            end = self._run("check", stop, min(self._hook_limit_s, until - time.monotonic()))
            if end.why:
                self._lower(self._without_hooks(), end.sentence("check"))

    def lose(self, why: str) -> None:
        """It was not held until the checkpoint was made."""
        if self.member.is_held:
            self._lower(Consistency.CRASH, why)

    def release(self, stop: Stop) -> None:
        """Let it go, what was done last first. An agent is asked until it confirms, for ten minutes."""
        if self._sent:
            self._thaw(stop)
        elif self._agent is not None:
            self._agent.close()
        if self._hooked:
            self._after(stop)
        if not self._complaints:
            self._let_go_at = time.monotonic()

    def rescue(self, stop: Stop) -> None:
        """Let it go after somebody else held it and is gone: whatever that one may have begun."""
        self._sent, self._hooked = bool(self.member.agent), bool(self.member.before)
        if self._hooked:
            end_leftovers(self._purpose)  # a before hook that is under way would hold it later
        self.release(stop)

    def _after(self, stop: Stop) -> None:
        if self._sessions is not None:
            self._sessions.close()
        end = self._run("after", stop, self._hook_limit_s)
        end_leftovers(self._purpose)
        if end.why:
            self._complaints.append(end.sentence("after"))

    def _thaw(self, stop: Stop) -> None:
        agent = self._agent or Agent(self.member.agent, stop)
        agent.stop = stop
        give_up = time.monotonic() + THAW_S
        first = True
        try:
            while True:
                try:
                    if not agent.thaw(min(give_up, time.monotonic() + _TRY_S)) and self._frozen and first:
                        self._lower(Consistency.CRASH, "somebody else thawed it meanwhile")
                    return
                except AgentFailed as error:
                    first = False
                    self._lower(Consistency.CRASH, f"its thaw was not confirmed: {error.message}")
                    if _says_thawed(agent):
                        return
                    if stop.said or time.monotonic() >= give_up:
                        self._complaints.append(f"it was not thawed: {error.message}")
                        return
                    stop.wait(time.monotonic() + _PAUSE_S)
        finally:
            agent.close()

    def _held(self) -> None:
        if self.held_at is None:
            self.held_at = time.monotonic()
            self._on_held()

    def _without_hooks(self) -> Consistency:
        return Consistency.FILESYSTEM if self.member.agent else Consistency.CRASH

    def _run(self, hook: str, stop: Stop, limit_s: float) -> HookEnd:
        command: tuple[str, ...] = getattr(self.member, hook)
        return run_hook(command, self._purpose, max(0.0, limit_s), stop)

    def _lower(self, level: Consistency, why: str) -> None:
        with self._lock:
            if not self._why or not at_least(level, self._reached):
                self._why = f"{self._why}; {why}" if self._why else why
            self._reached = lowest((level, self._reached))


def _says_thawed(agent: Agent) -> bool:
    try:
        return not agent.is_frozen(time.monotonic() + _READY_S)
    except AgentFailed:
        return False
