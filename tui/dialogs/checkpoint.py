"""Asks for a checkpoint of a group: its name, and whether it is kept."""

from __future__ import annotations

from planner.names import visible
from tui.dialogs.form import Ask, Form
from tui.text import line


def checkpoint_form(group: str) -> Form:
    """Return the form for WAVE/GROUP; its answers are ``name`` and ``pin``."""
    asks = [
        Ask("name", "Name of the checkpoint", placeholder="before the patch"),
        Ask("pin", "Keep it until it is unpinned", yes_no=True),
    ]
    said = line("It stands for what the target holds, once no round is under way.")
    return Form(f"Checkpoint of {visible(group, 50)}", asks, "Make it", said)
