"""The groups of a plan, wave by wave, as a Mermaid flowchart; the hottest bonds across waves stand out.

Every character of a name that is no letter, digit, blank, hyphen or low line is written as its number
(``#35;``), which Mermaid shows and never obeys: no quote ends, no directive, comment or link begins.
"""

from __future__ import annotations

from planner.export.bonds import heat, left_out, picture
from planner.export.printout import Printout
from planner.names import visible

# Mermaid refuses more than 500 edges and 50,000 characters unless a page raises its limits.
_MOST_GROUPS, _MOST_BONDS = 300, 150
_LABEL = 60


def quoted(text: str, width: int = _LABEL) -> str:
    """Return text as Mermaid shows it letter by letter, shortened to ``width`` characters."""
    return "".join(
        char if char.isalnum() or char in " -_" else f"#{ord(char)};" for char in visible(text, width)
    )


def render(printout: Printout) -> bytes:
    """Return the flowchart's bytes: a box a wave, a node a group, an edge a bond."""
    shown = picture(printout, _MOST_GROUPS, _MOST_BONDS)
    lines = ["flowchart LR"]
    if words := left_out(shown):
        lines.append(f"  %% {words}")
    for at, wave in enumerate(printout.plan.waves):
        mine = [place for place in shown.places if place.wave_number == at]
        if not mine:
            continue
        lines.append(f'  subgraph w{at}["{quoted(f"{wave.name} {wave.title}")}"]')
        for place in mine:
            count = len(place.group.vms)
            lines.append(f'    g{place.number}["{quoted(place.group.name)} {count} VM{"s" * (count != 1)}"]')
        lines.append("  end")
    for bond in shown.bonds:
        arrow = "==>" if bond.across else "-.->"
        lines.append(f'  g{bond.a} {arrow}|"{quoted(heat(bond))}"| g{bond.b}')
    across = [str(at) for at, bond in enumerate(shown.bonds) if bond.across]
    if across:
        lines.append(f"  linkStyle {','.join(across)} stroke:#b3261e,stroke-width:3px")
    if not shown.places:
        lines.append('  none["no wave"]')
    return ("\n".join(lines) + "\n").encode("utf-8")
