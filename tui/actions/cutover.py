"""Actions of 7 Cutover: levers of a run that stands or goes, words at its gates, and its replay."""

from __future__ import annotations

from planner.effects import Effect
from tui.actions.action import Action

_HERE = ("cutover",)


def _live(name: str, key: str, title: str, twin: str, foot: str = "", effect: Effect = Effect.LIVE) -> Action:
    return Action(f"cutover.{name}", key, title, f"cutover_{name}", _HERE, effect, twin, foot=foot)


def _look(name: str, key: str, title: str, do: str, twin: str = "", foot: str = "") -> Action:
    return Action(f"cutover.{name}", key, title, do, _HERE, twin=twin, foot=foot)


CUTOVER = (
    _live("approve", "a", "say yes at the gate …", "gate approve", "approve"),
    _live("hold", "h", "say wait at the gate …", "gate hold"),
    _live("refuse", "d", "say no at the gate …", "gate refuse"),
    _live("release", "l", "take back what you said at the gate …", "gate release"),
    _live("pause", "space", "hold the run at its next edge …", "pause", "hold"),
    _live("resume", "m", "go on where it stands …", "run resume"),
    _live("retry", "t", "try again what failed …", "run retry", "retry"),
    _live("skip", "x", "pass the step over, with a reason …", "run skip"),
    _live("ask", "P", "ask the step's probe once, now", "probe test", effect=Effect.DRY_RUN),
    _live("go", "o", "cut over …", "cutover"),
    _live("back", "b", "roll back, or abort before go …", "rollback", "back"),
    _live("commit", "c", "commit: no way back after it …", "commit", "commit", Effect.DESTRUCTIVE),
    _look("wave", "w", "another wave, or an earlier run …", "wave", "status", "wave"),
    _look("here", "n", "to the step that goes on or waits", "here"),
    _look("replay", "p", "replay this run, or back to now", "replay", foot="replay"),
    _look("earlier", "left", "replay: an entry back", "scrub(-1)"),
    _look("later", "right", "replay: an entry on", "scrub(1)"),
    _look("step_back", "left_square_bracket", "replay: the end of the step before", "jump('ended', -1)"),
    _look("step_on", "right_square_bracket", "replay: the end of the next step", "jump('ended', 1)"),
    _look("gate_back", "comma", "replay: the gate or turn before", "jump('turns', -1)"),
    _look("gate_on", "full_stop", "replay: the next gate or turn", "jump('turns', 1)"),
    _look("jump", "J", "replay: to an entry or a time …", "jump_to"),
)
