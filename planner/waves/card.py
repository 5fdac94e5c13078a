"""The score card as the plan carries it: both tracks together, and the chances of its waves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from planner.estimate import goodput_bytes_s
from planner.model import Estimate, MoveGroup
from planner.names import visible
from planner.plan import Spread, Used, Wave
from planner.score_card import Figures
from planner.score_card import Score as PlannedScore
from planner.sized import show_size, size_of
from planner.waves.amounts import overfull
from planner.waves.arrange import Arranged, Track
from planner.waves.calendar import begin_of_work
from planner.waves.chance import Run, chances
from planner.waves.items import Ask, weigh
from planner.waves.score import Card, Score, figures, score
from planner.waves.spelling import Spelled
from planner.waves.supply import slot_caps
from planner.waves.weights import sheet_of

_NAMED = 3  # caps that one sentence names


def _joined(first: Card, then: Card) -> Card:
    """Return the card of two tracks, one behind the other; traffic of services is not counted anyway."""
    return replace(
        first,
        waves=first.waves + then.waves,
        waves_bound=first.waves_bound + then.waves_bound,
        makespan_h=max(first.makespan_h, then.makespan_h),
        makespan_bound_h=max(first.makespan_bound_h, then.makespan_bound_h),
        hard_violations=first.hard_violations + then.hard_violations,
        order_violations=first.order_violations + then.order_violations,
        latency_violations=first.latency_violations + then.latency_violations,
    )


def _broken(track: Track) -> int:
    """Return how many order ties that nobody can keep have their later end first."""
    home = {group.name: at for at, found in enumerate(track.built.members) for group in found}
    slots = track.assignment
    return sum(slots[home[later]] < slots[home[earlier]] for later, earlier in track.built.dropped)


def card(arranged: Arranged, hard_violations: int, span: Estimate | None) -> PlannedScore:
    """Return the score of a plan. ``hard_violations`` are ties torn apart, ``span`` is the drawn makespan."""
    scores = [score(track.built.problem, track.assignment) for track in arranged.tracks]
    if not scores:
        return PlannedScore(waves=0, waves_bound=0)
    whole = scores[0].card
    base = scores[0].baseline
    for other in scores[1:]:
        whole = _joined(whole, other.card)
        base = _joined(base, other.baseline) if base and other.baseline else None
    body = figures(whole)
    body["waves"] = len(arranged.waves)
    body["hard_violations"] += hard_violations
    body["order_violations"] += sum(_broken(track) for track in arranged.tracks)
    return PlannedScore.model_validate(
        {
            **body,
            "baseline": None if base is None else Figures.model_validate(figures(base)),
            "binds": "; then shared services: ".join(item.binds for item in scores),
            "utilisation": tuple(
                Used(resource=name, used=round(mean, 4), most=round(most, 4))
                for name, mean, most in scores[0].utilisation
            ),
            "risk_ramp": tuple(round(share, 4) for share in scores[0].risk_ramp),
            "stability": _stability(scores),
            "makespan_spread_h": None if span is None else Spread(p50=span.p50, p95=span.p95),
        }
    )


def _stability(scores: Sequence[Score]) -> float | None:
    known = scores[0].stability
    return None if known is None else round(known, 4)


def oversize_notes(groups: Sequence[MoveGroup], ask: Ask) -> tuple[str, ...]:
    """Return one sentence for each group that exceeds a cap alone."""
    sheet = sheet_of(slot_caps(ask.settings))
    notes = []
    for group in groups:
        item = weigh([group], ask)
        if over := overfull([item], sheet):
            more = f" and {len(over) - _NAMED} more" if len(over) > _NAMED else ""
            size = show_size(size_of(item.size_bytes, ask.sized(group)))
            notes.append(
                f"group {visible(group.name)} (VMs: {item.vms}, {size}) exceeds the "
                f"caps alone: {', '.join(over[:_NAMED])}{more}; it moves whole, in a wave of its own"
            )
    return tuple(notes)


def _begin(waves: Sequence[Wave], ask: Ask) -> datetime | None:
    if begins := begin_of_work(ask.settings):
        return begins
    starts = [wave.window.start_utc for wave in waves if wave.window]
    return min(starts) - timedelta(days=max(ask.settings.waves.lead_days, 1)) if starts else None


def with_chances(spelled: Spelled, ask: Ask, seed: int) -> tuple[tuple[Wave, ...], Estimate | None]:
    """Return the waves with the probability of each to overrun its window, and the makespan in hours."""
    waves = spelled.waves
    if not waves:
        return (), None
    begin = _begin(waves, ask)
    rate = (ask.rates.link_bytes_s if ask.rates else None) or goodput_bytes_s(ask.settings.link)
    runs = []
    for wave, takes in zip(waves, spelled.estimates, strict=True):
        final = takes.final_min.p50
        runs.append(
            Run(
                seed_bytes=takes.seed_h.p50 * 3600 * rate,
                churn_bytes_s=takes.churn_bytes_day / 86400,
                final_min=final,
                around_min=max(takes.downtime_min.p50 - final, 0.0),
                start_s=(wave.window.start_utc - begin).total_seconds() if wave.window and begin else None,
                hours=wave.window.hours if wave.window else 0.0,
            )
        )
    found = chances(runs, rate, seed)
    return (
        tuple(
            wave.model_copy(update={"overrun": chance})
            for wave, chance in zip(waves, found.overrun, strict=True)
        ),
        found.makespan_h,
    )
