"""How far a job is: immutable values, and what each event that a verb tells makes of them.

Every text was made visible by the verb; it is made so again here, because a line may come from anywhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from planner.names import visible

SAID = 200  # lines kept, the newest
BESTS = 2_000  # points kept, the newest
_LONGEST = 2_000


@dataclass(frozen=True, slots=True)
class Best:
    """A plan that was the best so far in a search, ``at_s`` after the job was begun.

    Plain groups and shared services are searched one after the other: ``track`` says which.
    """

    at_s: float
    track: str
    phase: str
    waves: int
    waves_bound: int
    cut_share: float
    stretch_gb: float


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a job failed: a sentence, a hint, and the code and exit code of the error."""

    message: str
    hint: str
    code: str
    exit_code: int


@dataclass(frozen=True, slots=True)
class JobState:
    """A job at one moment; None is what nobody knows (yet).

    ``phase`` is what it is at; ``rate`` is in units a second, ``left_s`` what that makes of the rest.
    ``document`` is what the verb printed with ``--json``, ``printed`` what it printed else.
    """

    title: str
    begun: datetime
    phase: str = ""
    done: int | None = None
    total: int | None = None
    unit: str = ""
    rate: float | None = None
    left_s: float | None = None
    best: tuple[Best, ...] = ()
    said: tuple[str, ...] = ()
    error: Failure | None = None
    stopping: bool = False
    ended: datetime | None = None
    exit_code: int | None = None
    document: Any = None
    printed: str = ""

    @property
    def running(self) -> bool:
        """True until the process has ended."""
        return self.ended is None

    @property
    def succeeded(self) -> bool:
        """True when it ended and did what it was asked."""
        return self.exit_code == 0

    @property
    def done_words(self) -> str:
        """How it ended well: what was asked to stop kept what it had by then."""
        return "stopped, what it had by then is kept" if self.stopping else "done"

    @property
    def share(self) -> float | None:
        """How much of the present phase is done, from 0 to 1; None where nobody knows the whole."""
        if self.done is None or not self.total:
            return None
        return min(self.done / self.total, 1.0)


def heard(state: JobState, line: str, at_s: float) -> JobState:
    """Return the state after a line of the job's stderr, ``at_s`` after it was begun."""
    try:
        event = json.loads(line)
    except ValueError:
        event = None
    if not isinstance(event, dict) or "event" not in event:
        return _saying(state, line)  # from below the verb: a library, the interpreter
    match event["event"]:
        case "begin":
            return replace(
                state, phase=_text(event, "title"), done=None, total=None, unit="", rate=None, left_s=None
            )
        case "progress":
            return replace(
                state,
                phase=_text(event, "title"),
                done=_whole(event, "done"),
                total=_whole(event, "total"),
                unit=_text(event, "unit"),
                rate=_number(event, "rate"),
                left_s=_number(event, "left_s"),
            )
        case "best":
            return replace(state, best=(*state.best, _best(event, at_s))[-BESTS:])
        case "said":
            return _saying(state, _text(event, "text"))
        case "error":
            failure = Failure(
                _text(event, "message"),
                _text(event, "hint"),
                _text(event, "code"),
                _whole(event, "exit_code") or 1,
            )
            return replace(state, error=failure)
    return state  # of a newer wherry, or the end, which the process itself says better


def ended(state: JobState, code: int, body: str | None, as_json: bool) -> JobState:
    """Return the last state: exit code, what was printed, and an error where none was told."""
    code = 128 - code if code < 0 else code  # as a shell says that a signal ended it
    document = None
    if as_json and body is not None:
        with suppress(ValueError):
            document = json.loads(body)
    error = state.error or _error_in(document, code)
    if error is None and document is None and (code == 1 or code > 130):
        cause = "it was killed" if code > 128 else f"exit code {code}"
        error = Failure(
            f"{state.title} ended without a word: {cause}", "try it on the command line", "failed", code
        )
    if body is None:
        state = heard(state, "it printed more than is kept here", 0.0)
    return replace(
        state,
        ended=datetime.now(UTC),
        exit_code=code,
        error=error,
        document=document,
        printed="" if as_json or body is None else body,
    )


def _error_in(document: object, code: int) -> Failure | None:
    """Return the error that a verb printed in place of its document, where its event was not heard."""
    if not isinstance(document, dict) or not isinstance(document.get("error"), str):
        return None
    message, hint = (visible(str(document.get(name, ""))) for name in ("message", "hint"))
    return Failure(message, hint, document["error"], code)


def _saying(state: JobState, text: str) -> JobState:
    text = visible(text.strip(), _LONGEST)
    return replace(state, said=(*state.said, text)[-SAID:]) if text else state


def _best(event: Mapping[str, object], at_s: float) -> Best:
    return Best(
        at_s=at_s,
        track=_text(event, "track"),
        phase=_text(event, "phase"),
        waves=_whole(event, "waves") or 0,
        waves_bound=_whole(event, "waves_bound") or 0,
        cut_share=_number(event, "cut_share") or 0.0,
        stretch_gb=_number(event, "stretch_gb") or 0.0,
    )


def _text(event: Mapping[str, object], name: str) -> str:
    value = event.get(name, "")
    return visible(value, _LONGEST) if isinstance(value, str) else ""


def _whole(event: Mapping[str, object], name: str) -> int | None:
    value = event.get(name)
    return value if isinstance(value, int) else None


def _number(event: Mapping[str, object], name: str) -> float | None:
    value = event.get(name)
    return float(value) if isinstance(value, int | float) else None
