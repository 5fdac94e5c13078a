"""A lab site as everybody else sees it: control over the socket, disks opened directly.

``LabSite`` implements every part of ``migrate.sites.ports``. It may be used from several threads;
a process that died answers every call with Unreachable until somebody connects again.
"""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from migrate.daemons.sockets import connect
from migrate.daemons.spawn import start as start_process
from migrate.daemons.spawn import stop_server
from migrate.disks.flat import FlatDisk
from migrate.disks.ports import ReadableDisk, WritableDisk
from migrate.sites.addresses import Holder
from migrate.sites.configuration import Configuration
from migrate.sites.definition import Difference
from migrate.sites.lab.calls import (
    MAX_LINE,
    dump,
    dump_line,
    load_configuration,
    load_disk,
    load_error,
    load_snapshot,
    load_state,
)
from migrate.sites.lab.folder import NAME, SOCKET, SiteFolder
from migrate.sites.lab.frozen import FrozenDisk
from migrate.sites.lab.health import GuestState
from migrate.sites.lab.tracked import lease
from migrate.sites.networking import GuestNic, load_nic
from migrate.sites.ports import (
    Capability,
    ChangeId,
    Consistency,
    Extent,
    Health,
    NewDisk,
    NewVM,
    Snapshot,
    VMSnapshot,
    VMState,
)
from planner.errors import NotFound, SiteRefused, Unreachable
from planner.names import visible

_CONNECT_S = 10.0

CAPABILITIES = frozenset(Capability) - {Capability.RULES, Capability.FOLDERS}


