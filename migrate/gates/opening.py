"""Whether a gate is open: one pure function of its rule, what was said at it, the clock and the plan.

    hold or refuse by anybody ─▶ shut until the same person says otherwise
    too few persons           ─▶ shut; a person is a login's number, and counts once
    ticket, window            ─▶ shut until one matches; while the window is not open

Nothing is remembered: the window is looked at again whenever somebody asks, last before commit.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from migrate.gates.words import Verdict, Word
from migrate.run.runbook import Step
from planner.names import visible
from planner.ticket import matches

if TYPE_CHECKING:
    from planner.conduct import GateRule
    from planner.settings import Window


@dataclass(frozen=True, slots=True)
class Open:
    """It may be passed; ``evidence`` is plain JSON data for the record of steps."""

    evidence: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shut:
    """It may not be passed, and why; ``missing`` says one by one what would open it.

    ``until`` is set when nothing but the clock keeps it shut, and says when it opens.
    """

    reason: str
    missing: tuple[str, ...]
    until: datetime | None = None


def rule_of(step: Step) -> GateRule:
    """Return the rule of a gate or human step; a runbook that says none means one person."""
    from planner.conduct import GateRule

    return GateRule.model_validate(step.params.get("rule") or {})


def window_of(step: Step) -> Window | None:
    """Return the window of a gate's wave, None when it has none."""
    from planner.settings import Window

    said = step.params.get("window")
    return Window.model_validate(said) if said else None


def standing(step: Step, words: Iterable[Word], now: datetime, fingerprint: str) -> Open | Shut:
    """Return whether a gate is open at ``now`` (aware), by the words on the plan of that fingerprint."""
    rule = rule_of(step)
    last = newest(step, words, fingerprint)
    if against := _against(last):
        return against
    said = [word for word in last if word.verdict is Verdict.APPROVE]
    fitting = [word for word in said if not rule.ticket or matches(rule.ticket, word.ticket)]
    missing: list[str] = []
    lacking = rule.persons - len({word.uid for word in fitting})
    if lacking > 0:
        missing.append(_persons(lacking, rule, [word for word in said if word not in fitting], fitting))
    reason = missing[0] if missing else ""
    closed, opens_at = _clock(step, rule, now)
    if closed:
        missing.append(closed)
    if missing:
        return Shut(reason or closed, tuple(missing), None if reason else opens_at)
    return Open(_evidence(fitting, now, fingerprint))


def by_policy(
    step: Step, words: Iterable[Word], now: datetime, fingerprint: str, ended_at: datetime
) -> Open | Shut:
    """Return whether the end of the commit window opens the commit gate, as the approved plan says.

    Neither persons nor a ticket are asked for then; a hold, a refusal and the clock still count.
    """
    if against := _against(newest(step, words, fingerprint)):
        return against
    if now < ended_at:
        said = f"the commit window is open until {_at(ended_at)}"
        return Shut(said, (said,), ended_at)
    closed, opens_at = _clock(step, rule_of(step), now)
    if closed:
        return Shut(closed, (closed,), opens_at)
    evidence = _evidence([], now, fingerprint)
    return Open(
        {**evidence, "who": "the approved plan", "policy": "commit", "ended_at": ended_at.isoformat()}
    )


def newest(step: Step, words: Iterable[Word], fingerprint: str) -> list[Word]:
    """Return the newest word of each person on this plan, in the order in which they were said."""
    last: dict[int, Word] = {}
    for word in words:
        if word.gate == step.id and word.fingerprint == fingerprint:
            last.pop(word.uid, None)
            last[word.uid] = word
    return list(last.values())


def _against(last: list[Word]) -> Shut | None:
    """Return why the gate is shut by somebody's word, None when nobody said no."""
    said = [word for word in last if word.verdict in (Verdict.HOLD, Verdict.REFUSE)]
    if not said:
        return None
    verbs = {Verdict.HOLD: "holds it", Verdict.REFUSE: "refuses it"}
    reasons = [f"{visible(word.who)} {verbs[word.verdict]}: {visible(word.reason)}" for word in said]
    missing = [f"the release or approval of {visible(word.who)}" for word in said]
    return Shut("; ".join(reasons), tuple(missing))


def _persons(lacking: int, rule: GateRule, unfitting: list[Word], fitting: list[Word]) -> str:
    other = "another person" if fitting else "a person"
    who = other if lacking == 1 else f"{lacking} persons"
    said = f"the approval of {who}"
    if rule.ticket:
        said += f" with a ticket like {visible(rule.ticket)}"
    if unfitting:
        given = ", ".join(f"{visible(word.who)} gave {visible(word.ticket) or 'none'}" for word in unfitting)
        said += f" ({given})"
    return said


def _clock(step: Step, rule: GateRule, now: datetime) -> tuple[str, datetime | None]:
    """Return why the clock keeps the gate shut, and when it opens it; empty when it does not."""
    if not rule.in_window:
        return "", None
    window = window_of(step)
    if window is None:
        return "a window: the gate opens only in the wave's, and the plan gives it none", None
    if now < window.start_utc:
        return f"the window, which opens at {_at(window.start_utc)}", window.start_utc
    if now >= window.end_utc:
        return f"a window: the wave's was over at {_at(window.end_utc)}", None
    return "", None


def _at(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M} UTC"


def _evidence(words: list[Word], now: datetime, fingerprint: str) -> dict[str, Any]:
    return {
        "who": ", ".join(word.who for word in words),
        "at": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "plan": fingerprint,
        "words": [
            {"who": word.who, "uid": word.uid, "at": word.at, "ticket": word.ticket, "reason": word.reason}
            for word in words
        ],
    }
