"""The risk register: what can go wrong, from findings, score and calendar, ranked.

Probability and impact run from 1 to 5, their product from 1 to 25. They are judged from what is
known: a blocker happens unless it is cleared; a window too short for the P50 does not hold, one too
short for the P95 may not. People change them; the register says where each came from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from planner.export.printout import Printout, Table
from planner.export.runbook import back_min
from planner.export.seeding import latest_seeds
from planner.model import Finding, Severity
from planner.names import visible
from planner.notes import PARTING
from planner.plan import Wave
from planner.units import show_count

_COLUMNS = (
    "Id", "Risk", "From", "Waves", "Probability", "Impact", "Weight", "Rating", "Owner", "Mitigation",
    "What it rests on", "State",
)  # fmt: skip
_LEAD = "Migration lead"
_NAMED = 5  # VMs or waves that a cell names
_FREEZE_NEAR = timedelta(days=2)
_CHANCE, _LIKELY = 0.05, 0.5  # that a wave overruns its window: on the register from, sure from
_CRITICAL = frozenset({"critical", "mission-critical", "mission critical", "high", "tier 0", "tier 1", "1"})
_WEIGHTS = {Severity.BLOCKER: (5, 4), Severity.WARNING: (3, 3)}


@dataclass(frozen=True, slots=True)
class Risk:
    """One risk; ``probability`` and ``impact`` from 1 to 5."""

    risk: str
    origin: str
    waves: tuple[str, ...]
    probability: int
    impact: int
    mitigation: str
    rests_on: str
    owner: str = _LEAD
    state: str = "open"

    @property
    def weight(self) -> int:
        """Probability times impact."""
        return self.probability * self.impact


def rating(weight: int) -> str:
    """Return high from 15, medium from 8, else low."""
    return "high" if weight >= 15 else "medium" if weight >= 8 else "low"


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:_NAMED])
    return shown if len(names) <= _NAMED else f"{shown} and {len(names) - _NAMED} more"


def _of_findings(printout: Printout) -> Iterator[Risk]:
    wave_of = {vm.id: wave.name for wave in printout.plan.waves for vm in wave.vms}
    by_check: dict[tuple[str, Severity, bool], list[Finding]] = {}
    for item in printout.findings:
        # Of VMs only those that move count; hosts, clusters and datastores concern everybody.
        if item.severity in _WEIGHTS and (item.subject in wave_of or item.subject_kind != "vm"):
            by_check.setdefault((item.check, item.severity, bool(item.waiver)), []).append(item)
    for (check, severity, is_waived), items in by_check.items():
        probability, impact = _WEIGHTS[severity]
        vms = [printout.vms[item.subject] for item in items if item.subject in printout.vms]
        if any(vm.criticality.strip().casefold() in _CRITICAL for vm in vms):
            impact = min(5, impact + 1)
        if is_waived:
            probability = 2
        owners = Counter(owner for vm in vms if (owner := printout.owner(vm)))
        names = list(dict.fromkeys(visible(item.subject_name) for item in items))
        first = items[0]
        yield Risk(
            f"{visible(first.message)}" + (f"; {len(names) - 1} more like it" if len(names) > 1 else ""),
            f"check {visible(check)}",
            tuple(dict.fromkeys(wave_of[item.subject] for item in items if item.subject in wave_of)),
            probability,
            impact,
            visible(first.remedy),
            f"{severity.value} on {_some(names)}",
            owners.most_common(1)[0][0] if owners else _LEAD,
            f"accepted: {visible(first.waiver)}" if is_waived else "open",
        )


def _of_score(printout: Printout) -> Iterator[Risk]:
    score = printout.plan.score
    if score.hard_violations:
        yield Risk(
            "VMs that break apart move in different waves", "score", (), 5, 5,
            "put both ends into one wave, or prove that the tie is none",
            f"{score.hard_violations} hard ties",
        )  # fmt: skip
    if score.order_violations:
        yield Risk(
            "something moves before what it needs", "score", (), 4, 4,
            "see the notes of the plan: drop the cheapest tie of each circle, or build the service first",
            f"{score.order_violations} order ties",
        )  # fmt: skip
    if printout.unknown:
        yield Risk(
            "what the source did not say turns out to be in the way", "checks", (), 3, 3,
            "read the source with more rights or by another way, see Not known",
            f"{show_count(len(printout.unknown), 'check')} undecided for some VMs",
        )  # fmt: skip


def _too_long(wave: Wave) -> Risk | None:
    window, down = wave.window, wave.estimate.downtime_min
    if window is None:
        return None
    room = window.hours * 60 - back_min(wave)
    chance = wave.overrun or 0.0
    if down.p95 <= room and chance < _CHANCE:
        return None
    return Risk(
        f"the outage of {wave.name} and its way back do not fit into the window",
        "calendar",
        (wave.name,),
        5 if down.p50 > room or chance > _LIKELY else 3,
        5,
        "a longer window, fewer VMs, or disks that are cold copied moved apart",
        f"{down.p50:.0f} min (P50), {down.p95:.0f} min (P95) and {back_min(wave):.0f} min back "
        f"in {window.hours:g} h"
        + ("" if wave.overrun is None else f"; {wave.overrun:.0%} of drawings overrun"),
    )


def _of_calendar(printout: Printout) -> Iterator[Risk]:
    waves = printout.plan.waves
    yield from (risk for wave in waves if (risk := _too_long(wave)))
    undated = tuple(wave.name for wave in waves if wave.window is None)
    if undated:
        yield Risk(
            "waves have no window", "calendar", undated, 4, 2, "add windows to the settings and plan again",
            show_count(len(undated), "wave"),
        )  # fmt: skip
    made = _made(printout)
    seeds = latest_seeds(printout.plan)
    late = tuple(name for name, seed in seeds.items() if made and seed.start < made)
    if late:
        yield Risk(
            "seeds that should have begun before the plan was made", "calendar", late, 5, 4,
            "later windows, a faster link, or copies brought by other means", "begin of seeding at P95",
        )  # fmt: skip
    for freeze in printout.settings.freezes if printout.settings else ():
        near = tuple(
            wave.name
            for wave in waves
            if wave.window and timedelta() <= freeze.start_utc - wave.window.end_utc < _FREEZE_NEAR
        )
        if near:
            yield Risk(
                "a freeze begins before the closer watch has ended", "calendar", near, 2, 4,
                "another window, or an exception for mending agreed beforehand",
                f"freeze from {freeze.start_utc:%Y-%m-%d %H:%M} UTC {visible(freeze.why)}".rstrip(),
            )  # fmt: skip
    for holiday in printout.settings.holidays if printout.settings else ():
        near = tuple(
            wave.name
            for wave in waves
            if wave.window and 0 <= (holiday.day - wave.window.end_utc.date()).days <= 3
        )
        if near:
            yield Risk(
                "people are away while the closer watch runs", "calendar", near, 2, 3,
                "name who is on call, or take another window",
                f"{holiday.day} {visible(holiday.name)}".rstrip(),
            )  # fmt: skip


def _made(printout: Printout) -> datetime | None:
    try:
        made = datetime.fromisoformat(printout.plan.created_at)
    except ValueError:
        return None
    return made if made.tzinfo else None


def _of_notes(printout: Printout) -> Iterator[Risk]:
    for note in printout.plan.notes:
        do = "read it, then accept it or plan again"
        if note.startswith(PARTING):
            do = (
                "refuse those ties if they may cross the line, then plan again; else accept a wave of its own"
            )
        yield Risk(visible(note), "note of the plan", (), 2, 2, do, "the plan")


def _of_remaps(printout: Printout) -> Iterator[Risk]:
    for wave in printout.plan.waves:
        raw = [disk for disk in wave.disks if disk.target.is_rdm]
        if raw:
            yield Risk(
                f"LUNs of {wave.name} are not zoned or too small on the night", "remaps", (wave.name,), 2, 5,
                "have the LUN request answered by T-21 and read the target again",
                f"{show_count(len(raw), 'LUN')}: {_some([visible(disk.target_lun) for disk in raw])}",
                "Storage",
            )  # fmt: skip


def risks(printout: Printout) -> tuple[Risk, ...]:
    """Return all risks, the heaviest first; of equal ones in the order of their origins."""
    found = [
        *_of_score(printout),
        *_of_calendar(printout),
        *_of_findings(printout),
        *_of_remaps(printout),
        *_of_notes(printout),
    ]
    return tuple(sorted(found, key=lambda risk: (-risk.weight, risk.state != "open")))


def risk_register(printout: Printout) -> Table:
    """Return the register, numbered R001 onwards."""
    rows = tuple(
        (
            f"R{number:03d}", item.risk, item.origin, ", ".join(item.waves) or "all", item.probability,
            item.impact, item.weight, rating(item.weight), item.owner, item.mitigation, item.rests_on,
            item.state,
        )
        for number, item in enumerate(risks(printout), 1)
    )  # fmt: skip
    return Table("Risks", _COLUMNS, rows)
