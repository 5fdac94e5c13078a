"""Rehearsing a wave on the simulated twin, written down with what it said, and what was said before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from migrate.rehearsal import Rehearsal
    from planner.estimate import Measured
    from planner.settings import Link
    from planner.store.project import Project

_ACT = "rehearse"  # in the audit chain
_MOST = 500  # rehearsals that are looked back at


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """A rehearsal as it was written down; figures are None where an older wherry did not keep them.

    Times are seconds, P50 and P95. ``fingerprint`` is that of the wave that was rehearsed.
    """

    wave: str
    at: str
    who: str
    runs: int
    seed: int
    fault: str
    fingerprint: str
    outcomes: dict[str, int] | None
    cutover: tuple[float, float] | None
    down: tuple[float, float] | None
    back: tuple[float, float] | None
    fits: float | None

    @property
    def clean(self) -> bool | None:
        """Whether every run was committed and fitted its window; None when that is not known."""
        if self.outcomes is None:
            return None
        return set(self.outcomes) == {"committed"} and self.fits in (None, 1.0)


def rehearse(
    project: Project,
    wave: str,
    *,
    runs: int,
    seed: int,
    fault: str = "",
    matrix: bool = False,
    notes: str = "",
    report: Callable[[int, int], None] | None = None,
) -> Rehearsal:
    """Run a wave of the newest plan on the twin and write down what that said; raises NotFound, BadInput.

    What earlier runs measured stands in for the rules of thumb.
    """
    from migrate import rehearsal
    from migrate.rehearsals import book
    from migrate.run.patience import Patience
    from planner.freezing import unfrozen_at
    from planner.store import plans
    from planner.store import settings as settings_store

    stored = plans.latest(project)
    planned = stored.plan.wave(wave)
    settings = settings_store.load(project)
    said = rehearsal.rehearse(
        planned,
        settings.link,
        runs=runs,
        seed=seed,
        fault=fault,
        matrix=matrix,
        rates=earlier_rates(project, settings.link),
        patience=Patience(transfers_s=settings.transfers.patience_s),
        unfrozen=unfrozen_at(settings, "source", planned),
        report=report,
    )
    detail = {
        "runs": runs,
        "seed": seed,
        "fault": fault,
        "fingerprint": said.fingerprint,
        "outcomes": said.outcomes,
        "cutover": [said.cutover.p50, said.cutover.p95],
        "phases": {name: [one.p50, one.p95] for name, one in said.phases.items()},
        "down": [said.down.p50, said.down.p95] if said.down else None,
        "back": [said.back.p50, said.back.p95] if said.back else None,
        "fits": said.fits,
        "measured": said.measured,
        **({"endings": said.matrix.endings} if said.matrix else {}),
    }
    verdict = book.Verdict.CLEAN if said.clean else book.Verdict.FINDINGS
    book.write(
        project, planned.name, said.fingerprint, stored.version, book.Depth.TWIN, verdict, detail, notes
    )
    return said


def earlier_rates(project: Project, link: Link) -> Measured | None:
    """Return what earlier runs measured; the inventory is read only where something ran."""
    from migrate.measured import measured
    from migrate.run import store as runs
    from migrate.run.store import RunKind
    from planner.errors import NotFound
    from planner.store import inventories

    if not runs.every(project, RunKind.WAVE):
        return None
    try:
        newest = inventories.latest(project)
    except NotFound:  # its plan came from elsewhere
        return None
    return measured(project, newest.inventory, newest.fingerprint, link)


def rehearsed(project: Project) -> tuple[Rehearsed, ...]:
    """Return the rehearsals on the twin that were written down, the newest first."""
    import json

    found = (
        (row["subject"], row["at"], row["who"], json.loads(row["detail"]))
        for row in project.rows(
            "SELECT subject, at, who, detail FROM audit WHERE act = ? ORDER BY seq DESC LIMIT ?", _ACT, _MOST
        )
    )
    return tuple(_read(*one) for one in found if one[3].get("depth", "twin") == "twin")


def _read(wave: str, at: str, who: str, detail: dict[str, Any]) -> Rehearsed:
    def pair(name: str) -> tuple[float, float] | None:
        found = detail.get(name)
        return (found[0], found[1]) if found else None

    return Rehearsed(
        wave=wave,
        at=at,
        who=who,
        runs=detail.get("runs", 0),
        seed=detail.get("seed", 0),
        fault=detail.get("fault", ""),
        fingerprint=detail.get("fingerprint", ""),
        outcomes=detail.get("outcomes"),
        cutover=pair("cutover"),
        down=pair("down"),
        back=pair("back"),
        fits=detail.get("fits"),
    )
