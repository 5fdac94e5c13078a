"""The dependency drawing: groups in the order of their waves, bonds as arcs, hot ones across waves in red."""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt

from planner.export.bonds import Bond, Picture, Place, heat, left_out, picture
from planner.export.html.markup import Html, box, drawing, joined, label, tag
from planner.export.printout import Printout
from planner.names import visible
from planner.units import show_count

_MOST_GROUPS, _MOST_BONDS, _NAMED = 56, 120, 6
_WIDTH, _SPINE, _ROW = 1120.0, 350.0, 19.0
_BANDS = ("#f4f7fa", "#ffffff")


def _bands(places: tuple[Place, ...]) -> Iterator[Html]:
    at = 0
    order = list(dict.fromkeys(place.wave_number for place in places))
    for turn, number in enumerate(order):
        mine = [place for place in places if place.wave_number == number]
        yield box(0, at * _ROW, _WIDTH, len(mine) * _ROW, fill=_BANDS[turn % 2])
        yield label(8, at * _ROW + 14, mine[0].wave.name, class_="strong")
        at += len(mine)


def _nodes(places: tuple[Place, ...]) -> Iterator[Html]:
    for at, place in enumerate(places):
        y = (at + 0.5) * _ROW
        count = len(place.group.vms)
        about = f"{place.group.name}: {show_count(count, 'VM')} in {place.wave.name}"
        text = f"{visible(place.group.name, 42)} · {count}"
        yield label(_SPINE - 14, y + 4, text, anchor="end")
        yield tag(
            "circle", tag("title", about), cx=_SPINE, cy=y, r=min(2.5 + sqrt(count), 8.0), fill="#1f3a5f"
        )


def _arc(bond: Bond, y: tuple[float, float], most: float, about: str) -> Html:
    share = sqrt((bond.traffic_bytes or bond.ties) / most) if most else 0.0
    reach = _SPINE + min(60 + 0.75 * abs(y[1] - y[0]), _WIDTH - _SPINE - 70) * 4 / 3
    return tag(
        "path",
        tag("title", about),
        d=f"M{_SPINE:.0f} {y[0]:.1f}C{reach:.0f} {y[0]:.1f} {reach:.0f} {y[1]:.1f} {_SPINE:.0f} {y[1]:.1f}",
        fill="none",
        stroke="#b3261e" if bond.across else "#9aa9b8",
        stroke_width=1.0 + 6.0 * share,
        stroke_opacity=0.35 + 0.5 * share if bond.across else 0.6,
    )


def _bonds(shown: Picture) -> Iterator[Html]:
    rows = {place.number: (at + 0.5) * _ROW for at, place in enumerate(shown.places)}
    named = {place.number: place for place in shown.places}
    watched = any(bond.traffic_bytes for bond in shown.bonds)
    most = float(max((bond.traffic_bytes if watched else bond.ties for bond in shown.bonds), default=0))
    words: list[Html] = []
    for bond in reversed(shown.bonds):  # the hottest last, on top
        y = (rows[bond.a], rows[bond.b])
        ends = [f"{named[end].group.name} ({named[end].wave.name})" for end in (bond.a, bond.b)]
        yield _arc(bond, y, most, f"{ends[0]} and {ends[1]}: {heat(bond)}")
    for bond in [bond for bond in shown.bonds if bond.across][:_NAMED]:
        y = (rows[bond.a], rows[bond.b])
        x = _SPINE + min(60 + 0.75 * abs(y[1] - y[0]), _WIDTH - _SPINE - 70)
        words.append(label(x + 6, sum(y) / 2 + 4, heat(bond), class_="strong"))
    yield from words


def dependencies(printout: Printout) -> Html:
    """Return the drawing with its key, or a sentence when no group needs another."""
    shown = picture(printout, _MOST_GROUPS, _MOST_BONDS)
    if not shown.bonds:
        return tag(
            "p", "No dependency between two groups is known: import flows, or tell wherry what needs what."
        )
    parts = (*_bands(shown.places), *_bonds(shown), *_nodes(shown.places))
    across = sum(bond.across for bond in shown.bonds)
    key = tag(
        "p",
        tag("i", class_="hot"), "between waves",
        tag("i", class_="cool"), "inside a wave",
        f" · width by traffic · {show_count(across, 'bond')} across waves drawn · shared services left aside",
        f" · {words}" if (words := left_out(shown)) else None,
        class_="key",
    )  # fmt: skip
    title = "Groups by wave and what ties them"
    return joined((key, tag("figure", drawing(_WIDTH, len(shown.places) * _ROW, title, *parts))))
