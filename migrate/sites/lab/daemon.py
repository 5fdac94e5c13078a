"""The process of a lab site: ``python -m migrate.sites.lab.daemon DIR`` serves DIR until stopped.

One per site folder. It ends in order on SIGTERM, and by itself when for a while no VM was on and
nobody connected.
"""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from migrate.daemons.lock import ServerLock
from migrate.daemons.sockets import listen
from migrate.sites.lab.calls import MAX_LINE, dump, dump_error, dump_line, load_disk, load_vm
from migrate.sites.lab.folder import NAME, SOCKET, SiteFolder
from migrate.sites.lab.hypervisor import Hypervisor
from migrate.sites.networking import load_nic
from migrate.sites.ports import ChangeId
from planner.errors import WherryError

__all__ = ["NAME", "SOCKET", "calls", "main"]

_POLL_S = 0.25


def calls(site: Hypervisor) -> dict[str, Callable[..., Any]]:
    """Return every call a client may make, by name."""

    def locate(volume: str, snapshot: str | None) -> list[str | None]:
        data, folder, stem = site.locate(volume, snapshot)
        return [str(data), str(folder) if folder else None, stem]

    plain: tuple[Callable[..., Any], ...] = (
        site.vms,
        site.observe,
        site.crashed,
        site.volume,
        site.free_bytes,
        site.networks,
        site.power_on,
        site.shut_down,
        site.power_off,
        site.find_snapshot,
        site.list_snapshots,
        site.snapshots_of,
        site.drop_snapshot,
        site.change_id,
        site.delete_disk,
        site.admit_writer,
        site.delete_vm,
        site.rename,
        site.connect_nics,
        site.annotate,
        site.probe,
        site.guest,
        site.configuration,
        site.networking,
        site.address_holders,
        site.set_change_tracking,
        site.set_hardware_version,
        site.consolidate,
    )
    return {
        **{call.__name__: call for call in plain},
        "ping": lambda: site.name,
        "identity": lambda: site.identity,
        "locate": locate,
        "quiesce": lambda vms, op: site.quiesce(tuple(vms), op),
        "thaw": lambda vms, op: site.thaw(tuple(vms), op),
        "take_snapshot": lambda vms, op: site.take_snapshot(tuple(vms), op),
        "changed_areas": lambda volume, since: site.changed_areas(volume, ChangeId.parse(since)),
        "create_disk": lambda disk, op: site.create_disk(load_disk(disk), op),
        "create_vm": lambda vm, op: site.create_vm(load_vm(vm), op),
        "set_disk_modes": lambda vm, modes, op: site.set_disk_modes(
            vm, tuple((key, mode) for key, mode in modes), op
        ),
        "customise": lambda vm, nics, op: site.customise(vm, tuple(map(load_nic, nics)), op),
        "set_drives": lambda vm, drives, op: site.set_drives(
            vm, tuple((key, bool(now), bool(later)) for key, now, later in drives), op
        ),
    }


class _Server:
    def __init__(self, site: Hypervisor, idle_exit_s: float) -> None:
        self._calls = calls(site)
        self._site, self._idle_exit_s = site, idle_exit_s
        self._last = time.monotonic()
        self._peers: set[socket.socket] = set()
        self.stopping = False

    def serve(self, listener: socket.socket) -> None:
        listener.settimeout(_POLL_S)
        while not self.stopping:
            try:
                peer, _ = listener.accept()
            except TimeoutError:
                if self._peers or not self._site.idle:
                    self._last = time.monotonic()
                elif time.monotonic() - self._last > self._idle_exit_s:
                    return
                continue
            peer.settimeout(None)
            self._peers.add(peer)
            threading.Thread(target=self._talk, args=(peer,), daemon=True).start()

    def _talk(self, peer: socket.socket) -> None:
        try:
            with peer, peer.makefile("rb") as lines, contextlib.suppress(OSError):
                while line := lines.readline(MAX_LINE):
                    peer.sendall(dump_line(self._answer(line)))
        finally:
            self._peers.discard(peer)

    def _answer(self, line: bytes) -> dict[str, object]:
        try:
            request = json.loads(line)
            return {"ok": dump(self._calls[request["call"]](*request["args"]))}
        except (WherryError, OSError, KeyError, TypeError, ValueError, AttributeError) as error:
            return {"error": dump_error(error)}


def main(arguments: list[str]) -> int:
    """Serve the site folder named by the only argument; return the exit code."""
    try:
        (directory,) = arguments
        folder = SiteFolder(Path(directory))
        settings = folder.settings()
        with ServerLock(folder.run, NAME):
            site = Hypervisor(folder)
            server = _Server(site, settings.idle_exit_s)

            def stop(_signal: int, _frame: object) -> None:
                server.stopping = True

            signal.signal(signal.SIGTERM, stop)
            signal.signal(signal.SIGINT, stop)
            with listen(folder.run, SOCKET) as listener:
                server.serve(listener)
            site.close()
    except ValueError:
        sys.stderr.write("usage: python -m migrate.sites.lab.daemon DIR\n")
        return 2
    except WherryError as error:
        sys.stderr.write(f"{error.message}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
