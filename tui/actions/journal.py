"""Actions of 8 Journal: what is shown of all that was done, and seeing a run again."""

from __future__ import annotations

from tui.actions.action import Action

_HERE = ("journal",)


def _look(name: str, key: str, title: str, do: str, twin: str = "log", foot: str = "") -> Action:
    return Action(f"journal.{name}", key, title, do, _HERE, twin=twin, foot=foot)


JOURNAL = (
    _look("replay", "r", "replay its run up to here", "replay", "", "replay"),
    _look("wave", "w", "only this wave, or all", "only('wave')", foot="this wave"),
    _look("who", "p", "only this person, or all", "only('who')", foot="person"),
    _look("newest", "n", "to the newest, with what came since", "newest", foot="newest"),
    _look("verify", "c", "check the audit chain", "verify"),
)
