"""What a check asks, why it matters and what helps, as one text; and how many it found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from planner.names import visible
from tui.text import count, line, plural, stack
from tui.theme import severity_mark

if TYPE_CHECKING:
    from textual.content import Content

    from tui.found import FoundRow


def describe_check(
    row: Sequence[Any] | None, said: Mapping[str, Any] | None, finding: FoundRow | None
) -> Content:
    """Return the text on a check: what was found, its remedy, then all there is to know of the check."""
    lines: list[Content] = []
    if finding is not None:
        mark = severity_mark(finding.severity.value)
        lines.append(line((f"{mark.glyph} ", mark.tone), visible(finding.message)))
        if finding.waiver:
            lines.append(line(("✔ accepted  ", "good"), visible(finding.waiver)))
    remedy = finding.remedy if finding is not None else str((said or {}).get("remedy", ""))
    if remedy:
        lines.append(line(("→ ", "accent"), visible(remedy)))
    if said is not None:
        if lines:
            lines.append(line(""))
        lines += _known(said, remedy)
    if row is not None:
        lines += [line(""), _numbers(row)]
    return stack(lines)


def _known(said: Mapping[str, Any], told: str) -> list[Content]:
    """Return what a check is; ``told`` is the remedy that stands there already."""
    lines = [line((visible(said["title"]), "accent")), _weight(said["severities"])]
    texts = [
        ("asks", f"every {said['about']}: {said['condition'] or said['title']}"),
        ("why", said["why"]),
        ("remedy", said["remedy"] if said["remedy"] != told else ""),
        ("takes", said["takes"]),
        ("source", said["reference"]),
        ("looks at", ", ".join(said["properties"])),
    ]
    return [*lines, *(line((f"{name:<9} ", "dim"), visible(text)) for name, text in texts if text)]


def _weight(severities: Mapping[str, str]) -> Content:
    """Say how much a finding weighs by each way to move, once when they agree."""
    methods: dict[str, list[str]] = {}
    for method, word in severities.items():
        methods.setdefault(word, []).append(method)
    parts: list[str | tuple[str, str]] = []
    for word, how in methods.items():
        mark = severity_mark(word)
        parts += [(mark.text, mark.tone), f" moving {' or '.join(how)}   "]
    return line(*parts)


def _numbers(row: Sequence[Any]) -> Content:
    words = [plural(row[4], "finding")]
    if row[5]:
        words.append(f"{count(row[5])} accepted")
    if row[6]:
        words.append(f"? {plural(row[6], 'object')} undecided: the source does not say enough")
    return line((" · ".join(words), "dim"))
