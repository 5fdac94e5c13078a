"""The words of 4 Waves: score, why, differences of two plans, the score card."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from textual.content import Content

from planner.names import visible
from planner.sized import AtLeast
from planner.units import show_bytes, show_duration
from tui.drawings.distribution import histogram
from tui.hand import Hand
from tui.text import bar, count, fit, line, plural, stack

if TYPE_CHECKING:
    from planner.plan import Score
    from planner.score_card import Figures
    from planner.store.plan_waves import WaveRow
    from planner.store.plans import PlanHead

_SHOWN = 200  # rows of one list
_THIRDS = ("first", "second", "last")
_NAMES = {
    "waves": "waves",
    "waves_bound": "waves at least",
    "makespan_h": "makespan",
    "makespan_bound_h": "makespan at least",
    "cut_share": "traffic cut",
    "stretch_gb": "crosses the line",
    "peak_share": "peak",
    "hard_violations": "rules broken",
    "order_violations": "moved in the wrong order",
    "latency_violations": "too far apart",
}
_COUNTED = ("hard_violations", "order_violations", "latency_violations")
_BETTER = {"waves", "makespan_h", "cut_share", "stretch_gb", "peak_share", *_COUNTED}  # the less the better


def _heading(text: str) -> Content:
    return line((text, "accent"))


def figure(name: str, value: float | None) -> str:
    """Return a figure of a score with its unit; None is not known."""
    if value is None:
        return "?"
    if name.endswith("_share"):
        return f"{value:.1%}"
    if name.endswith("_gb"):
        return f"{value:,.1f} GB"
    return f"{value:,.1f} h" if name.endswith("_h") else count(int(value))


def _changed(name: str, change: float) -> str:
    if not change:
        return ""
    if name.endswith("_share"):
        return f" ({change * 100:+.1f})" if abs(change) >= 0.0005 else ""
    if name.endswith("_gb"):
        return f" ({change:+,.1f})" if abs(change) >= 0.05 else ""
    return f" ({change:+g})"


def score_words(hand: Hand) -> str:
    """Return the score of the plan on the desk, each figure with what the edits changed."""
    names = ("waves", "cut_share", "peak_share", "stretch_gb")
    words = [f"{_NAMES[name]} {figure(name, hand.score[name])}{_changed(name, hand.difference[name])}"
             for name in names]  # fmt: skip
    broken = sum(hand.score[name] for name in ("order_violations", "latency_violations", "hard_violations"))
    return ", ".join(words) + (f", ✖ {count(int(broken))} broken" if broken else "")


def describe_why(found: Mapping[str, Any]) -> Content:
    """Return why a group moves where it does: each earlier wave, then the nearest that would do."""
    many = plural(len(found["vms"]), "VM")
    lines = [line(f"{visible(found['group'])} ({many}) moves in ", (visible(found["wave"]), "accent"))]
    if found["moves_with"]:
        names = ", ".join(visible(name) for name in found["moves_with"][:12])
        lines.append(line(("  with its application: ", "dim"), names))
    lines += [line(("  held: ", "dim"), visible(said, 500)) for said in found["held"]]
    lines += [line(""), _heading("earlier waves")]
    for one in reversed(found["earlier_waves"]):
        if one["why"]:
            lines.append(
                line(("  ✖ ", "bad"), fit(visible(one["wave"]), 6), visible("; ".join(one["why"]), 500))
            )
        else:
            lines.append(line(("  ✔ ", "good"), fit(visible(one["wave"]), 6), f"would do: {one['spoken']}"))
    if not found["earlier_waves"]:
        lines.append(line(("  there is none", "dim")))
    lines += [line(""), _heading("the nearest that would do")]
    for word in ("earlier", "later"):
        one = found[f"nearest_{word}"]
        said = f"{visible(one['wave'])}: {one['spoken']}" if one else "none"
        lines.append(line((f"  {word:<9}", "dim"), said))
    return stack(lines)


# differences


def describe_difference(
    found: Mapping[str, Any], before: str, after: str, names: Mapping[str, str]
) -> Content:
    """Return what is different, side by side; ``names`` is VM id → name, as far as they are known."""
    lines = [line(fit("", 26), (fit(before, 18), "accent"), (fit(after, 18), "accent"))]
    score = found["score"]
    for name, pair in score.items():
        better = name in _BETTER and None not in pair.values() and pair["after"] < pair["before"]
        worse = name in _BETTER and None not in pair.values() and pair["after"] > pair["before"]
        mark, tone = ("✔ better", "good") if better else ("▲ worse", "warn") if worse else ("", "")
        lines.append(line(fit(_NAMES.get(name, name), 26), fit(figure(name, pair["before"]), 18),
                          fit(figure(name, pair["after"]), 18), (mark, tone)))  # fmt: skip
    if not score:
        lines.append(line(("the score is the same", "dim")))
    lines.append(line(""))
    for key, word in (("waves_added", "waves added"), ("waves_gone", "waves gone")):
        if found[key]:
            lines.append(line((f"{word}: ", "accent"), ", ".join(map(visible, found[key]))))
    lines += _listed("windows", (
        f"{visible(one['wave'])}: {_when(one['before'], one['before_h'])} → "
        f"{_when(one['after'], one['after_h'])}" for one in found["windows"]
    ))  # fmt: skip
    lines += _listed("VMs in another wave", (
        f"{visible(one['name'])}: {one['before'] or 'no wave'} → {one['after'] or 'no wave'}"
        for one in found["moved"]
    ))  # fmt: skip
    lines += _listed("groups of other VMs", (
        f"{visible(one['group'])}: {_members(one['before'])} → {_members(one['after'])}"
        for one in found["groups"]
    ))  # fmt: skip
    lines += _listed("disks that become something else", (
        f"{visible(names.get(one['vm'], one['vm']))}: {visible(one['before']) or 'not planned'} → "
        f"{visible(one['after']) or 'not planned'}" for one in found["remaps"]
    ))  # fmt: skip
    lines += _listed("tasks", (
        f"{visible(names.get(one['vm'], one['vm'])) or '(whole wave)'}: {visible(one['title'])}: "
        f"{one['before'] or 'none'} → {one['after'] or 'none'}" for one in found["tasks"]
    ))  # fmt: skip
    lines += _listed("now said", map(visible, found["notes_added"]))
    lines += _listed("no longer said", map(visible, found["notes_gone"]))
    return stack(lines)


def _when(start: str, hours: float | None) -> str:
    return f"{start[:16].replace('T', ' ')} UTC, {hours:g} h" if start else "no window"


def _members(many: int) -> str:
    return plural(many, "VM") if many else "no such group"


def _listed(title: str, rows: Iterable[str]) -> list[Content]:
    every = list(rows)
    if not every:
        return []
    lines = [_heading(f"{title}: {count(len(every))}"), *(line(f"  {row}") for row in every[:_SHOWN])]
    if len(every) > _SHOWN:
        lines.append(line((f"  and {count(len(every) - _SHOWN)} more", "dim")))
    return [*lines, line("")]


# the score card


def describe_card(plan: PlanHead, waves: Sequence[WaveRow], width: int) -> Content:
    """Return the score card: figures beside bounds and name order, then risk, limits and distributions."""
    from planner.waves.words import resource

    score = plan.score
    base = score.baseline
    lines = [
        line(fit("", 26), *((fit(word, 16), "accent") for word in ("this plan", "at least", "name order")))
    ]
    for name in ("waves", "makespan_h", "cut_share", "stretch_gb", "peak_share", *_COUNTED):
        lines.append(_figures(name, score, base))
    if score.binds:
        lines.append(line(("what binds  ", "dim"), visible(score.binds, 300)))
    if spread := score.makespan_spread_h:
        lines.append(line(("makespan    ", "dim"), f"P50 {spread.p50:,.1f} h, P95 {spread.p95:,.1f} h"))
        if not all(wave.window for wave in waves):
            lines.append(
                line(
                    (
                        "            without a window: above a week apart, here as soon as they are copied",
                        "dim",
                    )
                )
            )
    if score.stability is not None:
        lines.append(line(("stability   ", "dim"), f"{score.stability:.0%} of VMs stay in their wave"))
    if score.risk_ramp:
        lines += [line(""), _heading("risk in each third of the waves")]
        lines += [line(f"  {word:<7}", (bar(share, 1.0, 30), "accent"), f" {share:.0%}")
                  for word, share in zip(_THIRDS, score.risk_ramp, strict=False)]  # fmt: skip
    if score.utilisation:
        lines += [line(""), _heading("limits, filled on average, and the fullest wave")]
        for used in score.utilisation:
            most = f", at most {used.most:.0%}" if used.most is not None else ""
            lines.append(line(f"  {fit(resource(used.resource), 16)}", (bar(used.used, 1.0, 30), "accent"),
                              f" {used.used:.0%}{most}"))  # fmt: skip
    room = max(24, min(width, 72))
    known = [not isinstance(wave.size_bytes, AtLeast) for wave in waves]
    downs = [wave.downtime_min[1] * 60 if whole else None for wave, whole in zip(waves, known, strict=True)]
    sizes = [float(wave.size_bytes) if whole else None for wave, whole in zip(waves, known, strict=True)]
    for title, values, show in (
        ("downtime of a wave, P95", downs, show_duration),
        ("data of a wave", sizes, _bytes),
        ("VMs of a wave", [float(wave.vms) for wave in waves], lambda value: count(round(value))),
    ):
        lines += [line(""), _heading(title), *histogram(values, room, show, noun="wave")]
    lines += [line(""), _heading("how it was found")]
    lines += [line(f"  {visible(said, 300)}") for said in plan.method]
    seed = "?" if plan.seed is None else plan.seed
    lines.append(line((f"  seed {seed}, effort {visible(plan.effort) or '?'}", "dim")))
    return stack(lines)


def _bytes(value: float) -> str:
    return show_bytes(round(value))


def _figures(name: str, score: Score, base: Figures | None) -> Content:
    bounds = {"waves": score.waves_bound, "makespan_h": score.makespan_bound_h}
    bound = figure(name, bounds[name]) if name in bounds else ""
    mine, other = getattr(score, name), getattr(base, name) if base is not None else None
    tone = "bad" if name.endswith("violations") and mine else ""
    return line(fit(_NAMES[name], 26), (fit(figure(name, mine), 16), tone), fit(bound, 16),
                fit(figure(name, other), 16))  # fmt: skip
