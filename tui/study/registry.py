"""Which op lives in which module: a topic is loaded when the first of its ops is asked for.

A module of ``tui.study.ops`` has ``OPS`` (name to function, the room first) and ``WRITES``, the names of
those that change the project: they are refused in a study that only looks.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from planner.errors import BadInput, Blocked, NotFound
from planner.names import visible

if TYPE_CHECKING:
    from tui.study.room import Room

Op = Callable[..., Any]

# The first word of an op is its topic; these live in the module of another one.
_HOMES = {
    "vm": "estate",
    "groups": "estate",
    "group": "estate",
    "suggestions": "applications",
    "waive": "waivers",
    "unwaive": "waivers",
    "approve": "approvals",
    "decide": "ties",
}


def find(op: str, looking: bool = False) -> Op:
    """Return the function of an op.

    Raises NotFound for none, and Blocked for one that changes the project when one is only ``looking``.
    """
    topic = op.partition(".")[0]
    name = f"tui.study.ops.{_HOMES.get(topic, topic)}"
    if not topic.isidentifier() or find_spec(name) is None:
        raise NotFound(f"the study knows nothing of {visible(op, 60)}", "look for an update of wherry")
    module = import_module(name)
    if op not in module.OPS:
        raise NotFound(f"the study knows nothing of {visible(op, 60)}", "look for an update of wherry")
    if looking and op in module.WRITES:
        raise Blocked(f"{op} changes the project, which is only looked at", "start again without --read-only")
    found: Op = module.OPS[op]
    return found


def call(function: Op, room: Room, op: str, args: dict[str, Any]) -> Any:
    """Return what an op answers; raises BadInput for arguments it does not take."""
    try:
        inspect.signature(function).bind(room, **args)
    except TypeError as error:
        raise BadInput(f"{op} was asked in a wrong way: {error}", "look for an update of wherry") from error
    return function(room, **args)
