"""What is done to one disk with no run around it, noted in the log of a project when one is named."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tui.cli.options import open_project


@contextmanager
def noted(
    project_dir: Path | None, act: str, done: str, volume: str, told: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """Note that an act on a volume begins, and that it is ``done`` or failed, with what came of it."""
    from migrate import audit
    from planner.effects import Effect
    from planner.errors import WherryError

    def note(what: str, detail: dict[str, Any]) -> None:
        if project_dir is not None:
            with open_project(project_dir) as project:
                audit.note(project, Effect.LIVE, what, volume, detail)

    came_of_it: dict[str, Any] = {}
    note(act, told)
    try:
        yield came_of_it
    except WherryError as error:
        note(f"{act} failed", told | came_of_it | {"why": error.message})
        raise
    note(done, told | came_of_it)


def must_be_named(what: str, text: str, option: str) -> None:
    """Raise BadInput unless ``text`` may name something to a receiver."""
    from planner.errors import BadInput

    if not 0 < len(text) <= 512 or any(0xD800 <= ord(letter) < 0xE000 for letter in text):
        raise BadInput(f"{what} is 1 to 512 characters of Unicode", f"give another {option}")
