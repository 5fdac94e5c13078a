"""A project between two simulated vCenters, logged in at both, as people set one up."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.tui.cli.command import Ran, Wherry, descriptor, wherry
from tests.vcenter.collected import finished, named
from tests.vcenter.peer import VCenterPeer

MIB = 1024**2


def mounts(peer: VCenterPeer) -> dict[str, str]:
    """Return where the peer's datastores lie on this machine: as if they were mounted here."""
    from pyVmomi import vim

    stores = named(peer.connect(), vim.Datastore, "name", "summary")
    return {name: str(store["summary"].url) for name, store in stores.items()}


def machines(peer: VCenterPeer) -> dict[str, Any]:
    """Return the VMs of a peer by name."""
    from pyVmomi import vim

    found: Any = named(peer.connect(), vim.VirtualMachine, "name")
    return {name: found[name][""] for name in sorted(found)}


def snapshots(peer: VCenterPeer) -> list[str]:
    """Return the names of VMs that have snapshots."""
    return [name for name, machine in machines(peer).items() if machine.snapshot is not None]


class Plant:
    """The VMs of a peer as their owner sees them: small disks with real bytes."""

    def __init__(self, peer: VCenterPeer, *, size_bytes: int = 2 * MIB, tracked: bool = True) -> None:
        from pyVmomi import vim

        self.peer = peer
        self.machines = machines(peer)
        self.written: dict[str, bytes] = {}
        for name, machine in self.machines.items():
            changes = []
            for card in devices_of(machine, vim.vm.device.VirtualEthernetCard):
                card.connectable.connected = True  # as those of VMs that run are
                changes.append(vim.vm.device.VirtualDeviceSpec(operation="edit", device=card))
            for disk in disks_of(machine):
                disk.capacityInKB, disk.capacityInBytes = size_bytes // 1024, size_bytes
                changes.append(vim.vm.device.VirtualDeviceSpec(operation="edit", device=disk))
            finished(
                machine.ReconfigVM_Task(
                    vim.vm.ConfigSpec(changeTrackingEnabled=tracked, deviceChange=changes)
                )
            )
            for flat in flats_of(machine):
                flat.write_bytes(os.urandom(size_bytes))
            self.written[name] = content(machine)

    def write(self, name: str, data: bytes, offset: int) -> None:
        """Write to a VM's first disk, as its guest does."""
        write(self.machines[name], data, offset)
        self.written[name] = content(self.machines[name])


def disks_of(machine: Any) -> list[Any]:
    """Return the disks of a VM."""
    from pyVmomi import vim

    return devices_of(machine, vim.vm.device.VirtualDisk)


def devices_of(machine: Any, kind: Any) -> list[Any]:
    """Return the devices of a kind."""
    return [one for one in machine.config.hardware.device if isinstance(one, kind)]


def flats_of(machine: Any) -> list[Path]:
    """Return the files that hold the bytes of a VM's disks."""
    found = []
    for disk in disks_of(machine):
        file = str(disk.backing.fileName).partition("] ")[2].replace(".vmdk", "-flat.vmdk")
        found.append(Path(str(disk.backing.datastore.summary.url)) / file)
    return found


def content(machine: Any) -> bytes:
    """Return the bytes of a VM's disks."""
    return b"".join(flat.read_bytes() for flat in flats_of(machine))


def write(machine: Any, data: bytes, offset: int) -> None:
    """Write to a VM's first disk, as its guest does."""
    with flats_of(machine)[0].open("r+b") as body:
        body.seek(offset)
        body.write(data)


def spec(peer: VCenterPeer) -> str:
    """Return a peer's address as settings have it."""
    return f"vcenter://{peer.user}@{peer.host}:{peer.port}"


def with_password(cli: Wherry, peer: VCenterPeer, *arguments: str, password: str = "") -> Ran:
    """Run a command that reads the peer's password and trusts its authority."""
    with descriptor(f"{password or peer.password}\n") as number:
        return cli(*arguments, "--password-fd", number, "--ca-file", str(peer.certificate))


@dataclass(frozen=True, slots=True)
class Staged:
    """A project whose source and target are vCenters."""

    cli: Wherry
    source: VCenterPeer
    target: VCenterPeer
    moving: str = ""

    def planned(self, *vms: str, **settings: str) -> Staged:
        """Say what lands where, plan these VMs (or all) and approve; ``settings`` are in TOML."""
        known = [vm["name"] for vm in self.cli.done("inventory", "--json").document]
        stay = [name for name in known if vms and name not in vms]
        for name, value in {**_SETTINGS, "exclude": str(stay), **settings}.items():
            self.cli.done("settings", "set", name.replace("__", "."), value)
        self.cli.done("plan")
        self.cli.done("plan", "approve")
        return replace(self, moving=vms[0] if vms else "")


_SETTINGS = {
    "datastores": '{LocalDS_0 = "LocalDS_0"}',
    "policies.delta_cycles": "1",
    "policies.cycle_min": "0",
    "conduct.probes": '[{name = "runs", kind = "power"}]',
}


def staged(root: Path, source: VCenterPeer, target: VCenterPeer) -> Staged:
    """Make a project, read the source, name both sites and log in."""
    assert wherry("init", str(root)).code == 0
    cli = Wherry(root)
    ran = with_password(cli, source, "discover", spec(source))
    assert ran.code == 0, ran.text
    for name, role, peer in (("dc1", "source", source), ("dc2", "target", target)):
        cli.done("site", "add", name, spec(peer), "--role", role)
        said = ", ".join(f'"{store}" = "{path}"' for store, path in mounts(peer).items())
        cli.done("settings", "set", f"sites.{name}.mounts", f"{{{said}}}")
        ran = with_password(cli, peer, "site", "login", name)
        assert ran.code == 0, ran.text
    return Staged(cli, source, target)
