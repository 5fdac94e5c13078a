"""Certificates that a person said yes to, by endpoint. Writes ``trusted_certificate``.

A pin is the SHA-256 of the only certificate that an endpoint may show. The newest word counts; older
ones stay, so that it can be said who trusted what and when.
"""

from __future__ import annotations

from planner.store.project import Project, utc_now


def pin_of(project: Project, endpoint: str) -> str | None:
    """Return the thumbprint an endpoint is pinned to, None when nobody pinned it."""
    rows = project.rows(
        "SELECT thumbprint FROM trusted_certificate WHERE endpoint = ? ORDER BY id DESC LIMIT 1", endpoint
    )
    return str(rows[0]["thumbprint"]) if rows else None


def pin(project: Project, endpoint: str, thumbprint: str, who: str) -> None:
    """Record that a person trusts exactly this certificate of an endpoint."""
    with project.write() as db:
        db.table("trusted_certificate").insert(
            {"endpoint": endpoint, "thumbprint": thumbprint, "at": utc_now(), "who": who}
        )
