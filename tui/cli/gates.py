"""Gates on the command line: a row each, or all that is known of one wave's."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from tui.cli.output import line, table
from tui.cli.way_back import cost
from tui.cli.way_back import document as back_document

if TYPE_CHECKING:
    from migrate.gates.seeing import Gates, Seen
    from migrate.gates.words import Word

_NAMED = 4  # steps that one line names
_DID = {"approve": "approved", "refuse": "refused", "hold": "holds", "release": "took a word back"}


def show_rows(found: Iterable[Gates]) -> None:
    """Print a row for each gate of some waves."""
    table(
        ("wave", "gate", "state", "said", "what it needs"),
        (
            (
                seen.wave,
                seen.gate.id,
                seen.state,
                ", ".join(f"{word.who} {_DID[word.verdict]}" for word in seen.words) or seen.passed_by,
                "; ".join(seen.missing) or seen.reason,
            )
            for gates in found
            for seen in gates.gates
        ),
    )


def show_one(seen: Seen, write: Callable[[str], None] = line) -> None:
    """Write everything that is known of a gate, but for the way back."""
    from planner.names import visible

    rule = _rule(seen)
    write(f"{visible(seen.gate.title)} ({seen.gate.id}): {seen.state}{f', {rule}' if rule else ''}")
    says = seen.gate.params.get("says")
    parts = [
        *([("to do", visible(str(says)))] if says else []),
        *(("said", _word(word)) for word in seen.words),
        *([("by", visible(seen.passed_by))] if seen.passed_by and not seen.words else []),
        *(("needs", missing) for missing in seen.missing),
        *(("proof", proof) for proof in seen.proofs),
        ("next", _ahead(seen)),
    ]
    for name, said in parts:
        write(f"  {name + ':':<7}{said}")


def show_wave(gates: Gates) -> None:
    """Print all gates of a wave in full, and what going back costs."""
    for seen in gates.gates:
        show_one(seen)
    line(f"going back: {cost(gates.back)}")


def document(gates: Gates) -> list[dict[str, Any]]:
    """Return the gates of a wave as plain JSON data."""
    return [
        {
            "wave": seen.wave,
            "run": seen.run,
            "gate": seen.gate.id,
            "kind": seen.gate.kind,
            "title": seen.gate.title,
            "state": seen.state,
            "passed_by": seen.passed_by,
            "reason": seen.reason,
            "missing": list(seen.missing),
            "rule": seen.gate.params.get("rule") or {},
            "window": seen.gate.params.get("window"),
            "words": [
                {
                    "who": word.who,
                    "uid": word.uid,
                    "verdict": word.verdict.value,
                    "at": word.at,
                    "ticket": word.ticket,
                    "reason": word.reason,
                }
                for word in seen.words
            ],
            "proofs": list(seen.proofs),
            "next": [
                {"id": step.id, "title": step.title, "effect": step.effect.value} for step in seen.ahead.steps
            ],
            "until": seen.ahead.until,
            "back": back_document(gates.back),
        }
        for seen in gates.gates
    ]


def _word(word: Word) -> str:
    from planner.names import visible

    parts = [f"{visible(word.who)} {_DID[word.verdict]} {word.at[:16].replace('T', ' ')} UTC"]
    if word.ticket:
        parts.append(f"ticket {visible(word.ticket)}")
    if word.reason:
        parts.append(visible(word.reason))
    return ", ".join(parts)


def _rule(seen: Seen) -> str:
    from migrate.gates.opening import rule_of, window_of
    from planner.names import visible

    rule, window = rule_of(seen.gate), window_of(seen.gate)
    parts = ["two persons"] if rule.persons == 2 else []
    if rule.ticket:
        parts.append(f"a ticket like {visible(rule.ticket)}")
    if rule.in_window:
        open_from = f"{window.start_utc:%Y-%m-%d %H:%M} UTC for {window.hours:g} h" if window else "unknown"
        parts.append(f"only in the window ({open_from})")
    return ", ".join(parts)


def _ahead(seen: Seen) -> str:
    from planner.names import visible
    from planner.units import show_count

    steps = seen.ahead.steps
    if not steps:
        return "nothing" if not seen.ahead.until else f"the gate {visible(seen.ahead.until)}"
    final = sum(step.effect.value == "destructive" for step in steps)
    names = ", ".join(visible(step.title) for step in steps[:_NAMED]) + (", …" if len(steps) > _NAMED else "")
    until = f", up to {visible(seen.ahead.until)}" if seen.ahead.until else ", to the end"
    return f"{show_count(len(steps), 'step')}, {final} of them destructive{until}: {names}"
