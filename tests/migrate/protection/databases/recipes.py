"""What docs/protection.md tells people to write, read out of it: tests follow it word by word."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

_DOCS = Path(__file__).resolve().parents[4] / "docs" / "protection.md"


def recipe(heading: str, first: str) -> str:
    """Return the block of code under a heading whose first line begins so."""
    _, _, below = _DOCS.read_text("utf-8").partition(f"\n### {heading}\n")
    part = re.split(r"^##", below, maxsplit=1, flags=re.MULTILINE)[0]
    blocks = re.findall(r"^```\w+\n(.*?)^```$", part, re.DOTALL | re.MULTILINE)
    (block,) = [block for block in blocks if block.startswith(first)]
    return str(block)


def placed(text: str, places: Mapping[str, str]) -> str:
    """Return a recipe with the names of hosts and files that are said in it replaced by those of a test."""
    for said, ours in places.items():
        assert said in text, f"the recipe says nothing of {said}"
        text = text.replace(said, ours)
    return text


# Limits far away: a machine that is shared with others is no failure.
PATIENT = {
    'consistency = "application"': 'consistency = "application"\nfreeze_limit = "5m"\nhook_limit = "10m"'
}


def written(path: Path, text: str, mode: int) -> Path:
    """Write what a recipe says."""
    path.write_text(text, "utf-8")
    path.chmod(mode)
    return path
