"""What steps reach beyond both sites: programs on this machine, and hosts on the network.

In a modelled world (the twin, tests on a clock that jumps) nothing of it is touched and only time passes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from migrate.clock import SimulatedClock
from planner.errors import StepFailed

if TYPE_CHECKING:
    from migrate.probes.asking import Answer
    from migrate.probes.question import Question
    from migrate.programs.once import Once
    from migrate.steps.kind import Context


@dataclass(frozen=True, slots=True)
class Outside:
    """The world beside the sites, as seen from a project's ``directory``."""

    directory: Path

    def ask(self, question: Question, limit_s: float) -> Answer:
        """Ask a question of the network kinds once."""
        from migrate.probes.asking import ask

        return ask(question, self.directory, limit_s)

    @property
    def programs(self) -> Once:
        """Programs that run at most once for each attempt at a step."""
        from migrate.programs.once import Once

        return Once(self.directory, self.directory / "hooks")


def outside(ctx: Context) -> Outside | None:
    """Return the world beside the sites, None where time is modelled; raises StepFailed when it is lacking.

    Nobody may take a hook for done because the process at work could not start any.
    """
    if isinstance(ctx.clock, SimulatedClock):
        return None
    if ctx.outside is None:
        raise StepFailed(
            "this process starts no programs and asks no hosts", "carry the wave on with its verb"
        )
    return ctx.outside
