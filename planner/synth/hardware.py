"""What VMs are made of: processor and memory, disks, adapters, guest, settings, by class."""

from __future__ import annotations

from planner.model import BusSharing, Cdrom, Controller, Device, DeviceKind, Partition
from planner.synth import recipe as said
from planner.synth.dice import Dice
from planner.synth.drafts import Draft
from planner.synth.guests import System
from planner.synth.places import NetworkSpot
from planner.units import GIB, MIB

_VERSIONS = ((13, 10), (15, 25), (17, 20), (19, 45))


def memory_of(kind: str, cpus: int, dice: Dice) -> int:
    """Return the memory of a VM of a class, in bytes."""
    return cpus * dice.weighted(said.GIB_PER_CPU[kind]) * GIB


def add_disks(draft: Draft, kind: str, dice: Dice) -> None:
    """Add the disks of a VM of a class, with what is in use of them."""
    if dice.chance(said.TAIL):
        used = round(400 * GIB * dice.pareto(said.TAIL_ALPHA))
    else:
        used = round(dice.lognormal(said.USED_MEDIAN[kind], said.USED_SIGMA))
    used = min(max(used, 6 * GIB), said.MOST_BYTES)
    factor = max(dice.lognormal(said.PROVISIONED_FACTOR, said.PROVISIONED_SIGMA), 1.05)
    count = dice.weighted(said.DISKS)
    if kind == "database":
        count = max(count, 2)
    first = dice.pick(said.FIRST_DISK)
    rest = max(round(used * factor) - first, 0)
    shares = [dice.lognormal(1.0, 0.6) for _ in range(count - 1)]
    sizes = [first] + [max(round(rest * share / sum(shares) / GIB), 1) * GIB for share in shares]
    if not shares:
        sizes[0] = max(first, round(used * factor / (10 * GIB)) * 10 * GIB)
    total = sum(sizes)
    thin, controller = (
        dice.chance(said.THIN),
        Controller.PVSCSI if dice.chance(0.7) else Controller.LSI_SAS,
    )
    for size in sizes:
        # Used space is spread as the sizes are, a little uneven.
        part = min(round(used * size / total * dice.uniform(0.85, 1.05) / MIB), size * 95 // 100 // MIB) * MIB
        draft.add_disk(
            size,
            part,
            thin=thin,
            controller_kind=controller,
            multi_writer=False,
            bus_sharing=BusSharing.NONE,
            uuid=f"6000C29{dice.hexadecimal(1)}-{dice.uuid()[9:]}",
            format="flat",
            parent="",
            cbt=True,
            encrypted=False,
            filters=(),
            flash_cache=False,
            iops_limit=-1,
            policy="",
        )
    draft.fields["used_bytes"] = sum(disk["used_bytes"] for disk in draft.disks)


def add_guest(draft: Draft, system: System, domain: str, dice: Dice) -> None:
    """Add a guest system as its tools report it."""
    newest: int = draft.host.fields["supported_hw_version"]
    draft.fields |= {
        "guest_os": system.name,
        "dns_name": f"{draft.name.casefold().replace(' ', '-')}.{domain}",
        "firmware": "efi" if dice.chance(0.55) else "bios",
        "hw_version": min(dice.weighted(_VERSIONS), newest),
        "tools": "toolsOk",
        "cbt": True,
    }
    draft.guest |= {
        "guest_id": system.guest_id,
        "running_os": system.name,
        "tools_version": "12.3.5" if system.windows else "11.3.5",
        "heartbeat": "green",
        "time_sync": False,
    }
    for at, disk in enumerate(draft.disks):
        path = f"{chr(ord('C') + at)}:\\" if system.windows else ("/" if at == 0 else f"/data{at}")
        draft.partitions.append(
            Partition(path, disk["size_bytes"], disk["size_bytes"] - disk["used_bytes"], disk["key"])
        )


def add_adapters(draft: Draft, number: int, dice: Dice) -> None:
    """Add a network adapter, seldom two; ``number`` is the VM's own and makes its addresses unique."""
    _add_nic(draft, draft.network, number)
    if dice.chance(0.03):
        _add_nic(draft, dice.pick(draft.place.networks), number)


def add_rest(draft: Draft, dice: Dice) -> None:
    """Add drives, controllers and everything a VM is set to."""
    draft.cdroms.append(
        Cdrom("CD/DVD drive 1", connected=False, media="Remote device", starts_connected=False)
    )
    if dice.chance(0.3):
        draft.devices.append(Device(DeviceKind.USB_CONTROLLER, "USB xHCI controller"))
    draft.compute |= {
        "cpu_hot_add": dice.chance(0.2),
        "memory_hot_add": dice.chance(0.2),
        "cpu_reservation_mhz": 0,
        "cpu_limit_mhz": -1,
        "memory_reservation_bytes": 0,
        "memory_limit_bytes": -1,
        "memory_locked": False,
        "latency_sensitivity": "normal",
        "affinity": False,
        "nested_virtualisation": False,
        "iommu": False,
        "evc_mode": draft.host.fields["evc_mode"],
        "secure_boot": draft.fields["firmware"] == "efi" and dice.chance(0.3),
        "vbs": False,
        "sgx": False,
        "sev": False,
        "encrypted": False,
        "enable_uuid": True,
        "npiv": False,
        "boot_order": (),
    }
    draft.management |= {
        "managed_by": "",
        "replication": "",
        "drs_override": "",
        "restart_priority": "",
        "storage_policy": "",
        "fault_tolerance_role": "",
        "permissions": 0,
    }


def _add_nic(draft: Draft, network: NetworkSpot, vm: int) -> None:
    number = vm * 4 + len(draft.nics)
    # Addresses a vCenter gives out are 00:50:56:80 to :bf.
    mac = f"00:50:56:{0x80 + number // 65536 % 64:02x}:{number // 256 % 256:02x}:{number % 256:02x}"
    draft.nics.append(
        {
            "label": f"Network adapter {len(draft.nics) + 1}",
            "network": network.name,
            "mac": mac,
            "adapter": "Vmxnet3",
            "connected": True,
            "addresses": (network.next_address(),),
            "subnets": (network.prefix,),
            "starts_connected": True,
            "mac_type": "assigned",
            "switch": network.fields["switch"],
            "port_group": network.fields["key"],
            "dhcp": False,
            "direct_path": False,
        }
    )
