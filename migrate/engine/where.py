"""Where a project's engine keeps its rows: in ``engine.db``, or in the user's PostgreSQL for a fleet.

The url stands in ``project.db``. It never holds a password: libpq finds one in its password file.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from migrate import audit
from planner.effects import Effect
from planner.errors import BadInput
from planner.names import visible
from planner.store.project import Project

_KEY = "engine_url"
_SCHEMES = ("postgresql", "postgres")


def url_of(project: Project) -> str:
    """Return the url, empty for the file."""
    rows = project.rows("SELECT value FROM project WHERE key = ?", _KEY)
    return str(rows[0]["value"]) if rows else ""


def use(project: Project, url: str) -> None:
    """Keep rows there from the engine's next start on; raises BadInput for what is no such url."""
    if url:
        check(url)
    with project.write() as db:
        db.table("project").upsert({"key": _KEY, "value": url}, pk="key")
        audit.add(db, audit.person(), Effect.LIVE, "engine use", url or "embedded")


def check(url: str) -> None:
    """Raise BadInput when that is no PostgreSQL url, or holds a password."""
    try:
        parts = urlsplit(url)
        password = parts.password
    except ValueError:
        raise BadInput(f"{visible(url)} is no url", "write postgresql://USER@HOST/DATABASE") from None
    if parts.scheme not in _SCHEMES:
        raise BadInput(
            f"{visible(url)} is no PostgreSQL", "write postgresql://USER@HOST/DATABASE, or --embedded"
        )
    if password is not None:
        raise BadInput(
            "the url of the engine's database holds a password, and urls are shown and stored",
            "take it out and put it into ~/.pgpass",
        )
