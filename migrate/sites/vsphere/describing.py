"""A VM of a vCenter, read: its whole definition, and what of it wherry changes."""

from __future__ import annotations

from dataclasses import replace

from migrate.sites.definition import Definition
from migrate.sites.vsphere.attributes import OWN, Attributes
from migrate.sites.vsphere.defining import define
from migrate.sites.vsphere.ids import wherry_settings
from migrate.sites.vsphere.part import Part
from migrate.sites.vsphere.tagging import Tag
from planner.errors import NotFound
from planner.names import visible
from planner.sources.vcenter.collector import RawObject
from planner.sources.vcenter.paths import Kind
from planner.sources.vcenter.places import entity_name
from planner.sources.vcenter.soap import Ref
from planner.sources.vcenter.tags import NoTags
from planner.sources.vcenter.values import text

_VM = Kind(
    "virtual machines",
    (),
    {
        "VirtualMachine": (
            *("name", "config.annotation", "config.extraConfig", "config.hardware.device"),
            "runtime.powerState",
        )
    },
    {"config.extraConfig": wherry_settings},
)


class Describing(Part):
    """Reads VMs for those parts that change them."""

    def definition(self, vm: str) -> Definition | None:
        """Return a VM's whole definition, None when it is certainly not there; raises Unreachable."""
        target = self.ids.find(vm)
        return None if target is None or not self._look(target) else self._defined(target)

    def _defined(self, target: Ref) -> Definition:
        machine = self.connection.managed(target)
        config, host_name = self.connection.ask(
            f"cannot read the definition of {target.id}", lambda _: (machine.config, machine.guest.hostName)
        )
        values = Attributes(self.connection).values(target)
        tags: tuple[Tag, ...] = ()
        no_tags = ""
        try:
            tags = self.tagging.values(target)
        except NoTags as error:
            no_tags = str(error)
        return replace(
            define(config),
            host_name=host_name or "",
            attributes=tuple((name, value) for name, value in values if not name.startswith(OWN)),
            tags=tags,
            no_tags=no_tags,
        )

    def _made(self, vm: str) -> RawObject | None:
        target = self.ids.find(vm)
        return self._look(target) if target else None

    def _made_id(self, vm: str) -> str | None:
        found = self._made(vm)
        return found.ref.id if found else None

    def _look(self, target: Ref) -> RawObject | None:
        return self.connection.one(_VM, target)

    def _seen(self, vm: str) -> RawObject:
        item = self._look(self.ids.need(vm))
        if item is None:
            raise NotFound(f"VM {visible(vm, 80)} is not at {self.connection.shown}", "check its id")
        return item


def escaped(name: str) -> str:
    """Return a name as vSphere stores it: three characters are written as codes."""
    return name.replace("%", "%25").replace("/", "%2f").replace("\\", "%5c")


def name_of(item: RawObject) -> str:
    """Return the name of a VM or folder as people gave it, untrusted."""
    return entity_name(text(item.values.get("name")))


def stamp_of(item: RawObject, key: str) -> str:
    """Return one of wherry's marks in a VM, empty when it has none."""
    settings = item.values.get("config.extraConfig")
    return str(settings.get(key, "")) if isinstance(settings, dict) else ""
