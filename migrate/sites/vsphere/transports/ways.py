"""The ways to a vCenter's disks that the settings of a site set up on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from migrate.sites.vsphere.connection import Connection
from migrate.sites.vsphere.tasks import Tasks
from migrate.sites.vsphere.transports.attachments import Attachments
from migrate.sites.vsphere.transports.blockdevices import BlockDevices
from migrate.sites.vsphere.transports.carrier import Carrier
from migrate.sites.vsphere.transports.datastore_http import DatastoreHttp
from migrate.sites.vsphere.transports.hanging import Hanging
from migrate.sites.vsphere.transports.hotadd import HotAdd
from migrate.sites.vsphere.transports.local import LocalFiles
from migrate.sites.vsphere.transports.mover_vm import MoverVM
from migrate.sites.vsphere.transports.nbd import Nbd, Vddk, sha1_of
from migrate.sites.vsphere.transports.ports import Transport
from migrate.sites.vsphere.transports.slots import Limits, Slots, http_places, nbd_places
from planner.errors import NotFound, SiteRefused
from planner.names import content_id, visible
from planner.sources.vcenter.paths import Kind
from planner.sources.vcenter.places import entity_name
from planner.sources.vcenter.values import text

if TYPE_CHECKING:
    from planner.settings_sites import Site

_NAMED = Kind("virtual machines", ("VirtualMachine",), {"VirtualMachine": ("name",)})


@dataclass(frozen=True, slots=True)
class Reach:
    """What this machine has to reach disks by.

    ``mounts`` leads from a datastore's name to where it is mounted, ``vddk`` is the folder of the user's own
    VDDK, ``mover`` the name of the VM that this machine is, ``devices`` where its dev and sys are.
    ``carrier`` is the name of the VM that replicas hang on while VDDK opens them.
    """

    mounts: Mapping[str, Path] = field(default_factory=dict)
    vddk: Path | None = None
    mover: str = ""
    devices: Path = Path("/")
    carrier: str = ""

    @classmethod
    def of(cls, site: Site) -> Reach:
        """Return what the settings of a site say."""
        mounts = {store: Path(path) for store, path in site.mounts.items()}
        vddk = Path(site.vddk) if site.vddk else None
        return cls(mounts, vddk, site.mover, Path(site.devices), site.carrier)


def ways_to(
    connection: Connection, tasks: Tasks, reach: Reach, folder: Path, limits: Limits | None = None
) -> tuple[Transport, ...]:
    """Return the transports of a site; those that are not set up say so when they are asked.

    ``folder`` is this machine's: what is attached and what is taken of ``limits`` is kept there, for all
    processes. Raises NotFound, SiteRefused for a mover that is not one VM, Unreachable.
    """
    slots, limits, vcenter = Slots(folder / "slots"), limits or Limits(), connection.identity
    login, libraries = connection.session.login, reach.vddk

    def hanging(role: str, name: str) -> Hanging | None:
        if not name:
            return None
        vm = _named(connection, tasks, name, f"the {role}'s VM")
        return Hanging(vm, Attachments(folder / "attached" / content_id("mover", vcenter, vm.ref.id)))

    carried = hanging("carrier", reach.carrier)
    plugin = None if libraries is None else lambda: Vddk(libraries, login, sha1_of(login))
    return (
        LocalFiles(reach.mounts),
        HotAdd(hanging("mover", reach.mover), BlockDevices(reach.devices), slots),
        Nbd(
            plugin,
            nbd_places(slots, limits, vcenter),
            carrier=None if carried is None else Carrier(connection, carried, slots),
        ),
        DatastoreHttp(connection, http_places(slots, limits, vcenter)),
    )


def _named(connection: Connection, tasks: Tasks, name: str, called: str) -> MoverVM:
    """Return a VM of ours by its name."""
    found = connection.find(
        _NAMED, lambda item: item.ref if entity_name(text(item.values.get("name"))) == name else None
    )
    shown = visible(name, 80)
    if not found:
        raise NotFound(
            f"{called} {shown} is not at {connection.shown}", "correct its name in the site's settings"
        )
    if len(found) > 1:
        raise SiteRefused(
            f"{len(found)} VMs at {connection.shown} are called {shown}",
            f"give {called} a name of its own: disks must never be attached to another VM",
        )
    return MoverVM(connection, tasks, found[0], called)
