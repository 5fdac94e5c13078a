"""Bar charts as inline SVG: one bar a wave, and findings by family."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import ceil, floor, log10

from planner.checks.registry import Readiness
from planner.export.html.markup import Html, box, drawing, label, tag
from planner.export.html.tables import number
from planner.export.printout import Printout
from planner.model import Severity
from planner.scores import complexities
from planner.units import TIB

_WIDTH, _HEIGHT = 540.0, 210.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, 16.0, 14.0, 24.0
_DEEP, _PALE, _WARM, _BAD, _LINE = "#1f3a5f", "#9db8d9", "#d98f2b", "#b3261e", "#d9e0e7"
_SEVERITIES = {Severity.BLOCKER: _BAD, Severity.WARNING: _WARM, Severity.INFO: _PALE}
_MOST_LABELS = 14


def _step(most: float) -> float:
    """Return the distance of grid lines: 1, 2 or 5 times a power of ten, about four of them."""
    rough = most / 4
    power = 10.0 ** floor(log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)


def bars(
    title: str,
    unit: str,
    names: Sequence[str],
    series: Sequence[tuple[str, str, Sequence[float]]],
    limit: float | None = None,
    most: float | None = None,
) -> Html:
    """Return a figure with a group of bars for each name; ``series`` is (name, colour, values).

    A line is drawn at ``limit``. Bars higher than ``most`` end there and say their value.
    """
    highest = max([limit or 0.0, *(value for _, _, values in series for value in values)]) or 1.0
    most = min(highest, most or highest)
    step = _step(most)
    top = ceil(most / step) * step
    room = _HEIGHT - _TOP - _BOTTOM
    parts: list[Html] = []
    for line in range(round(top / step) + 1):
        y = _HEIGHT - _BOTTOM - room * line * step / top
        parts.append(tag("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=y, y2=y, stroke=_LINE))
        shown = number(round(line * step, 2)) if step < 1 else number(round(line * step))
        parts.append(label(_LEFT - 6, y + 4, shown, anchor="end", class_="soft"))
    pitch = (_WIDTH - _LEFT - _RIGHT) / max(len(names), 1)
    width = min(pitch * 0.76, 48.0) / len(series)
    every = ceil(len(names) / _MOST_LABELS)
    for at, name in enumerate(names):
        middle = _LEFT + pitch * (at + 0.5)
        for which, (called, colour, values) in enumerate(series):
            height = room * min(values[at], most) / top
            x = middle - width * len(series) / 2 + width * which
            about = f"{name}: {number(round(values[at], 1))} {unit}, {called}"
            parts.append(box(x, _HEIGHT - _BOTTOM - height, width, height, about, fill=colour))
            if values[at] > most:
                over = number(round(values[at]))
                parts.append(label(middle, _HEIGHT - _BOTTOM - height - 3, over, anchor="middle"))
        if at % every == 0:
            parts.append(label(middle, _HEIGHT - 8, name, anchor="middle", class_="soft"))
    if limit is not None:
        y = _HEIGHT - _BOTTOM - room * limit / top
        parts.append(
            tag(
                "line",
                x1=_LEFT,
                x2=_WIDTH - _RIGHT,
                y1=y,
                y2=y,
                stroke=_BAD,
                stroke_width=1.5,
                stroke_dasharray="5 4",
            )
        )
    caption = tag("figcaption", title, " ", tag("span", unit))
    return tag("figure", caption, drawing(_WIDTH, _HEIGHT, f"{title} ({unit}), wave by wave", *parts))


def findings_by_family(printout: Printout) -> Html:
    """Return a figure with open findings, one line a family of checks."""
    counted: dict[str, Counter[Severity]] = {}
    for item in printout.findings:
        if not item.waiver:
            counted.setdefault(item.check.split(".")[0], Counter())[item.severity] += 1
    families = sorted(counted.items(), key=lambda pair: (-pair[1].total(), pair[0]))
    most = max((found.total() for _, found in families), default=1)
    line, left, right = 19.0, 130.0, 50.0
    parts: list[Html] = []
    for at, (family, found) in enumerate(families):
        x, y = left, at * line
        parts.append(label(left - 8, y + 13, family[:20], anchor="end"))
        for severity, colour in _SEVERITIES.items():
            width = (_WIDTH - left - right) * found[severity] / most
            about = f"{family}: {found[severity]} {severity.value}"
            parts += [box(x, y + 3, width, line - 6, about, fill=colour)] if found[severity] else []
            x += width
        parts.append(label(x + 6, y + 13, number(found.total()), class_="soft"))
    if not families:
        parts.append(label(0, 14, "No open finding."))
    height = max(len(families) * line, line)
    caption = tag("figcaption", "Findings by family ", tag("span", "open, waived ones left aside"))
    return tag("figure", caption, drawing(_WIDTH, height, "Open findings by family of checks", *parts))


def _points(printout: Printout) -> dict[str, int]:
    readiness = Readiness(printout.findings, dict(printout.unknown or {}))
    return {item.id: item.points for item in complexities(printout.inventory, readiness)}


def wave_charts(printout: Printout) -> tuple[Html, ...]:
    """Return what each wave carries, how full and how hard it is."""
    waves = printout.plan.waves
    names = [wave.name for wave in waves]
    caps = printout.settings.caps if printout.settings else None
    vms = [float(len(wave.vms)) for wave in waves]
    tib = [wave.size_bytes / TIB for wave in waves]
    points = _points(printout)
    found = [
        bars("VMs per wave", "VMs", names, (("VMs", _DEEP, vms),), caps.vms if caps else None),
        bars("Size per wave", "TiB", names, (("provisioned", _DEEP, tib),), caps.tib if caps else None),
    ]
    if caps:
        shares = (
            ("of the VMs", _DEEP, [100 * value / caps.vms for value in vms]),
            ("of the TiB", _PALE, [100 * value / caps.tib for value in tib]),
        )
        found.append(bars("Utilisation", "% of the cap: VMs dark, TiB light", names, shares, 100.0, 200.0))
    down = (
        ("P50", _PALE, [wave.estimate.downtime_min.p50 / 60 for wave in waves]),
        ("P95", _DEEP, [wave.estimate.downtime_min.p95 / 60 for wave in waves]),
    )
    found.append(bars("Downtime", "hours: P50 light, P95 dark", names, down))
    mean = [sum(points.get(vm.id, 0) for vm in wave.vms) / max(len(wave.vms), 1) for wave in waves]
    ramp = (("points", _WARM, mean),)
    found.append(bars("Risk ramp", "points of difficulty per VM, easy waves first", names, ramp))
    return tuple(found)
