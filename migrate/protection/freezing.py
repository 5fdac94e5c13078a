"""A checkpoint under a policy: everybody held, the checkpoint made, everybody let go, and an honest label.

    arm the watchdog ─▶ before hooks ─▶ freezes ─▶ insert ─▶ still held? ─▶ thaws ─▶ after hooks

The label is decided last: it says what held from before the checkpoint until after it, by the answers
of those who were held. Until then a checkpoint is worth what one is after a crash.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from migrate.protection.guard import Guard
from migrate.protection.holding import Found
from migrate.protection.policy import Policy
from migrate.protection.telling import Told
from migrate.sites.consistency import Consistency, at_least, lowest
from planner.errors import Blocked
from planner.names import visible

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reached(Generic[T]):
    """A checkpoint that was made: what it is worth, and what each member reached and why not more.

    ``fired`` says why the members were let go before anybody asked, ``complaints`` what went wrong with
    letting them go: those are to be shown whatever became of the checkpoint.
    """

    inserted: T
    consistency: Consistency
    members: tuple[Found, ...]
    fired: str = ""

    @property
    def complaints(self) -> tuple[str, ...]:
        """What may still be held, a sentence each, harmless to print."""
        return _complaints(self.members)

    @property
    def shortfall(self) -> tuple[str, ...]:
        """Why it is not worth more, a sentence for each member that has one, harmless to print."""
        return tuple(f"{visible(one.name, 60)}: {one.why}" for one in self.members if one.why)


def checkpoint(
    policy: Policy, insert: Callable[[], T], withdraw: Callable[[T], None], log: Path | None = None
) -> Reached[T]:
    """Make a checkpoint with ``insert`` while the members are held, and return what it is worth.

    What is inserted must count as worth a crash until this returns. Where the policy requires what was
    not reached, nothing is inserted or it is withdrawn, and Blocked is raised. Whatever ``insert`` raises
    goes on when all were let go. ``log`` gets the watchdog's line. Raises Unreachable, OSError.
    """
    if not any(member.is_held for member in policy.acting()):
        told = Told("", _unheld(policy))
        if policy.required and not _reach(told, policy):
            raise _not_reached(policy, told, told)
        return _judged(insert(), told)
    with Guard(policy, log) as guard:
        held = guard.freeze()
        if held.fired or (policy.required and not _reach(held, policy)):
            told = held if held.fired else guard.release()
            if policy.required:
                raise _not_reached(policy, held, told)
            return _judged(insert(), told)
        try:
            with guard.watching():
                inserted = insert()
        except BaseException as error:
            for complaint in _complaints(guard.release().members):
                error.add_note(complaint)
            raise
        told = guard.release()
    if policy.required and not _reach(told, policy):
        withdraw(inserted)
        raise _not_reached(policy, told, told)
    return _judged(inserted, told)


def _judged(inserted: T, told: Told) -> Reached[T]:
    level = lowest(found.consistency for found in told.members)
    return Reached(inserted, Consistency.CRASH if told.fired else level, told.members, told.fired)


def _reach(told: Told, policy: Policy) -> bool:
    return all(at_least(found.consistency, policy.consistency) for found in told.members)


def _unheld(policy: Policy) -> tuple[Found, ...]:
    return tuple(
        Found(member.name, Consistency.CRASH, "nothing holds it" if policy.asks_more else "")
        for member in policy.members
    )


def _not_reached(policy: Policy, short: Told, told: Told) -> Blocked:
    why = "; ".join(
        f"{visible(found.name, 60)}: {found.why}"
        for found in short.members
        if not at_least(found.consistency, policy.consistency)
    )
    loud = "".join(f"; {complaint}" for complaint in _complaints(told.members))
    return Blocked(
        f"group {visible(policy.group, 60)} has no checkpoint: its policy requires "
        f"{policy.consistency}, which was not reached ({why}){loud}",
        "clear the reason and ask again, or leave required out of the policy",
    )


def _complaints(members: tuple[Found, ...]) -> tuple[str, ...]:
    return tuple(
        f"{visible(found.name, 60)} may still be held: {found.complaint or 'it did not confirm yet'}"
        for found in members
        if found.may_be_held
    )
