"""From a site's url in the settings to something that can be asked and told, in this process and others.

    url in the settings     lab:lab/dc1                vcenter://USER@HOST
    where it is             lab:/abs/lab/dc1           vcenter:/abs/PROJECT/sites/NAME

Every site has a folder: a lab lives in it, of a vCenter it holds what a process needs to log in there. The
site's receiver keeps its socket and what it remembers in it. ``where`` is all that movers and receivers get.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from planner.errors import BadInput, Blocked
from planner.names import visible

if TYPE_CHECKING:
    from migrate.sites.ports import Capability
    from migrate.sites.reached import Reached
    from planner.settings import Settings


def lab_directory(url: str, root: Path) -> Path:
    """Return the directory of a ``lab:`` url, relative ones counted from the project."""
    return (root / url.removeprefix("lab:")).resolve()


def folder_of(where: str) -> Path:
    """Return the folder of a site: ``run`` and ``state`` are in it."""
    return Path(where.partition(":")[2])


def open_site(settings: Settings, role: str, root: Path) -> Reached:
    """Open the site that has a role, for acting on it; raises BadInput, Blocked, Unreachable."""
    found = [(name, site) for name, site in settings.sites.items() if site.role == role]
    if not found:
        raise BadInput(f"the project has no {role} site", f"run 'wherry site add NAME lab:DIR --role {role}'")
    name, site = found[0]
    where = where_of(name, site.url, root)
    if where.startswith("vcenter:"):
        _check_login(name, site.url, where)
    return open_at(where)


def where_of(name: str, url: str, root: Path) -> str:
    """Return where a site of the settings is; raises Blocked for one that is nowhere."""
    if url.startswith("lab:"):
        return f"lab:{lab_directory(url, root)}"
    if url.startswith("simulated:"):
        raise Blocked(f"site {name} is simulated and holds no VMs to move", "use 'wherry rehearse' instead")
    from migrate.sites.vsphere.folder import VCenterFolder

    return VCenterFolder.of(root, name).where


def capabilities_of(url: str) -> frozenset[Capability]:
    """Return what the kind of site that a url in the settings means can do; nothing is opened."""
    if url.startswith("vcenter:"):
        from migrate.sites.vsphere.site import CAPABILITIES as OF_VCENTERS

        return OF_VCENTERS
    from migrate.sites.lab.client import CAPABILITIES as OF_LABS

    return OF_LABS


def _check_login(name: str, url: str, where: str) -> None:
    """Raise Blocked unless a login is kept of the vCenter that the settings mean."""
    from migrate.sites.vsphere.folder import VCenterFolder

    kept, shown = VCenterFolder(folder_of(where)).find_kept(), visible(name, 80)
    hint = f"run 'wherry site login {shown}'"
    if kept is None:
        raise Blocked(f"no login is kept of site {shown}", hint)
    if kept.url != url:
        raise Blocked(f"site {shown} is another vCenter since its login was kept", hint)


def open_at(where: str) -> Reached:
    """Open a site by what ``Reached.where`` said of it; raises BadInput, Unreachable."""
    if where.startswith("lab:"):
        from migrate.sites.lab.client import LabSite

        return LabSite.connect(folder_of(where), start=True)
    if where.startswith("vcenter:"):
        from migrate.sites.vsphere.entering import enter
        from migrate.sites.vsphere.folder import VCenterFolder

        return enter(VCenterFolder(folder_of(where)))
    raise BadInput(f"nobody knows how to open a site at {visible(where, 200)}", "report this")
