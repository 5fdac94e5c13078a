"""Where a new VM lands: folder, cluster, pool, host, datastore and networks, by what the plan says.

What the plan leaves open has a default: the datastore of its first disk, the datacenter's own VM folder, and
the first cluster by name that reaches all of the VM's datastores and networks, with its root pool. A place
that was said and is not there is refused; none of the same name elsewhere is taken for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from migrate.sites.ports import NewVM
from migrate.sites.vsphere.built import built
from migrate.sites.vsphere.connection import Connection
from planner.destinations import below, parts_of
from planner.errors import SiteRefused
from planner.names import visible
from planner.sources.vcenter.collector import RawObject
from planner.sources.vcenter.paths import Kind
from planner.sources.vcenter.places import Places, entity_name
from planner.sources.vcenter.soap import Ref
from planner.sources.vcenter.values import flag, many, text

_NAMED = ("name", "parent")
_COMPUTE = (*_NAMED, "datastore", "network", "host", "resourcePool")
_PLACES = Kind(
    "places of VMs",
    (
        *("Folder", "Datacenter", "ComputeResource", "ResourcePool", "HostSystem"),
        *("Datastore", "Network", "DistributedVirtualSwitch"),
    ),
    {
        "Folder": _NAMED,
        "Datacenter": (*_NAMED, "vmFolder"),
        "ComputeResource": _COMPUTE,
        "ClusterComputeResource": (*_COMPUTE, "configurationEx"),
        "ResourcePool": (*_NAMED, "owner"),
        "HostSystem": (
            *(*_NAMED, "datastore", "network", "vm"),
            *("configManager.networkSystem", "runtime.connectionState", "runtime.inMaintenanceMode"),
        ),
        "Datastore": _NAMED,
        "Network": _NAMED,
        "OpaqueNetwork": (*_NAMED, "summary"),
        "DistributedVirtualPortgroup": (*_NAMED, "key", "config.distributedVirtualSwitch", "config.uplink"),
        "DistributedVirtualSwitch": (*_NAMED, "uuid"),
    },
)


@dataclass(frozen=True, slots=True)
class Landing:
    """A place for a VM. ``folder`` is that which exists, ``missing`` the names still to be made below it.

    ``host`` is None where the cluster places VMs itself; ``networks`` are backings of adapters by name.
    ``stores`` and ``plugs`` are the objects of its datastores and networks.
    """

    folder: Ref
    missing: tuple[str, ...]
    cluster: Ref
    pool: Ref
    host: Ref | None
    datastore: str
    networks: Mapping[str, Any]
    stores: tuple[Ref, ...]
    plugs: tuple[Ref, ...]


class Ground:
    """All places of a vCenter, read once."""

    def __init__(self, connection: Connection) -> None:
        self._shown = connection.shown
        self._places = Places(connection.identity)
        items = connection.find(_PLACES, lambda item: item)
        self._places.add(items)
        self._of_kind: dict[str, list[RawObject]] = {}
        for item in items:
            self._of_kind.setdefault(item.ref.kind, []).append(item)

    def landing(
        self, *, datastore: str, datastores: Iterable[str], networks: Iterable[str], folder: str, pool: str
    ) -> Landing:
        """Return where a VM lands; raises SiteRefused with what is not there."""
        wanted = {name for name in (datastore, *datastores) if name}
        plugs = set(networks)
        if not wanted:
            raise SiteRefused("nobody said on which datastore the VM's files lie", "map its datastore")
        self._must_exist("datastore", wanted, self._items("Datastore"))
        self._must_exist("network", plugs, self._networks())
        cluster = self._cluster(wanted, plugs, _datacenter_in(folder), pool)
        there, missing = self._folder(cluster, folder)
        nets = {name: self._network(cluster, name) for name in sorted(plugs)}
        return Landing(
            folder=there,
            missing=missing,
            cluster=cluster.ref,
            pool=self._pool(cluster, pool),
            host=self._host(cluster, wanted, plugs),
            datastore=datastore or min(wanted),
            networks={name: self._plug(item) for name, item in nets.items()},
            stores=tuple(
                item.ref for item in self._reached(cluster, "datastore") if self._name(item) in wanted
            ),
            plugs=tuple(item.ref for item in nets.values()),
        )

    def landing_of(self, vm: NewVM) -> Landing:
        """Return where a VM lands by what it names itself: its disks may not be there yet."""
        return self.landing(
            datastore=vm.datastore,
            datastores=(),
            networks=[nic.network for nic in vm.nics],
            folder=vm.folder,
            pool=vm.pool,
        )

    def _items(self, *kinds: str) -> list[RawObject]:
        return [item for kind in kinds for item in self._of_kind.get(kind, ())]

    def _networks(self) -> list[RawObject]:
        found = self._items("Network", "OpaqueNetwork", "DistributedVirtualPortgroup")
        return [item for item in found if not flag(item.values.get("config.uplink"))]

    def _computes(self) -> list[RawObject]:
        return sorted(self._items("ComputeResource", "ClusterComputeResource"), key=self._name)

    def _name(self, item: RawObject) -> str:
        return entity_name(text(item.values.get("name")))

    def _must_exist(self, what: str, names: Iterable[str], items: Iterable[RawObject]) -> None:
        missing = set(names) - {self._name(item) for item in items}
        if missing:
            shown = ", ".join(visible(name, 80) for name in sorted(missing))
            raise SiteRefused(f"{what} {shown} is not at {self._shown}", f"map it to a {what} that is there")

    def _reached(self, item: RawObject, path: str) -> list[RawObject]:
        """Return the datastores or networks of a cluster or host."""
        found = (self._places.objects.get(str(one)) for one in many(item.values.get(path)))
        return [one for one in found if one is not None and not flag(one.values.get("config.uplink"))]

    def _reach(self, item: RawObject, datastores: set[str], networks: set[str]) -> bool:
        stores, plugs = (
            {self._name(one) for one in self._reached(item, path)} for path in ("datastore", "network")
        )
        return datastores <= stores and networks <= plugs

    def _cluster(self, datastores: set[str], networks: set[str], datacenter: str, pool: str) -> RawObject:
        pools = {text(one.values.get("owner")) for one in self._named_pools(pool)}
        for one in self._computes():
            if datacenter and self._places.datacenter(one.ref.id) != datacenter:
                continue
            if (not pool or one.ref.id in pools) and self._reach(one, datastores, networks):
                return one
        shown = ", ".join(visible(name, 80) for name in sorted(datastores | networks))
        where = f" in datacenter {visible(datacenter, 80)}" if datacenter else ""
        at_pool = f" with pool {visible(pool, 80)}" if pool else ""
        raise SiteRefused(
            f"no cluster of {self._shown}{where}{at_pool} reaches all of {shown}",
            "map its datastores and networks to those of one cluster",
        )

    def _named_pools(self, pool: str) -> Iterator[RawObject]:
        for one in self._items("ResourcePool", "VirtualApp"):
            path = parts_of(self._places.path(one.ref.id))
            wanted = parts_of(pool)
            if wanted and path[-len(wanted) :] == wanted:
                yield one

    def _pool(self, cluster: RawObject, pool: str) -> Ref:
        if pool:
            found = [
                one for one in self._named_pools(pool) if text(one.values.get("owner")) == cluster.ref.id
            ]
            if len(found) > 1:
                raise SiteRefused(
                    f"{len(found)} resource pools of {self._name(cluster)} are called {visible(pool, 80)}",
                    "say the whole path of the pool",
                )
            return found[0].ref
        return Ref("ResourcePool", text(cluster.values.get("resourcePool")))

    def _host(self, cluster: RawObject, datastores: set[str], networks: set[str]) -> Ref | None:
        """Return a host, None where DRS may choose any: one of some that reach them is chosen here."""
        if flag(cluster.values.get("configurationEx"), "drsConfig", "enabled") and all(
            self._reach(one, datastores, networks) for one in self._up(cluster)
        ):
            return None
        return self.host_for(cluster.ref, datastores, networks).ref

    def host_for(self, cluster: Ref, datastores: set[str], networks: set[str]) -> RawObject:
        """Return the cluster's host with the fewest VMs that is up and reaches these; raises SiteRefused."""
        item = self._places.objects[cluster.id]
        fit = [one for one in self._up(item) if self._reach(one, datastores, networks)]
        if not fit:
            raise SiteRefused(
                f"no host of {visible(self._name(item), 80)} is up and reaches what the VM needs",
                "take a host out of maintenance",
            )
        return min(fit, key=lambda one: (len(many(one.values.get("vm"))), self._name(one)))

    def _up(self, cluster: RawObject) -> list[RawObject]:
        hosts = {str(one) for one in many(cluster.values.get("host"))}
        return [
            one
            for one in self._items("HostSystem")
            if one.ref.id in hosts
            and text(one.values.get("runtime.connectionState")) == "connected"
            and not flag(one.values.get("runtime.inMaintenanceMode"))
        ]

    def _datacenter_above(self, target: Ref) -> RawObject:
        chain = self._places.chain(target.id)
        return next(item for item in chain if item.ref.kind == "Datacenter")

    def _folder(self, cluster: RawObject, folder: str) -> tuple[Ref, tuple[str, ...]]:
        return self._below(self._datacenter_above(cluster.ref), folder)

    def folder_beside(self, folder: str, path: str) -> tuple[Ref, tuple[str, ...]]:
        """Return a path in the datacenter of a folder: the part that is there, the names that are missing."""
        return self._below(self._datacenter_above(Ref("Folder", folder)), path)

    def vm_root(self, folder: str) -> Ref:
        """Return the root of all VM folders of the datacenter that a folder is in."""
        return self.folder_beside(folder, "")[0]

    def _below(self, datacenter: RawObject, path: str) -> tuple[Ref, tuple[str, ...]]:
        at = Ref("Folder", text(datacenter.values.get("vmFolder")))
        names = below(path, self._name(datacenter))
        for number, name in enumerate(names):
            child = next(
                (
                    one.ref
                    for one in self._items("Folder")
                    if text(one.values.get("parent")) == at.id and self._name(one) == name
                ),
                None,
            )
            if child is None:
                return at, names[number:]
            at = child
        return at, ()

    def _network(self, cluster: RawObject, name: str) -> RawObject:
        """Return a cluster's network of a name; raises SiteRefused when two have it."""
        found = [one for one in self._reached(cluster, "network") if self._name(one) == name]
        if len(found) > 1:
            raise SiteRefused(
                f"{len(found)} networks of {visible(self._name(cluster), 80)} are called {visible(name, 80)}",
                "rename one of them, then map the other",
            )
        return found[0]

    def _plug(self, item: RawObject) -> Any:
        """Return how an adapter is plugged into a network."""
        card = "VirtualEthernetCard"
        if item.ref.kind == "DistributedVirtualPortgroup":
            switch = self._places.objects[text(item.values.get("config.distributedVirtualSwitch"))]
            port = built(
                "DistributedVirtualSwitchPortConnection",
                switchUuid=text(switch.values.get("uuid")),
                portgroupKey=text(item.values.get("key")),
            )
            return built(f"{card}DistributedVirtualPortBackingInfo", port=port)
        if item.ref.kind == "OpaqueNetwork":
            said = item.values.get("summary")
            return built(
                f"{card}OpaqueNetworkBackingInfo",
                opaqueNetworkId=text(said, "opaqueNetworkId"),
                opaqueNetworkType=text(said, "opaqueNetworkType"),
            )
        return built(f"{card}NetworkBackingInfo", deviceName=self._name(item))


def _datacenter_in(folder: str) -> str:
    """Return the datacenter of a whole path, ``/DC1/vm/Prod``, empty for one below some datacenter."""
    parts = parts_of(folder)
    return parts[0] if len(parts) > 1 and parts[1] == "vm" else ""
