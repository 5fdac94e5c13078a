"""From a site's url in the settings to something that can be asked and told."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from planner.errors import BadInput, Blocked

if TYPE_CHECKING:
    from migrate.sites.lab.client import LabSite
    from planner.settings import Settings


def lab_directory(url: str, root: Path) -> Path:
    """Return the directory of a ``lab:`` url, relative ones counted from the project."""
    return (root / url.removeprefix("lab:")).resolve()


def open_site(settings: Settings, role: str, root: Path) -> LabSite:
    """Open the site that has a role, for acting on it; raises BadInput, Blocked, Unreachable."""
    found = [(name, site) for name, site in settings.sites.items() if site.role == role]
    if not found:
        raise BadInput(f"the project has no {role} site", f"run 'wherry site add NAME lab:DIR --role {role}'")
    name, site = found[0]
    if site.url.startswith("lab:"):
        from migrate.sites.lab.client import LabSite

        return LabSite.connect(lab_directory(site.url, root), start=True)
    if site.url.startswith("simulated:"):
        raise Blocked(f"site {name} is simulated and holds no VMs to move", "use 'wherry rehearse' instead")
    raise Blocked(
        f"site {name} is a vCenter, and acting on one is not built yet",
        "see docs/limits.md; a lab site does everything",
    )
