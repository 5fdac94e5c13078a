"""The sheets about VMs themselves: vInfo, vCPU, vMemory, vTools."""

from __future__ import annotations

from planner.export.rvtools.facts import (
    Cell,
    Fact,
    Owned,
    SheetFacts,
    Source,
    flag,
    limit_mib,
    mib,
    on_vm,
    vms,
)


def _network(number: int) -> Fact:
    def fact(source: Source, row: Owned) -> Cell:
        nics = row.vm.nics
        return nics[number].network if number < len(nics) else None

    return fact


def _first_address(source: Source, row: Owned) -> Cell:
    return next((address for nic in row.vm.nics for address in nic.addresses), None)


def _rules(source: Source, row: Owned) -> Cell:
    kinds = [source.rule_kinds.get((row.vm.cluster, name), "") for name in row.vm.rules]
    return ", ".join(kinds) or None


def _priority(source: Source, row: Owned) -> Cell:
    # vInfo says the priority in force: where it is not the VM's own it is the cluster's.
    own = row.vm.management.restart_priority
    return None if own is None else own or DEFAULT_PRIORITY


DEFAULT_PRIORITY = "medium"

INFO = SheetFacts(
    vms,
    on_vm(
        {
            "DNS Name": lambda source, row: row.vm.dns_name or None,
            "Connection state": lambda source, row: row.vm.connection_state or None,
            "Heartbeat": lambda source, row: row.vm.guest.heartbeat or None,
            "Consolidation Needed": lambda source, row: flag(row.vm.consolidation_needed),
            "CPUs": lambda source, row: row.vm.cpus or None,
            "Memory": lambda source, row: mib(row.vm.memory_bytes or None),
            "NICs": lambda source, row: None if source.lacks("nics") else len(row.vm.nics),
            "Disks": lambda source, row: None if source.lacks("disks") else len(row.vm.disks),
            "Total disk capacity MiB": lambda source, row: (
                None if source.lacks("disks") else mib(row.vm.disk_bytes)
            ),
            "min Required EVC Mode Key": lambda source, row: row.vm.compute.evc_mode or None,
            "Latency Sensitivity": lambda source, row: row.vm.compute.latency_sensitivity or None,
            "EnableUUID": lambda source, row: flag(row.vm.compute.enable_uuid),
            "CBT": lambda source, row: flag(row.vm.cbt),
            "Primary IP Address": _first_address,
            **{f"Network #{number + 1}": _network(number) for number in range(8)},
            "Resource pool": lambda source, row: row.vm.resource_pool or None,
            "Folder ID": lambda source, row: source.folder_id(row.vm),
            "vApp": lambda source, row: row.vm.vapp or None,
            "FT State": lambda source, row: row.vm.ft_state or None,
            "FT Role": lambda source, row: row.vm.management.fault_tolerance_role or None,
            "Provisioned MiB": lambda source, row: None if source.lacks("disks") else mib(row.vm.disk_bytes),
            "In Use MiB": lambda source, row: mib(row.vm.used_bytes),
            "HA Restart Priority": _priority,
            "Cluster rule(s)": _rules,
            "Cluster rule name(s)": lambda source, row: ", ".join(row.vm.rules) or None,
            "EFI Secure boot": lambda source, row: flag(row.vm.compute.secure_boot),
            "Firmware": lambda source, row: row.vm.firmware or None,
            "HW version": lambda source, row: row.vm.hw_version,
            "Path": lambda source, row: row.vm.vmx_path or None,
            "SMBIOS UUID": lambda source, row: row.vm.bios_uuid or None,
            "VI SDK Server type": lambda source, row: _product(source),
            "VI SDK API Version": lambda source, row: source.server.api_version or None,
        }
    ),
)


def _product(source: Source) -> Cell:
    server = source.server
    return f"VMware vCenter Server {server.version} build-{server.build}" if server.version else None


CPU = SheetFacts(
    vms,
    on_vm(
        {
            "CPUs": lambda source, row: row.vm.cpus or None,
            "Reservation": lambda source, row: row.vm.compute.cpu_reservation_mhz,
            "Limit": lambda source, row: row.vm.compute.cpu_limit_mhz,
            "Hot Add": lambda source, row: flag(row.vm.compute.cpu_hot_add),
        }
    ),
)
MEMORY = SheetFacts(
    vms,
    on_vm(
        {
            "Size MiB": lambda source, row: mib(row.vm.memory_bytes or None),
            "Memory Reservation Locked To Max": lambda source, row: flag(row.vm.compute.memory_locked),
            "Reservation": lambda source, row: mib(row.vm.compute.memory_reservation_bytes),
            "Limit": lambda source, row: limit_mib(row.vm.compute.memory_limit_bytes),
            "Hot Add": lambda source, row: flag(row.vm.compute.memory_hot_add),
        }
    ),
)
TOOLS = SheetFacts(
    vms,
    on_vm(
        {
            "Tools": lambda source, row: row.vm.tools or None,
            "Tools Version": lambda source, row: row.vm.guest.tools_version or None,
            "Sync time": lambda source, row: flag(row.vm.guest.time_sync),
            "Heartbeat status": lambda source, row: row.vm.guest.heartbeat or None,
        }
    ),
)
