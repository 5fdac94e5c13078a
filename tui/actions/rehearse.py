"""Actions of 5 Rehearse: runs on the simulated twin, faults, one run watched, a dry run, a booted copy."""

from __future__ import annotations

from planner.effects import Effect
from tui.actions.action import Action

_HERE = ("rehearse",)


def _run(name: str, key: str, title: str, foot: str = "") -> Action:
    return Action(f"rehearse.{name}", key, title, f"rehearse_{name}", _HERE, Effect.DRY_RUN, "rehearse",
                  ("plan",), foot)  # fmt: skip


def _look(name: str, key: str, title: str, do: str, foot: str = "", twin: str = "") -> Action:
    return Action(f"rehearse.{name}", key, title, do, _HERE, twin=twin, needs=("plan",), foot=foot)


REHEARSE = (
    _run("now", "r", "rehearse the wave 200 times", "rehearse"),
    _run("fault", "x", "let a call of a site fail …", "fault"),
    _run("ask", "R", "so many runs, from that seed …"),
    _run("dry", "d", "dry run: ask the sites, change nothing", "dry run"),
    Action(
        "rehearse.boot",
        "b",
        "boot a copy as it was at a checkpoint …",
        "rehearse_boot",
        _HERE,
        Effect.LIVE,
        "rehearse",
        ("plan",),
        "boot",
    ),
    _look("play", "space", "play the first run, or pause", "play", "play"),
    _look("earlier", "left", "back in the run", "scrub(-1)"),
    _look("later", "right", "on in the run", "scrub(1)"),
    _look("faster", "plus", "play faster", "speed(1)"),
    _look("slower", "minus", "play slower", "speed(-1)"),
    _look("whole", "z", "the cutover, or the run from its start", "whole", "whole run"),
    _look("history", "l", "all rehearsals of this project", "history", "history", "log"),
)
