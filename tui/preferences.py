"""What a person likes: theme, ASCII, calm, guide, keys, columns of each table. One JSON file of theirs.

    {"theme": "harbour", "ascii": false, "keys": {"filter": "ctrl+f"}, "columns": {"inventory": ["name"]}}

It lies at ``$XDG_CONFIG_HOME/wherry/ui.json`` and holds nothing of any project.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from planner.errors import BadInput
from planner.names import visible


@dataclass(frozen=True, slots=True)
class Preferences:
    """Likes of one person; the defaults are wherry's own."""

    theme: str = "harbour"
    ascii: bool = False
    calm: bool = False  # changed cells do not flash
    guide: bool = True  # the first steps are shown while some are left
    keys: Mapping[str, str] = field(default_factory=dict)  # action id → keys, parted by commas
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # place → names, in order


_KINDS: dict[str, type] = {
    "theme": str,
    "ascii": bool,
    "calm": bool,
    "guide": bool,
    "keys": dict,
    "columns": dict,
}


def preferences_file() -> Path:
    """Return where the preferences of this person lie."""
    home = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(home) / "wherry" / "ui.json"


def _wrong(path: Path, why: str) -> BadInput:
    return BadInput(f"{path}: {why}", "mend the file, or move it away to begin with wherry's own")


def for_session(path: Path, theme: str | None, ascii_only: bool) -> tuple[Preferences, BadInput | None]:
    """Return the preferences in a file with what was asked for this once, and what is wrong with the file.

    With a file that cannot be used they are wherry's own. Raises BadInput for a theme that there is not.
    """
    from tui.theme import theme_names

    kept, wrong = Preferences(), None
    try:
        kept = load(path)
    except BadInput as error:
        wrong = error
    if theme is not None and theme not in theme_names():
        known = ", ".join(theme_names())
        raise BadInput(f"there is no theme {visible(theme, 40)!r}", f"take one of {known}")
    return replace(kept, theme=theme or kept.theme, ascii=ascii_only or kept.ascii), wrong


def load(path: Path) -> Preferences:
    """Return the preferences in a file, the defaults when there is none; raises BadInput."""
    try:
        text = path.read_text("utf-8")
        said = json.loads(text)
    except FileNotFoundError:
        return Preferences()
    except (OSError, ValueError) as error:
        raise _wrong(path, f"cannot be read as JSON: {visible(str(error), 80)}") from error
    if not isinstance(said, dict):
        raise _wrong(path, "holds no JSON object")
    for name, value in said.items():
        if name not in _KINDS:
            raise _wrong(path, f"has an unknown word {visible(str(name), 40)}; known are {', '.join(_KINDS)}")
        if not isinstance(value, _KINDS[name]):
            raise _wrong(path, f"{name} must be a {_KINDS[name].__name__}")
    if "theme" in said:
        _theme(path, said["theme"])
    return Preferences(**{**said, "keys": _keys(path, said, text), "columns": _columns(path, said)})


def _theme(path: Path, name: str) -> None:
    from tui.theme import theme_names

    if name not in theme_names():
        raise _wrong(path, f"there is no theme {visible(name, 40)}; known are {', '.join(theme_names())}")


def _keys(path: Path, said: dict[str, Any], text: str) -> dict[str, str]:
    from tui.actions.keymap import checked

    keys = said.get("keys", {})
    if not all(isinstance(value, str) and value for value in keys.values()):
        raise _wrong(path, "keys: every action needs a key as text")
    rows: dict[str, int] = {}
    for row, line in enumerate(text.splitlines(), 1):
        for name in keys:
            if json.dumps(name) in line:
                rows[name] = row  # the last one counts, as in JSON
    return checked(keys, str(path), rows)


def _columns(path: Path, said: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    columns = said.get("columns", {})
    for place, names in columns.items():
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise _wrong(path, f"columns: {visible(str(place), 40)} must be a list of names")
    return {place: tuple(names) for place, names in columns.items()}


def keep_changes(path: Path, old: Preferences, new: Preferences) -> None:
    """Write what differs between the two into the file; raises BadInput, OSError.

    The rest of the file stays: what was said for one session only, or changed by another one.
    """
    changed = {
        item.name: getattr(new, item.name)
        for item in fields(Preferences)
        if getattr(new, item.name) != getattr(old, item.name)
    }
    if changed:
        _save(path, replace(load(path), **changed))


def _save(path: Path, preferences: Preferences) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{os.getpid()}.new")
    # whole or not at all
    fresh.write_text(json.dumps(asdict(preferences), indent=2, ensure_ascii=False) + "\n", "utf-8")
    fresh.replace(path)