class LabSite:
    """A lab site folder, through its process."""

    def __init__(self, directory: Path) -> None:
        """Name the site; nothing is asked yet. Raises BadInput when the folder is not a lab site."""
        self._folder = SiteFolder(directory.absolute())
        self._name = self._folder.settings().name
        self._spare: list[socket.socket] = []

    @classmethod
    def connect(cls, directory: Path, start: bool = True) -> LabSite:
        """Return the site in ``directory``, its process started when it isn't running and may be.

        Raises BadInput when the folder is not a lab site, Unreachable when nobody answers.
        """
        site = cls(directory)
        if start:
            site._start()
        else:
            site._ask("ping")
        return site

    def _start(self) -> None:
        def answers() -> bool:
            return bool(self._ask("ping") == self._name)

        root = str(self._folder.root)
        start_process(
            "migrate.sites.lab.daemon", [root], directory=self._folder.run, name=NAME, answers=answers
        )

    def stop(self, timeout_s: float = 30.0) -> bool:
        """Shut all guests down and end the site's process; False when it still runs after the time."""
        self.close()
        return stop_server(self._folder.run, NAME, timeout_s)

    def close(self) -> None:
        """Close this client's connections; the process goes on."""
        while self._spare:
            self._spare.pop().close()

    def _ask(self, call: str, *args: Any) -> Any:
        """Make one call; raises what the site raised, Unreachable when it does not answer."""
        request = dump_line({"call": call, "args": [dump(item) for item in args]})
        peer = self._peer()
        try:
            peer.sendall(request)
            line = _read_line(peer)
        except BaseException as error:
            peer.close()
            if isinstance(error, OSError):
                raise _gone(self._name, error.strerror or str(error)) from error
            raise
        if not line:
            peer.close()
            # the outcome is unknown: every changing call carries its op, so the caller may ask again
            raise _gone(self._name, "its process went away during the call")
        self._spare.append(peer)
        answer = json.loads(line)
        if "error" in answer:
            raise load_error(answer["error"])
        return answer["ok"]

    def _peer(self) -> socket.socket:
        """Return a connection whose other end is there, an idle one or a new one."""
        with contextlib.suppress(IndexError):
            while True:
                peer = self._spare.pop()
                try:
                    peer.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
                except BlockingIOError:
                    return peer  # nothing to read and not closed
                except OSError:
                    pass
                peer.close()
        return connect(self._folder.run, SOCKET, _CONNECT_S)

    @property
    def name(self) -> str:
        """Name of the site."""
        return self._name

    @property
    def identity(self) -> str:
        """What the site's process calls itself; stays when the folder is moved."""
        return str(self._ask("identity"))

    @property
    def directory(self) -> Path:
        """Folder of the site."""
        return self._folder.root

    @property
    def where(self) -> str:
        """What another process opens this site by."""
        return f"lab:{self._folder.root}"

    @property
    def holds_disks(self) -> bool:
        """False: they are files of this machine."""
        return False

    @property
    def capabilities(self) -> frozenset[Capability]:
        """All but those of a vCenter."""
        return CAPABILITIES

    def vms(self) -> tuple[str, ...]:
        """Return the ids of all registered VMs."""
        return tuple(self._ask("vms"))

    def names(self) -> dict[str, str]:
        """Return the names of all registered VMs, by id."""
        return {vm: found.name for vm in self.vms() if (found := self.observe(vm)) is not None}

    def observe(self, vm: str) -> VMState | None:
        """Return the VM's state, None when it is not registered; raises Unreachable."""
        found = self._ask("observe", vm)
        return None if found is None else load_state(found)

    def crashed(self, vm: str) -> bool:
        """True when the VM was on as the site's process died, and was not powered on since."""
        return bool(self._ask("crashed", vm))

    def definition(self, vm: str) -> None:
        """Return None: what a plan says of a lab's VM is all there is."""

    def volume(self, volume: str) -> NewDisk | None:
        """Return a volume as it exists at the site, attached or not, or None."""
        found = self._ask("volume", volume)
        return None if found is None else load_disk(found)

    def free_bytes(self) -> int:
        """Return the bytes that new disks may take."""
        return int(self._ask("free_bytes"))

    def lacking(
        self, leaving: Iterable[str] = (), arriving: Iterable[NewVM] = (), *, rules: bool = False
    ) -> tuple[str, ...]:
        """Return nothing: whoever owns the folder may do everything."""
        return ()

    def datastores(self) -> None:
        """Return None: a lab has one folder for all disks."""

    def networks(self) -> frozenset[str] | None:
        """Return the networks that NICs can be plugged into, None for any."""
        found = self._ask("networks")
        return None if found is None else frozenset(found)

    def power_on(self, vm: str, op: str) -> None:
        """Power a VM on; raises SiteRefused when a writer has one of its disks."""
        self._ask("power_on", vm, op)

    def shut_down(self, vm: str, op: str, timeout_s: float) -> bool:
        """Ask the guest to stop; False when it did not within the time."""
        return bool(self._ask("shut_down", vm, op, timeout_s))

    def power_off(self, vm: str, op: str) -> None:
        """Stop a VM at once."""
        self._ask("power_off", vm, op)

    def quiesce(self, vms: tuple[str, ...], op: str) -> Consistency:
        """Bring a group's guests to a clean point and keep them there until ``thaw``."""
        return Consistency(self._ask("quiesce", vms, op))

    def thaw(self, vms: tuple[str, ...], op: str) -> None:
        """Let the guests write again."""
        self._ask("thaw", vms, op)

    def take_snapshot(self, vms: tuple[str, ...], op: str) -> Snapshot:
        """Freeze a group's tracked volumes at one instant, once per ``op``."""
        return load_snapshot(self._ask("take_snapshot", vms, op))

    def find_snapshot(self, op: str) -> Snapshot | None:
        """Return the snapshot made under ``op`` that still exists."""
        found = self._ask("find_snapshot", op)
        return None if found is None else load_snapshot(found)

    def drop_snapshot(self, snapshot: str, op: str) -> None:
        """Remove a snapshot; one that is gone already is not an error."""
        self._ask("drop_snapshot", snapshot, op)

    def list_snapshots(self) -> tuple[Snapshot, ...]:
        """Return all snapshots."""
        return tuple(load_snapshot(item) for item in self._ask("list_snapshots"))

    def snapshots_of(self, vm: str) -> tuple[VMSnapshot, ...]:
        """Return everybody's snapshots of a VM, none for one that is not registered."""
        return tuple(VMSnapshot(**item) for item in self._ask("snapshots_of", vm))

    def changed_areas(self, volume: str, since: ChangeId) -> tuple[Extent, ...] | None:
        """Return areas written after ``since``, None when that cannot be known."""
        found = self._ask("changed_areas", volume, str(since))
        return None if found is None else tuple(Extent(**item) for item in found)

    def change_id(self, volume: str) -> ChangeId | None:
        """Return the volume's change id now, None when it is not tracked."""
        found = self._ask("change_id", volume)
        return None if found is None else ChangeId(**found)

    def create_disk(self, disk: NewDisk, op: str) -> None:
        """Create a volume full of zeros; raises SiteRefused, NoSpace."""
        self._ask("create_disk", disk, op)

    def delete_disk(self, volume: str, op: str) -> None:
        """Delete a volume that nobody uses; a mapped LUN keeps its content."""
        self._ask("delete_disk", volume, op)

    def open_read(self, volume: str, snapshot: str | None = None) -> ReadableDisk:
        """Open a volume, as it is now or as a snapshot froze it; raises NotFound, OSError.

        Without a snapshot the content is stable only while its VMs are off and nobody writes.
        """
        data, folder, stem = self._ask("locate", volume, snapshot)
        if folder is None:
            return FlatDisk(Path(data))
        try:
            return FrozenDisk(Path(data), Path(folder), stem)
        except FileNotFoundError as error:
            raise NotFound(
                f"snapshot {visible(str(snapshot))} does not exist any more", "take a new one"
            ) from error

    def open_write(self, volume: str) -> WritableDisk:
        """Open a volume for writing, alone; raises SiteRefused while a VM or another writer has it."""
        data, _, _ = self._ask("locate", volume, None)
        disk = FlatDisk(Path(data), writable=True)
        try:
            lease(disk, volume, exclusive=True)
            self._ask("admit_writer", volume)
        except BaseException:
            disk.close()
            raise
        return disk

    def create_vm(self, vm: NewVM, op: str) -> None:
        """Register a VM, powered off; raises SiteRefused when its id is taken."""
        self._ask("create_vm", vm, op)

    def differences(self, vm: NewVM) -> tuple[Difference, ...]:
        """Return nothing: a lab builds what it is told."""
        return ()

    def delete_vm(self, vm: str, op: str) -> None:
        """Unregister a powered-off VM; its volumes stay."""
        self._ask("delete_vm", vm, op)

    def rename(self, vm: str, name: str, op: str) -> None:
        """Give a VM another display name."""
        self._ask("rename", vm, name, op)

    def connect_nics(self, vm: str, connected: bool, op: str) -> None:
        """Plug or unplug all NICs of a VM."""
        self._ask("connect_nics", vm, connected, op)

    def annotate(self, vm: str, note: str, op: str) -> None:
        """Replace a VM's note."""
        self._ask("annotate", vm, note, op)

    def configuration(self, vm: str) -> Configuration | None:
        """Return a VM's configuration, None when it is not registered."""
        found = self._ask("configuration", vm)
        return None if found is None else load_configuration(found)

    def set_change_tracking(self, vm: str, on: bool, op: str) -> None:
        """Ask for change tracking; it takes effect at the next power-on or snapshot."""
        self._ask("set_change_tracking", vm, on, op)

    def set_hardware_version(self, vm: str, version: int, op: str) -> None:
        """Change the virtual hardware; raises SiteRefused while the VM is on."""
        self._ask("set_hardware_version", vm, version, op)

    def set_disk_modes(self, vm: str, modes: tuple[tuple[str, str], ...], op: str) -> None:
        """Change the modes of disks; raises SiteRefused while the VM is on."""
        self._ask("set_disk_modes", vm, modes, op)

    def set_drives(self, vm: str, drives: tuple[tuple[str, bool, bool], ...], op: str) -> None:
        """Connect or disconnect CD and floppy drives."""
        self._ask("set_drives", vm, drives, op)

    def consolidate(self, vm: str, op: str) -> None:
        """Merge delta files that belong to no snapshot."""
        self._ask("consolidate", vm, op)

    def networking(self, vm: str) -> tuple[GuestNic, ...] | None:
        """Return what a guest is set to, or will be when it starts next; None where nobody can know."""
        found = self._ask("networking", vm)
        return None if found is None else tuple(map(load_nic, found))

    def address_holders(self) -> tuple[Holder, ...]:
        """Return every registered VM with the addresses that it holds; raises Unreachable."""
        return tuple(
            Holder(
                one["vm"], one["name"], tuple(one["macs"]), None if one["ips"] is None else tuple(one["ips"])
            )
            for one in self._ask("address_holders")
        )

    def customise(self, vm: str, nics: tuple[GuestNic, ...], op: str) -> None:
        """Have the guest of a VM that is off start with other settings; raises SiteRefused."""
        self._ask("customise", vm, nics, op)

    def probe(self, vm: str) -> Health:
        """Look whether the guest runs and everything it acknowledged is there."""
        return Health(**self._ask("probe", vm))

    def guest(self, vm: str) -> GuestState:
        """Scan a VM's records, on or off; a call that only the lab has."""
        return GuestState(**self._ask("guest", vm))


def _read_line(peer: socket.socket) -> bytes:
    parts: list[bytes] = []
    size = 0
    while not parts or not parts[-1].endswith(b"\n"):
        part = peer.recv(1 << 20)
        size += len(part)
        if not part:
            return b""
        if size > MAX_LINE:
            raise SiteRefused("the lab's answer is too long", "report this")
        parts.append(part)
    return b"".join(parts)


def _gone(name: str, why: str) -> Unreachable:
    return Unreachable(
        f"lab site {visible(name)} does not answer: {why}", "start it again, then ask what was done"
    )
