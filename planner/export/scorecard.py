"""The score card: how good the waves are, beside the bound and beside what a spreadsheet would do.

What nobody measured or dated is ``unknown``, never 0.
"""

from __future__ import annotations

from planner.export.printout import Cell, Printout, Table, summary
from planner.names import visible
from planner.plan import Used
from planner.score_card import Figures
from planner.units import show_count
from planner.waves.words import resource

_COLUMNS = ("Measure", "This plan", "Bound", "Name order", "What it means")
UNKNOWN = "unknown"
_APART = "; waves without a window count a week apart"
_AT_ONCE = "; waves without a window begin as soon as they are copied"
# (field, its bound's field, what it is called, what it means)
_FIGURES = (
    ("waves", "waves_bound", "Waves", "the bound is the fewest that any plan needs under these caps"),
    (
        "makespan_h",
        "makespan_bound_h",
        "Hours from begin to end",
        "the bound is what the link needs at least",
    ),
    ("cut_share", "", "Share of traffic cut", "between groups of different waves, of all between groups"),
    ("stretch_gb", "", "GB across the line", "traffic times the time its ends are apart"),
    ("peak_share", "", "Peak share across the line", "the most that crosses one wave boundary"),
    ("hard_violations", "", "Hard ties violated", "VMs that break apart and move apart: must be 0"),
    ("order_violations", "", "Order ties violated", "something moves before what it needs"),
    ("latency_violations", "", "Latency ties violated", "pairs that do not work over the line, apart"),
)


def _shown(figures: Figures | None, field: str) -> Cell:
    value = getattr(figures, field, None) if figures and field else None
    if value is None:
        return UNKNOWN if figures and field else ""
    return value if isinstance(value, int) else round(float(value), 4)


def _used(used: Used) -> tuple[Cell, ...]:
    most = "" if used.most is None else f", at most {used.most:.0%}"
    return f"Used: {resource(used.resource)}", f"{used.used:.0%}", "", "", f"of the cap, on average{most}"


def score_card(printout: Printout) -> Table:
    """Return the plan's figures, their bounds and those of name order."""
    score = printout.plan.score
    undated = not all(wave.window for wave in printout.plan.waves)
    rows: list[tuple[Cell, ...]] = [
        (
            title,
            _shown(score, field),
            _shown(score, bound),
            _shown(score.baseline, field),
            means + (_APART if undated and field == "makespan_h" else ""),
        )
        for field, bound, title, means in _FIGURES
    ]
    if score.makespan_spread_h:
        spread = score.makespan_spread_h
        means = (
            f"half of all drawings end by then; 95 of 100 by {spread.p95:.1f} h{_AT_ONCE if undated else ''}"
        )
        rows.append(("Hours from begin to end, P50", round(spread.p50, 2), "", "", means))
    if score.risk_ramp:
        thirds = " / ".join(f"{share:.0%}" for share in score.risk_ramp)
        rows.append(
            ("Risk ramp", thirds, "", "", "share of all risk in each third of the waves, first to last")
        )
    if score.stability is not None:
        rows.append(
            (
                "Stability",
                round(score.stability, 4),
                "",
                "",
                "share of VMs whose wave is that of the plan before",
            )
        )
    rows += [_used(used) for used in score.utilisation]
    if score.binds:
        rows.append(
            ("What binds", visible(score.binds), "", "", "what keeps the number of waves from being smaller")
        )
    return Table("Score card", _COLUMNS, tuple(rows))


def in_short(printout: Printout) -> tuple[str, ...]:
    """Return the plan in a few sentences, for those who read nothing else."""
    plan, score = printout.plan, printout.plan.score
    planned = sum(len(wave.vms) for wave in plan.waves)
    dated = [wave.window for wave in plan.waves if wave.window]
    said = [
        f"{show_count(planned, 'VM')} in {show_count(score.waves, 'wave')}; "
        f"no plan under these caps needs fewer than {score.waves_bound}"
    ]
    if dated:
        first, last = min(window.start_utc for window in dated), max(window.end_utc for window in dated)
        said.append(f"The first cutover is on {first:%Y-%m-%d}, the last window closes on {last:%Y-%m-%d}")
    if len(dated) < len(plan.waves):
        said.append(f"Waves without a window yet: {len(plan.waves) - len(dated)} of {len(plan.waves)}")
    if score.cut_share is not None:
        beside = score.baseline.cut_share if score.baseline else None
        said.append(
            f"{score.cut_share:.0%} of the traffic between groups crosses the line while they are apart"
            + ("" if beside is None else f"; planned by name it would be {beside:.0%}")
        )
    broken = score.hard_violations + score.order_violations + score.latency_violations
    said.append(f"{show_count(broken, 'tie')} violated: see the notes" if broken else "No tie is violated")
    if plan.unplanned:
        said.append(f"{show_count(len(plan.unplanned), 'VM')} in no wave, each with its reason")
    approved = sum(wave.name in (printout.approvals or {}) for wave in plan.waves)
    said.append(f"Waves approved: {approved} of {len(plan.waves)}")
    return tuple(said)


def executive(printout: Printout) -> Table:
    """Return the summary with the plan in short above it."""
    plain = summary(printout)
    rows = [("In short" if at == 0 else "", said) for at, said in enumerate(in_short(printout))]
    return Table(plain.title, plain.columns, (*rows, *plain.rows))
