"""The groups of a plan, wave by wave, for Graphviz: all of them, with every bond and its weight.

Names stand in quoted strings only. Graphviz reads escapes and HTML entities inside those, so that
backslashes, quotes and ampersands are written as it shows them.
"""

from __future__ import annotations

from planner.export.bonds import Bond, bonds, heat, places
from planner.export.printout import Printout
from planner.names import visible
from planner.units import show_count

_HEAVIEST = 6.0  # points of the thickest line


def quoted(text: str) -> str:
    """Return text as a quoted string that Graphviz shows letter by letter."""
    shown = visible(text).replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{shown}"'


def _edge(bond: Bond, most: int) -> str:
    width = 1 + (_HEAVIEST - 1) * bond.traffic_bytes / most if most else 1.0
    looks = f"color={'red3' if bond.across else 'gray60'}, penwidth={width:.2f}"
    return f"  g{bond.a} -- g{bond.b} [label={quoted(heat(bond))}, {looks}];"


def render(printout: Printout) -> bytes:
    """Return the graph's bytes: a cluster a wave, a node a group."""
    found, there = bonds(printout), places(printout)
    lines = [
        f"graph {quoted(printout.plan.project)} {{",
        "  rankdir=LR; newrank=true; node [shape=box, style=rounded];",
    ]
    for at, wave in enumerate(printout.plan.waves):
        lines += [f"  subgraph cluster_{at} {{", f"    label={quoted(f'{wave.name} {wave.title}')};"]
        for place in there:
            if place.wave_number == at:
                label = f"{place.group.name}, {show_count(len(place.group.vms), 'VM')}"
                lines.append(f"    g{place.number} [label={quoted(label)}];")
        lines.append("  }")
    most = max((bond.traffic_bytes for bond in found), default=0)
    lines += [_edge(bond, most) for bond in found]
    return ("\n".join([*lines, "}"]) + "\n").encode("utf-8")
