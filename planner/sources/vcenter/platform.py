"""What stands around the machines of a vCenter, read and mapped: everything but the machines.

Read first, because a machine names hosts, networks and pools by id only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from planner.errors import BadInput, Unreachable
from planner.model import Cluster, Datastore, Folder, Host, Licence, Lun, Network, ResourcePool, VCenter
from planner.sources.vcenter.clusters import Exceptions, cluster
from planner.sources.vcenter.collector import Collector, RawObject
from planner.sources.vcenter.hosts import HostFacts, host, luns
from planner.sources.vcenter.luns import LunNames
from planner.sources.vcenter.networks import HostPortGroups, network, switch_names
from planner.sources.vcenter.paths import (
    CLUSTERS,
    DATASTORES,
    HOSTS,
    NETWORKS,
    PLACES,
    POOLS,
    SURROUNDINGS,
    Kind,
)
from planner.sources.vcenter.places import Places, entity_name
from planner.sources.vcenter.policies import NoPolicies, Policies, read_policies
from planner.sources.vcenter.services import attribute_names, host_licences, instance_uuid, licences, vcenter
from planner.sources.vcenter.session import Session
from planner.sources.vcenter.storage import datastore
from planner.sources.vcenter.surroundings import HostPlace, Surroundings
from planner.sources.vcenter.tags import NoTags, read_tags
from planner.sources.vcenter.values import text
from planner.sources.vcenter.versions import hardware_versions
from planner.sources.vcenter.wire import Dropped

Raw = Mapping[str, list[RawObject]]  # by the name of their kind

Told = TypeVar("Told")


@dataclass(frozen=True, slots=True)
class Platform:
    """The nouns of an inventory without its machines, and where machines are looked up."""

    around: Surroundings
    vcenter: VCenter
    hosts: tuple[Host, ...]
    clusters: tuple[Cluster, ...]
    datastores: tuple[Datastore, ...]
    networks: tuple[Network, ...]
    luns: tuple[Lun, ...]
    pools: tuple[ResourcePool, ...]
    folders: tuple[Folder, ...]
    licences: tuple[Licence, ...]
    notes: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()


def read_surroundings(collector: Collector) -> tuple[dict[str, list[RawObject]], tuple[str, ...]]:
    """Return the raw objects of all kinds but machines, and notes on kinds that are refused.

    A refused kind is absent. Raises Unreachable.
    """
    found: dict[str, list[RawObject]] = {}
    notes = []
    for kind in SURROUNDINGS:
        try:
            found[kind.name] = collector.read(kind, lambda item: item)
        except BadInput as error:
            notes.append(f"{error.message}; they are unknown")
    return found, tuple(notes)


def map_platform(
    collector: Collector,
    raw: Raw,
    services: Mapping[str, RawObject],
    notes: tuple[str, ...] = (),
) -> Platform:
    """Return the platform that raw objects describe; tags are read here as well."""
    session = collector.session
    places = Places(instance_uuid(session))
    for kind in (PLACES, CLUSTERS, POOLS):
        places.add(raw.get(kind.name, ()))
    of_networks = raw.get(NETWORKS.name, [])
    switch_by_id, switch_by_uuid = switch_names(of_networks)
    of_hosts = raw.get(HOSTS.name, [])
    groups = HostPortGroups()
    for item in of_hosts:
        groups.add(item, places)
    networks = tuple(
        network(item, places, switch_by_id, groups) for item in of_networks if item.ref.id not in switch_by_id
    )
    port_groups = {one.key: one.name for one in networks if one.key}
    datastores = tuple(datastore(item, places) for item in raw.get(DATASTORES.name, ()))
    carried = {extent: one.name for one in datastores for extent in one.extents or ()}
    seen = luns(of_hosts, carried, places.vcenter)
    of_clusters = [item for item in raw.get(CLUSTERS.name, ()) if item.ref.kind == "ClusterComputeResource"]
    clusters = tuple(cluster(item, places) for item in of_clusters)
    held = licences(services, places.vcenter)
    gaps = [kind.name for kind in SURROUNDINGS if kind.name not in raw]
    if held is None:
        gaps.append("licences")
    tags, why = _tags(collector)
    policies, also_why = _policies(collector)
    facts = collector.persist(
        HOSTS,
        lambda: [
            HostFacts(
                licences=host_licences(session, services),
                hardware=hardware_versions(session, raw.get(CLUSTERS.name, ())),
                port_groups=port_groups,
            )
        ],
    )[0]
    itself = vcenter(session, services)
    around = Surroundings(
        vcenter=places.vcenter,
        places=places,
        hosts={item.ref.id: _place(item, places) for item in of_hosts},
        networks={one.id: one.name for one in networks},
        port_groups=port_groups,
        switches=switch_by_uuid,
        luns=LunNames.of(seen),
        exceptions=Exceptions.of(of_clusters, clusters),
        attributes=attribute_names(services),
        tags=tags,
        policies=policies,
        network_switches={one.id: one.switch for one in networks},
        extensions=itself.extensions,
    )
    return Platform(
        around=around,
        vcenter=itself,
        hosts=tuple(host(item, places, facts) for item in of_hosts),
        clusters=clusters,
        datastores=datastores,
        networks=networks,
        luns=seen,
        pools=places.pools(),
        folders=places.folders(),
        licences=held or (),
        notes=(*notes, *why, *also_why),
        gaps=tuple(gaps),
    )


def _patiently(collector: Collector, what: str, read: Callable[[Session], Told]) -> Told:
    """Return what a service beside says, asked again like any list; raises NoTags, NoPolicies."""

    def once() -> list[Told]:
        try:
            return [read(collector.session)]
        except (NoTags, NoPolicies) as error:
            if error.passes:
                raise Dropped(str(error)) from error
            raise

    return collector.persist(Kind(what, (), {}), once)[0]


def _tags(collector: Collector) -> tuple[dict[str, tuple[tuple[str, str], ...]] | None, tuple[str, ...]]:
    try:
        return _patiently(collector, "tags", read_tags), ()
    except (NoTags, Unreachable) as error:
        return None, (f"tags of this vCenter are unknown: {error}",)


def _policies(collector: Collector) -> tuple[Policies | None, tuple[str, ...]]:
    try:
        return _patiently(collector, "storage policies", read_policies), ()
    except (NoPolicies, Unreachable) as error:
        return None, (f"storage policies are unknown: {error}",)


def _place(item: RawObject, places: Places) -> HostPlace:
    parent = text(item.values.get("parent"))
    return HostPlace(
        name=entity_name(text(item.values.get("name"))),
        cluster=places.cluster(parent),
        datacenter=places.datacenter(parent),
        cluster_id=parent,
    )
