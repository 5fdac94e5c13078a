"""One act of 8 Journal in words: what was done, by whom, what it left behind, where it stands on record."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from textual.content import Content

from planner.names import visible
from tui.text import count, line, plural, stack

_MARKS = {
    "done": ("✔", "good"),
    "approved": ("◆", "good"),
    "approve": ("◆", "good"),
    "failed": ("✖", "bad"),
    "undo-failed": ("✖", "bad"),
    "refuse": ("✖", "warn"),
    "hold": ("▲", "warn"),
    "held": ("▲", "warn"),
    "unknown": ("?", "warn"),
    "alarm": ("▲", "warn"),
    "skipped": ("·", "warn"),
    "undone": ("◄", "accent"),
    "rollback": ("◄", "warn"),
    "abort": ("■", "warn"),
}
_INSIDE = 12  # lines of the raw record that are shown before it is opened


def mark_of(act: str) -> tuple[str, str]:
    """Return the glyph and the tone of an act."""
    return _MARKS.get(act, (" ", "dim" if act in ("intent", "undo-intent") else ""))


def act_words(act: str) -> str:
    """Return an act with its glyph."""
    return f"{mark_of(act)[0]} {visible(act)}"


def when_words(at: str) -> str:
    """Return the time of an act to the second, in UTC."""
    return visible(at[:19].replace("T", " "))


def _labelled(label: str, *parts: str | tuple[str, str]) -> Content:
    return line((f"{label:<9} ", "dim"), *parts)


def describe_act(said: Mapping[str, Any], whole: bool = False) -> Content:
    """Return all that is on record of an act; ``whole`` with every line of the raw record."""
    glyph, tone = mark_of(said["act"])
    lines = [line((f"{glyph} {visible(said['act'])}  ", tone), visible(said["what"]))]
    if evidence := _evidence(said):
        lines.append(_labelled("says", evidence))
    lines.append(_labelled("when", f"{when_words(said['at'])} UTC", ("   by ", "dim"), _who(said)))
    if run := said.get("of_run"):
        lines.append(_labelled("run", _run(said, run)))
    elif said["wave"]:
        lines.append(_labelled("of", visible(said["wave"])))
    if chain := said.get("line"):
        words = (
            f"line {count(chain['seq'])}, {visible(chain['effect'])}, sealed {visible(chain['digest'][:16])}…"
        )
        lines.append(_labelled("chain", words))
    elif said.get("entry"):
        lines.append(_labelled("chain", ("no line of its own: nothing was changed at a site", "dim")))
    lines += _raw(said, whole)
    return stack(lines)


def _who(said: Mapping[str, Any]) -> str:
    return visible(said["who"]) or "nobody is on record: the engine, or who drove the run"


def _run(said: Mapping[str, Any], run: Mapping[str, Any]) -> str:
    begun = f"{visible(run['wave'])} run {run['id']}, begun {when_words(run['at'])} by {visible(run['who'])}"
    entry = said.get("entry")
    tried = f", try {entry['attempt']}" if entry and entry["attempt"] > 1 else ""
    step = f" · step {visible(entry['step'])}{tried}" if entry and entry["step"] else ""
    return f"{begun}{step} · after {plural(run['entries'], 'entry').replace('entrys', 'entries')}"


def _evidence(said: Mapping[str, Any]) -> str:
    from migrate.papers.said import said as words
    from migrate.run.history import Event

    entry = said.get("entry")
    return words(Event(entry["kind"]), said["step_kind"], entry["detail"]) if entry else ""


def _raw(said: Mapping[str, Any], whole: bool) -> Iterator[Content]:
    order = said.get("order")
    found = {
        **((said.get("line") or {}).get("detail") or {}),
        **((said.get("entry") or {}).get("detail") or {}),
        **({"options": order["options"], "result": order["result"]} if order else {}),
    }
    rows = [
        f"{key}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
        for key, value in found.items()
    ]
    if rows:
        yield line(("on record", "dim"))
    for row in rows if whole else rows[:_INSIDE]:
        yield line(f"  {visible(row, None if whole else 300)}")
    if not whole and len(rows) > _INSIDE:
        yield line((f"  and {plural(len(rows) - _INSIDE, 'line')} more: enter", "dim"))
