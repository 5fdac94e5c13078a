"""What an act may change. Shown on screens, in help and on every audit line."""

from __future__ import annotations

from enum import StrEnum


class Effect(StrEnum):
    """From harmless to final. Everything from LIVE up touches a site."""

    VIEW = "view"
    EDIT_PLAN = "edit-plan"
    DRY_RUN = "dry-run"
    LIVE = "live"
    DESTRUCTIVE = "destructive"

    @property
    def touches_sites(self) -> bool:
        """True for effects that change something outside the project."""
        return self in (Effect.LIVE, Effect.DESTRUCTIVE)
