"""What a process brings along to carry out a wave: in whose name, and who moves the bytes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migrate.audit import person

if TYPE_CHECKING:
    from migrate.movers.transfers import Does, Generations, Shares
    from migrate.run.board import Board


@dataclass(frozen=True, slots=True)
class Hauling:
    """Who carries transfers for all waves of a process, and what these share.

    ``local`` are movers on this machine, for what is only here; the others may be anywhere.
    """

    movers: Does
    shares: Shares
    generations: Generations
    board: Board
    local: Does


@dataclass(frozen=True, slots=True)
class Means:
    """``who`` and ``uid`` are the person's who asked; without ``hauling`` bytes move in this process.

    What only time asked for ``speaks`` for nobody: no gate opens by it. A ``cycle`` is a round that keeps
    a waiting wave up to date and proves nothing.
    ``asked_s`` is when that was, in seconds since 1970: what failed later uses up the patience that it gave.
    ``halted`` says that this process shall end: a run then stops at the next edge, as if paused.
    """

    who: str = field(default_factory=person)
    uid: int = field(default_factory=os.getuid)
    ticket: str = ""
    speaks: bool = True
    cycle: bool = False
    hauling: Hauling | None = None
    asked_s: float = field(default_factory=time.time)
    halted: Callable[[], bool] = lambda: False
