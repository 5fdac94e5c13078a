"""Actions of 6 Replicate: lanes folded and sifted, runs steered by the functions behind the verbs."""

from __future__ import annotations

from planner.effects import Effect
from tui.actions.action import Action

_HERE = ("replicate",)


def _do(name: str, key: str, title: str, twin: str, foot: str = "", effect: Effect = Effect.LIVE) -> Action:
    return Action(f"replicate.{name}", key, title, f"replicate_{name}", _HERE, effect, twin, ("plan",), foot)


def _look(name: str, key: str, title: str, do: str, foot: str = "", twin: str = "status") -> Action:
    return Action(f"replicate.{name}", key, title, do, _HERE, twin=twin, needs=("plan",), foot=foot)


REPLICATE = (
    _do("pause", "p", "pause the wave at its next edge …", "pause", "pause"),
    _do("resume", "r", "go on with the wave …", "run resume", "resume"),
    _do("sync", "n", "bring the wave up to date now …", "replicate", "sync now"),
    _do("checkpoint", "c", "make a checkpoint of the group …", "checkpoint", "checkpoint"),
    _do("overlook", "O", "overlook snapshots of others …", "run overlook"),
    _do("verify", "V", "read the wave's replicas again …", "verify", "verify", Effect.DRY_RUN),
    _do("throttle", "t", "limit all transfers together …", "settings set", "throttle"),
    _look("map", "d", "draw where the VM's disks change", "replicate_map", twin="disks map"),
    _look("problems", "o", "only what is wrong, or all", "problems", "problems"),
    _look("fold", "left", "fold the group or the wave", "fold"),
    _look("unfold", "right", "unfold the group or the wave", "unfold"),
    _look("fold_all", "z", "fold all VMs away, or none", "fold_all"),
)
