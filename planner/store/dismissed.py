"""Suggested applications that a person does not want to be told again. Writes ``suggestion_dismissed``.

One is known by its title and its VMs: when others join it, it is another one and told again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from planner.candidates.suggest import Suggestion
from planner.errors import NotFound
from planner.names import visible
from planner.store.project import Project, utc_now


def title_of(one: Suggestion) -> str:
    """Return what a suggestion is called: its name and its environment."""
    return f"{one.name} {one.environment}".strip()


def parted(
    project: Project, found: Iterable[Suggestion]
) -> tuple[tuple[Suggestion, ...], tuple[Suggestion, ...]]:
    """Return the suggestions to be told, and those that were dismissed."""
    known = {
        row["title"]: frozenset(json.loads(row["vms"]))
        for row in project.rows("SELECT title, vms FROM suggestion_dismissed")
    }
    told: list[Suggestion] = []
    dismissed: list[Suggestion] = []
    for one in found:
        vms = known.get(title_of(one).casefold())
        is_old = vms is not None and vms >= {member.vm for member in one.members}
        (dismissed if is_old else told).append(one)
    return tuple(told), tuple(dismissed)


def listed(project: Project) -> tuple[tuple[str, str, str], ...]:
    """Return title (case folded), who and when of all that is dismissed."""
    rows = project.rows("SELECT title, who, at FROM suggestion_dismissed ORDER BY at")
    return tuple((row["title"], row["who"], row["at"]) for row in rows)


def dismiss(project: Project, one: Suggestion, who: str) -> None:
    """Remember that a suggestion is not to be told again."""
    vms: Sequence[str] = sorted(member.vm for member in one.members)
    with project.write() as db:
        db.conn.execute(
            "INSERT OR REPLACE INTO suggestion_dismissed (title, vms, who, at) VALUES (?, ?, ?, ?)",
            (title_of(one).casefold(), json.dumps(vms), who, utc_now()),
        )


def bring_back(project: Project, title: str) -> None:
    """Let a suggestion be told again; raises NotFound for one that nobody dismissed."""
    with project.write() as db:
        gone = db.conn.execute(
            "DELETE FROM suggestion_dismissed WHERE title = ?", (title.strip().casefold(),)
        ).rowcount
    if not gone:
        raise NotFound(
            f"nobody dismissed a suggestion called {visible(title, 60)}",
            "see 'wherry deps suggest --dismissed'",
        )
