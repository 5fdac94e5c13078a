"""Which keys do what: the action table with the keys a person chose instead.

Screens take their bindings from here, so that a key is documented exactly where it works.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

from planner.errors import BadInput
from planner.names import visible
from tui.actions.action import Action, shown_key
from tui.actions.places import PAGES, PLACES
from tui.actions.table import ACTIONS, actions_at

if TYPE_CHECKING:
    from textual.binding import Binding

# bound by tables and panels themselves
MOVING = frozenset({"up", "k", "down", "j", "pageup", "pagedown", "home", "g", "end", "G"})


def bindings_at(place: str) -> list[Binding | tuple[str, str] | tuple[str, str, str]]:
    """Return the Textual bindings of a place; each asks ``act``, which knows why not."""
    from textual.binding import Binding

    return [
        Binding(action.key, f"act('{action.id}')", action.title, show=False, id=action.id)
        for action in actions_at(place)
    ]


def checked(chosen: Mapping[str, str], file: str, rows: Mapping[str, int]) -> dict[str, str]:
    """Return the chosen keys by action id, in Textual's words; raises BadInput with the row of an action.

    Refused are an unknown action, what is no key, and a key that something else has already.
    """
    known = {action.id for action in ACTIONS}
    found: dict[str, str] = {}

    def where(name: str) -> str:
        return f"{file}: line {rows[name]}: keys" if name in rows else f"{file}: keys"

    for name, keys in chosen.items():
        if name not in known:
            raise BadInput(
                f"{where(name)}: there is no action {visible(name, 40)}",
                "the names stand in docs/terminal.md",
            )
        found[name] = ",".join(_key(part.strip(), f"{where(name)}: {name}") for part in keys.split(","))
    for place in (*PLACES, *PAGES):
        taken: dict[str, str] = {}
        for action in actions_at(place.id):
            for key in found.get(action.id, action.key).split(","):
                if key in taken and (action.id in found or taken[key] in found):
                    named = action.id if action.id in found else taken[key]
                    raise BadInput(
                        f"{where(named)}: {shown_key(key)} is asked for {taken[key]} and {action.id}",
                        "give one of them another key",
                    )
                taken[key] = action.id
    return found


def _key(text: str, where: str) -> str:
    """Return a key in Textual's words."""
    *modifiers, name = text.split("+") if len(text) > 1 else (text,)
    letter = len(name) == 1 and name.isprintable()
    if not set(modifiers) <= {"ctrl", "alt", "shift"} or not (letter or name in _named_keys()):
        raise BadInput(
            f"{where}: {visible(text, 20)!r} is no key", "write it like x, /, f5, ctrl+f or shift+tab"
        )
    if text in MOVING:
        raise BadInput(f"{where}: {shown_key(text)} moves the cursor in every table", "take another key")
    return "+".join([*modifiers, _word(name)])


def _word(letter: str) -> str:
    """Return Textual's word for a letter or sign; words stay."""
    from textual.binding import Binding

    return next(
        iter(Binding.make_bindings([Binding({",": "comma", " ": "space"}.get(letter, letter), "")]))
    ).key


@cache
def _named_keys() -> frozenset[str]:
    from textual.keys import Keys

    signs = (_word(sign) for sign in string.punctuation + " ")
    return frozenset({key.value for key in Keys if not key.value.startswith("<")} | set(signs))


def shown(action: Action, chosen: Mapping[str, str]) -> str:
    """Return the key of an action as people read it."""
    return shown_key(chosen.get(action.id, action.key))


def reworded(text: str, place: str, chosen: Mapping[str, str]) -> str:
    """Return words like ``[ ] move · m to …`` with the keys a person chose where the usual ones stand."""
    now = {shown_key(action.key): shown(action, chosen) for action in actions_at(place)}
    parts = [part.split(" ") for part in text.split(" · ")]
    for words in parts:
        for at, word in enumerate(words[:-1]):
            if word not in now:
                break
            words[at] = now[word]
    return " · ".join(" ".join(words) for words in parts)
