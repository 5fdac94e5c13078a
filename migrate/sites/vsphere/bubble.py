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

from migrate.sites.ports import NewBubble
from migrate.sites.vsphere.built import built
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
        switch = switch_of(bubble.key)
        act = self.act("make_bubble", switch, op)
        begun = next(self._found(switch), None)
        system = begun.system if begun is not None else self._system(self._carrier(bubble).ref)
        names = {network: f"{switch}-{number}" for number, network in enumerate(bubble.networks, 1)}
        vlans = {name: number for number, name in enumerate(names.values(), 1)}
        act.run(
            system,
            "AddVirtualSwitch",
            *(switch, built("HostVirtualSwitchSpec", numPorts=_PORTS)),
            done=lambda: self._is_there(system, switch),
        )
        self._must_lead_nowhere(system, switch)
        for name, vlan in vlans.items():
            spec = built(
                "HostPortGroupSpec",
                name=name,
                vlanId=vlan,
                vswitchName=switch,
                policy=built("HostNetworkPolicy"),
            )
            act.run(system, "AddPortGroup", spec, done=partial(self._is_there, system, switch, name))
        if self._switch(system, switch).vlans != vlans:
            raise SiteRefused(f"bubble {switch} came out otherwise than it was asked for", "look at the host")
        return names

    def remove_bubble(self, key: str, op: str) -> None:
        """Remove the port groups of a bubble and then its switch, on whichever host they are.

        Raises Declined while a VM is plugged into one of them, Unreachable.
        """
        switch = switch_of(key)
        act = self.act("remove_bubble", switch, op)
        for found in list(self._found(switch)):
            for name in found.vlans:
                self._take_away(act, found.system, "RemovePortGroup", switch, name)
            self._take_away(act, found.system, "RemoveVirtualSwitch", switch)

    def _take_away(self, act: Act, system: Ref, method: str, switch: str, *group: str) -> None:
        def gone() -> bool | None:
            return None if self._is_there(system, switch, *group) else True

        act.run(system, method, *(group or (switch,)), done=gone)

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
        self._must_be_allowed(host)
        return host

    def _must_be_allowed(self, host: RawObject) -> None:
        for _, lacking in denied(self.connection, [PRIVILEGE], [host.ref]):
            raise SiteRefused(
                Lack(lacking.id, lacking.on, _name(host), lacking.why).says,
                "give it that, or make a network without an uplink and name it in [conduct.test_networks]",
            )

    def _system(self, host: Ref) -> Ref:
        found = self.connection.one(_HOSTS, host)
        if found is None:
            raise SiteRefused("the host that was to carry a bubble is gone", "try again")
        return _system_of(found)

    def _found(self, switch: str) -> Iterator[_Found]:
        """Yield what there is of a bubble, host by host."""
        systems = self.connection.find(_HOSTS, _system_of)
        for item in self.connection.read(_SYSTEMS, systems):
            if (found := _seen(item, switch)).switched or found.vlans:
                yield found

    def _switch(self, system: Ref, switch: str) -> _Found:
        item = self.connection.one(_SYSTEMS, system)
        return _seen(item, switch) if item is not None else _Found(system, False, False, {})

    def _is_there(self, system: Ref, switch: str, group: str = "") -> bool | None:
        found = self._switch(system, switch)
        return True if (group in found.vlans if group else found.switched) else None

    def _must_lead_nowhere(self, system: Ref, switch: str) -> None:
        if self._switch(system, switch).uplinks:
            raise SiteRefused(
                f"switch {switch} has an uplink, so what is plugged there is not alone",
                "look who gave it one; take it away, or remove the switch",
            )


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
