"""How good a plan is, on the terminal: one line, and the card beside its bounds and beside name order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.cli.output import line, table

if TYPE_CHECKING:
    from planner.plan import Plan
    from planner.score_card import Figures


def scored(plan: Plan) -> str:
    """Say how good the waves are: their number beside the least possible, and what they break."""
    score = plan.score
    broken = [
        f"{count} {what}"
        for count, what in (
            (score.order_violations, "moved in the wrong order"),
            (score.hard_violations, "torn apart"),
        )
        if count
    ]
    said = f"dependencies: {', '.join(broken)}" if broken else "every dependency is kept"
    waves = "1 wave" if score.waves == 1 else f"{score.waves} waves"
    return f"{waves}, at least {score.waves_bound} needed; {said}"


def _shown(figures: Figures) -> tuple[str, ...]:
    return (
        f"{figures.waves}",
        f"{figures.makespan_h or 0:,.1f} h",
        f"{figures.cut_share or 0:.1%}",
        f"{figures.stretch_gb or 0:,.1f} GB",
        f"{figures.peak_share or 0:.1%}",
    )


def show_card(plan: Plan) -> None:
    """Print the score card: the plan beside its bounds and beside name order, then what binds."""
    from planner.waves.words import resource

    score = plan.score
    if score.baseline is None:
        return
    bounds = (f"{score.waves_bound}", f"{score.makespan_bound_h or 0:,.1f} h", "", "", "")
    rows = (("this plan", *_shown(score)), ("bound", *bounds), ("name order", *_shown(score.baseline)))
    table(("score", "waves", "makespan", "traffic cut", "crosses the line", "peak"), rows)
    if score.binds:
        line(f"  what binds: {score.binds}")
    undated = not all(wave.window for wave in plan.waves)
    if undated:
        line("  the makespan above counts waves without a window a week apart")
    if spread := score.makespan_spread_h:
        how = ", waves without a window as soon as they are copied" if undated else ""
        line(f"  makespan P50 {spread.p50:,.1f} h, P95 {spread.p95:,.1f} h, drawn over rates and churn{how}")
    full = ", ".join(
        f"{resource(item.resource)} {item.used:.0%} (most {item.most or 0:.0%})" for item in score.utilisation
    )
    if full:
        line(f"  filled on average: {full}")
    risky = [f"{wave.name} {wave.overrun:.0%}" for wave in plan.waves if wave.overrun]
    if risky:
        line(f"  chance to overrun the window: {', '.join(risky)}")
    for said in plan.method:
        line(f"  how: {said}")
