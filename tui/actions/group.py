"""Actions of a protection group's page: its checkpoints, copies made of them, and the ways on and back."""

from __future__ import annotations

from planner.effects import Effect
from tui.actions.action import Action

_HERE = ("group",)


def _do(name: str, key: str, title: str, twin: str, foot: str = "", effect: Effect = Effect.LIVE) -> Action:
    return Action(f"group.{name}", key, title, f"group_{name}", _HERE, effect, twin, ("plan",), foot)


GROUP = (
    _do("pin", "p", "keep the checkpoint, or let it age", "checkpoints", "pin"),
    _do("checkpoint", "n", "make a checkpoint now …", "checkpoint", "checkpoint"),
    _do("serve", "d", "serve its disks over NBD, or end that …", "image", "disks"),
    _do("boot", "b", "boot a copy on isolated networks …", "rehearse", "boot"),
    _do("restore", "t", "restore to it: write its disks out …", "image", "restore"),
    _do("onto", "T", "restore to it: a disk over a device …", "image", "", Effect.DESTRUCTIVE),
    _do("verify", "V", "read the wave's replicas again …", "verify", "", Effect.DRY_RUN),
    _do("overlook", "O", "overlook snapshots of others …", "run overlook"),
    _do("back", "f", "fail back: home to the source …", "failback", "fail back"),
    _do("commit", "c", "commit: no way back after it …", "commit", "commit", Effect.DESTRUCTIVE),
)
