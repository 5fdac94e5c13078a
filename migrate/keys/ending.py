"""How long a bundle still counts, said in time: keys that end in the middle of a migration stop it."""

from __future__ import annotations

from datetime import datetime, timedelta

from migrate.keys.bundle import Bundle

WARN = timedelta(days=14)


def has_ended(bundle: Bundle, now: datetime) -> bool:
    """Tell whether a bundle counts no more."""
    return now > bundle.not_after


def warning(bundle: Bundle, now: datetime) -> str:
    """Return a sentence when the keys end within ``WARN`` or have ended, else nothing."""
    if now + WARN < bundle.not_after:
        return ""
    said = "ended" if has_ended(bundle, now) else "end"
    return f"the keys of the {bundle.holder} {said} at {bundle.not_after:%Y-%m-%d %H:%M} UTC, issue new ones"
