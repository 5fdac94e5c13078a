"""Bubbles: networks of a rehearsal that lead nowhere, all on one host.

    host ── switch wherry-5f0c...        no uplink
              ├─ wherry-5f0c...-1        VLAN 1, for the first network of the wave
              └─ wherry-5f0c...-2        VLAN 2: what is apart at the source is apart here

A switch without uplinks reaches no other host, so all copies run on the one that carries it. It is called
after the rehearsal's key: whoever knows that finds it on every host, and nothing has to be remembered.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from migrate.sites.bubbles import NewBubble
from migrate.sites.vsphere.built import built
from migrate.sites.vsphere.connection import Connection
from migrate.sites.vsphere.landing import Ground
from migrate.sites.vsphere.part import Part
from migrate.sites.vsphere.roles import Lack, On, Privilege, denied
from migrate.sites.vsphere.tasks import Act
from planner.errors import SiteRefused
from planner.names import content_id
from planner.sources.vcenter.collector import RawObject
from planner.sources.vcenter.paths import Kind
from planner.sources.vcenter.places import entity_name
from planner.sources.vcenter.soap import Ref
from planner.sources.vcenter.values import at, many, text, whole

PRIVILEGE = Privilege("Host.Config.Network", On.HOST, "networks of rehearsals")
_PORTS = 128  # of a switch, what a host gives one by itself
_HOSTS = Kind("hosts", ("HostSystem",), {"HostSystem": ("configManager.networkSystem",)})
_SYSTEMS = Kind("host networks", (), {"HostNetworkSystem": ("networkInfo.vswitch", "networkInfo.portgroup")})


@dataclass(frozen=True, slots=True)
class _Found:
    """What is there of a bubble on one host: ``vlans`` of its port groups by name."""

    system: Ref
    switched: bool
    uplinks: bool
    vlans: dict[str, int]


class Bubbling(Part):
    """Makes bubbles and removes them."""

    def bubble_host(self, bubble: NewBubble) -> str:
        """Return the name of the host that would carry a bubble.

        Raises SiteRefused when the VMs land in several clusters, no host reaches what they need, or the
        account may not make networks there; Unreachable.
        """
        return _name(self._carrier(bubble))

    def make_bubble(self, bubble: NewBubble, op: str) -> dict[str, str]:
        """Make a bubble, or what is missing of the one of its key; return its networks' names.

        Raises SiteRefused as ``bubble_host`` and when the switch has an uplink, Declined, Unreachable.
        """
        switch = _Switch(self.connection, switch_of(bubble.key))
        act = self.act("make_bubble", switch.name, op)
        system = next((one.system for one in switch.everywhere()), None)
        system = system or _system_of(self._carrier(bubble))
        names = {network: f"{switch.name}-{number}" for number, network in enumerate(bubble.networks, 1)}
        switch.make(act, system, {name: number for number, name in enumerate(names.values(), 1)})
        return names

    def remove_bubble(self, key: str, op: str) -> None:
        """Remove the port groups of a bubble and then its switch, on whichever host they are.

        Raises Declined while a VM is plugged into one of them, Unreachable.
        """
        switch = _Switch(self.connection, switch_of(key))
        act = self.act("remove_bubble", switch.name, op)
        for found in list(switch.everywhere()):
            switch.remove(act, found)

    def _carrier(self, bubble: NewBubble) -> RawObject:
        ground, stores, plugs = Ground(self.connection), set(bubble.datastores), set(bubble.others)
        landings = [
            ground.landing(
                datastore=vm.datastore, datastores=stores, networks=plugs, folder=vm.folder, pool=vm.pool
            )
            for vm in bubble.vms
        ]
        clusters = {landing.cluster for landing in landings}
        if len(clusters) > 1:
            raise SiteRefused(
                f"the VMs land in {len(clusters)} clusters, and a bubble is on one host",
                "make a network without an uplink by hand, and name it in [conduct.test_networks]",
            )
        homes = {landing.datastore for landing in landings}
        host = ground.host_for(clusters.pop(), stores | homes, plugs)
        self._must_make_networks(host)
        return host

    def _must_make_networks(self, host: RawObject) -> None:
        for _, lacking in denied(self.connection, [PRIVILEGE], [host.ref]):
            raise SiteRefused(
                Lack(lacking.id, lacking.on, _name(host), lacking.why).says,
                "give it that, or make a network without an uplink and name it in [conduct.test_networks]",
            )


@dataclass(frozen=True, slots=True)
class _Switch:
    """The switch of one bubble: looked for, made, removed."""

    connection: Connection
    name: str

    def everywhere(self) -> Iterator[_Found]:
        """Yield what there is of it, host by host."""
        systems = self.connection.find(_HOSTS, _system_of)
        for item in self.connection.read(_SYSTEMS, systems):
            if (found := _seen(item, self.name)).switched or found.vlans:
                yield found

    def make(self, act: Act, system: Ref, vlans: dict[str, int]) -> None:
        """Make it with port groups of these names, and look at what came of it."""
        spec = built("HostVirtualSwitchSpec", numPorts=_PORTS)
        act.run(system, "AddVirtualSwitch", *(self.name, spec), done=partial(self._is_there, system))
        if self._look(system).uplinks:
            raise SiteRefused(
                f"switch {self.name} has an uplink, so what is plugged there is not alone",
                "look who gave it one; take it away, or remove the switch",
            )
        for name, vlan in vlans.items():
            group = built(
                "HostPortGroupSpec",
                name=name,
                vlanId=vlan,
                vswitchName=self.name,
                policy=built("HostNetworkPolicy"),
            )
            act.run(system, "AddPortGroup", group, done=partial(self._is_there, system, name))
        if self._look(system).vlans != vlans:
            raise SiteRefused(
                f"switch {self.name} came out otherwise than it was asked for", "look at it at its host"
            )

    def remove(self, act: Act, found: _Found) -> None:
        """Remove what was found of it on a host."""
        for name in found.vlans:
            act.run(found.system, "RemovePortGroup", name, done=partial(self._is_gone, found.system, name))
        act.run(found.system, "RemoveVirtualSwitch", self.name, done=partial(self._is_gone, found.system))

    def _look(self, system: Ref) -> _Found:
        item = self.connection.one(_SYSTEMS, system)
        return _seen(item, self.name) if item is not None else _Found(system, False, False, {})

    def _is_there(self, system: Ref, group: str = "") -> bool | None:
        found = self._look(system)
        return True if (group in found.vlans if group else found.switched) else None

    def _is_gone(self, system: Ref, group: str = "") -> bool | None:
        return None if self._is_there(system, group) else True


def switch_of(key: str) -> str:
    """Return the name of a bubble's switch: 31 characters, as many as a host takes."""
    return f"wherry-{content_id('bubble', key)}"


def _name(host: RawObject) -> str:
    return entity_name(text(host.values.get("name")))


def _system_of(host: RawObject) -> Ref:
    return Ref("HostNetworkSystem", text(host.values.get("configManager.networkSystem")))


def _seen(item: RawObject, switch: str) -> _Found:
    mine = [one for one in many(item.values.get("networkInfo.vswitch")) if text(one, "name") == switch]
    specs = [at(one, "spec") for one in many(item.values.get("networkInfo.portgroup"))]
    return _Found(
        item.ref,
        bool(mine),
        any(many(one, "pnic") or at(one, "spec", "bridge") for one in mine),
        {
            text(spec, "name"): whole(spec, "vlanId") or 0
            for spec in specs
            if text(spec, "vswitchName") == switch
        },
    )
