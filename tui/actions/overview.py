"""Actions of Overview."""

from __future__ import annotations

from tui.actions.action import Action

OVERVIEW = (Action("guide", "H", "show or hide the first steps", "guide", ("overview",)),)
