"""A receiver on a network at work in this process, and the keys to reach it with."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from migrate.disks.flat import FlatDisk
from migrate.keys import authority
from migrate.keys.names import Holder, Role
from migrate.replication.network import NetworkService
from migrate.replication.passes import Mode, PassSpec
from migrate.replication.sender import send_pass
from migrate.replication.tls import TlsKeys, connect_tls
from planner.units import MIB

SIZE = 2 * MIB
ALL = Holder("p1", "dc1", Role.SENDER)
FAR = Holder("p1", "dc2", Role.RECEIVER)
Keys = Callable[..., Path]


def issuer(tmp_path: Path) -> Keys:
    """Return a maker of bundles: ``keys(holder, by)`` issues one by the authority of that name."""
    made: set[str] = set()

    def issue(holder: Holder, by: str = "ours", *, days: int = 30, begins: datetime | None = None) -> Path:
        if by not in made:
            authority.create(tmp_path / by, "p1")
            made.add(by)
        file = tmp_path / f"{len(list(tmp_path.glob('*.pem')))}.pem"
        authority.issue(tmp_path / by, holder, days, file, begins)
        return file

    return issue


class Served:
    """A receiver at work in this process."""

    def __init__(self, tmp_path: Path, keys: TlsKeys, **more: Any) -> None:
        self.store = tmp_path / "store"
        self.target = tmp_path / "target.img"
        self.target.write_bytes(b"old!" * (SIZE // 4))
        self.revoked = tmp_path / "ours" / "revoked.pem"
        authority.revoke(tmp_path / "ours", authority.issue(
            tmp_path / "ours", ALL, 1, tmp_path / "gone.pem").serial)  # fmt: skip
        self._halt = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        service = NetworkService(
            keys, lambda _volume: FlatDisk(self.target, True), {"v": "crm"}, self.store,
            **{"revoked": self.revoked, "strangers": 3, **more},
        )  # fmt: skip
        self._thread = threading.Thread(target=service.serve, args=(self._listening, self._halt.is_set))
        self._thread.start()

    def stop(self) -> None:
        self._halt.set()
        self._thread.join(60)
        assert not self._thread.is_alive()
        self._listening.close()

    def digest(self) -> str:
        return hashlib.sha256(self.target.read_bytes()).hexdigest()


def send(served: Served, bundle: Path | TlsKeys, source: FlatDisk, site: str = "dc2") -> None:
    """Send the disk as ``v``, in whole; raises what goes wrong."""
    keys = bundle if isinstance(bundle, TlsKeys) else TlsKeys(bundle)
    channel = connect_tls("127.0.0.1", served.port, keys, site, 10.0)
    try:
        assert send_pass(source, channel, PassSpec("v", "1", SIZE), mode=Mode.SEED).complete
    finally:
        channel.close()


def until(holds: Callable[[], bool], patience_s: float = 60.0) -> None:
    """Wait until something holds; fails when it does not come."""
    deadline = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)
