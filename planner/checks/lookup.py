"""What checks look up by VM or by identity besides names and addresses, gathered in one pass.

    identities ──▶ VMs that carry them       VM ──▶ its DRS rules, the ports it is seen to talk on

An identity that several VMs carry is a duplicate only when the source said it; a text that no VM of a
vCenter has was not read there, and one that some have was.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from planner.model import VM, Cluster, DrsRule, Inventory

Index = Mapping[str, Sequence[VM]]  # each VM once
# Texts that most VMs leave blank: a blank means none only where the source lists the text at all.
_TEXTS = ("annotation", "dns_name", "attributes", "rules")


@dataclass(frozen=True, slots=True)
class Lookup:
    """Indexes of movable VMs by what the source said of them."""

    by_bios_uuid: Index
    by_instance_uuid: Index
    by_dns: Index
    rules: dict[str, tuple[tuple[Cluster, DrsRule], ...]]  # by VM id
    ports: dict[str, frozenset[int]]  # by VM id
    read: frozenset[tuple[str, str]]  # (vCenter, name of a text) that some VM has
    users: Mapping[tuple[str, str], int]  # (vCenter, network): how many movable VMs are on it
    networks: frozenset[str]  # names, in whatever vCenter

    def reads(self, vm: VM, text: str) -> bool:
        """Return whether the source lists this text: some VM of the same vCenter has it."""
        return (vm.vcenter, text) in self.read


def enter(index: dict[str, list[VM]], key: str, vm: VM) -> None:
    """Add a VM under a key, once; VMs come one after the other, so one that is there already is the last."""
    known = index.get(key)
    if known is None:
        index[key] = [vm]
    elif known[-1] is not vm:
        known.append(vm)


def lookup(inventory: Inventory, sole_vcenter: str) -> Lookup:
    """Return the indexes of an inventory; what names no vCenter is in the only one."""
    bios: dict[str, list[VM]] = {}
    instance: dict[str, list[VM]] = {}
    dns: dict[str, list[VM]] = {}
    read: set[tuple[str, str]] = set()
    users: Counter[tuple[str, str]] = Counter()
    for vm in inventory.vms:
        read.update((vm.vcenter, text) for text in _TEXTS if getattr(vm, text))
        if not vm.movable:
            continue
        for index, value in ((bios, vm.bios_uuid), (instance, vm.instance_uuid), (dns, vm.dns_name)):
            if value:
                enter(index, value.casefold(), vm)
        users.update((vm.vcenter or sole_vcenter, name) for name in {nic.network for nic in vm.nics} if name)
    rules: defaultdict[str, list[tuple[Cluster, DrsRule]]] = defaultdict(list)
    for cluster in inventory.clusters:
        for rule in cluster.rules or ():
            for member in dict.fromkeys(rule.vms or ()):
                rules[member].append((cluster, rule))
    ports: defaultdict[str, set[int]] = defaultdict(set)
    for tie in inventory.dependencies:
        if tie.port is not None:
            ports[tie.source].add(tie.port)
            ports[tie.target].add(tie.port)
    return Lookup(
        by_bios_uuid=bios,
        by_instance_uuid=instance,
        by_dns=dns,
        rules={key: tuple(found) for key, found in rules.items()},
        ports={key: frozenset(found) for key, found in ports.items()},
        read=frozenset(read),
        users=users,
        networks=frozenset(network.name for network in inventory.networks),
    )
