"""The two sides of a story, each as what a process of its own does: a real receiver over TLS, a sender.

The story is six passes: a seed, a clone that dedupes, a delta, a comparison, a newer generation, a seed
over several connections.
"""

from __future__ import annotations

import json
import logging
import os
import random
import signal
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from migrate.disks.flat import FlatDisk
from migrate.keys import authority
from migrate.keys.names import Holder, Role
from migrate.replication import network
from migrate.replication.dedupe import table
from migrate.replication.dedupe.pools import Pools
from migrate.replication.passes import Mode, PassSpec
from migrate.replication.receiver import Receiver
from migrate.replication.sender import send_pass
from migrate.replication.streams import Streams
from migrate.replication.tls import TlsChannel, TlsKeys, connect_tls
from migrate.sites.ports import Extent
from planner.units import KIB
from tests.faults.crossings import Arm, Crossings
from tests.migrate.replication.model import change, make_content

SIZE = 10 * 64 * KIB + 1536
TAIL = 8 * KIB  # a target is larger than its source
RECEIVER = -1  # a side: the receiver, or the number of the pass whose sender it is
MakeSink = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Stage:
    """One pass of the story."""

    volume: str
    source: str
    pass_id: str
    mode: Mode
    base: str = ""
    generation: int = 1
    block_bytes: int = 64 * KIB
    streams: int = 1


STORY = (
    Stage("v", "one.src", "1", Mode.SEED),
    Stage("w", "two.src", "2", Mode.SEED),
    Stage("v", "new.src", "3", Mode.DELTA, base="1"),
    Stage("w", "new.src", "4", Mode.COMPARE, block_bytes=512 * KIB),
    Stage("w", "new.src", "4", Mode.COMPARE, generation=2),
    Stage("v", "two.src", "5", Mode.SEED, streams=3),
)


def make_template(root: Path) -> list[Extent]:
    """Make keys, sources and targets; returns what changed from the first source to the new one."""
    rng = random.Random(11)
    content = make_content(rng, SIZE - 64 * KIB) + rng.randbytes(64 * KIB)
    new, areas = change(rng, content)
    (root / "one.src").write_bytes(content)
    (root / "two.src").write_bytes(content[: SIZE // 2] + change(rng, content[SIZE // 2 :], 2)[0])
    (root / "new.src").write_bytes(new)
    (root / "v").touch()
    os.truncate(root / "v", SIZE + TAIL)
    (root / "w").write_bytes(rng.randbytes(SIZE + TAIL))
    keys = root / "keys"
    authority.create(keys, "p1")
    authority.issue(keys, Holder("p1", "dc1", Role.SENDER), 30, root / "dc1.pem")
    authority.issue(keys, Holder("p1", "dc2", Role.RECEIVER), 30, root / "dc2.pem")
    gone = authority.issue(keys, Holder("p1", "dc1", Role.SENDER), 1, root / "gone.pem")
    authority.revoke(keys, gone.serial)
    return areas


def receive(root: Path, listening: socket.socket, arm: Arm | None, make_sink: MakeSink | None) -> None:
    """Serve ``v`` and ``w`` in ``root`` until SIGTERM; changes this process for good."""
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda _signal, _frame: stopping.set())
    defects = _Defects()
    logging.getLogger("migrate").addHandler(defects)
    defaults: dict[str, Any] = Receiver.__init__.__kwdefaults__ or {}
    defaults["ack_bytes"] = 128 * KIB
    if make_sink is not None:
        defaults["make_sink"] = make_sink
    table.WAITING = 4  # type: ignore[misc]  # so that the table is written in the middle of passes
    network._TICK_S = 0.02
    crossings = Crossings(arm)
    crossings.lay()
    store = root / "store"
    store.mkdir(mode=0o700, exist_ok=True)

    def open_read(name: str) -> FlatDisk:
        return FlatDisk(root / name)

    try:
        service = network.NetworkService(
            TlsKeys(root / "dc2.pem"), lambda name: FlatDisk(root / name, True), {"v": "", "w": ""},
            store, revoked=root / "keys" / "revoked.pem", pools=Pools(store, open_read, 2 * SIZE),
        )  # fmt: skip
        service.serve(listening, stopping.is_set)
    finally:
        _note(root, RECEIVER, crossings, defects.told)


def send(root: Path, port: int, number: int, arm: Arm | None, areas: list[Extent]) -> None:
    """Send a pass of the story; changes this process for good. Raises what went wrong with it."""
    stage = STORY[number]
    crossings = Crossings(arm)
    crossings.lay()
    try:
        disk = FlatDisk(root / stage.source)
        keys = TlsKeys(root / "dc1.pem")

        def connect() -> TlsChannel:
            return connect_tls("127.0.0.1", port, keys, "dc2", 30.0)

        channel = connect()
        spec = PassSpec(stage.volume, stage.pass_id, SIZE, stage.generation, stage.base, change=stage.pass_id)
        sent = send_pass(
            disk, channel, spec, mode=stage.mode, level=0, dedupe=True, block_bytes=stage.block_bytes,
            extents=areas if stage.mode is Mode.DELTA else None,
            streams=Streams(connect, lambda: stage.streams) if stage.streams > 1 else None,
        )  # fmt: skip
        channel.close()
        said = {"resumed": sent.resumed_bytes, "deduped": sent.deduped_bytes, "mode": sent.mode.value}
        (root / "result.json").write_text(json.dumps(said))
    finally:
        _note(root, number, crossings, [])


def _note(root: Path, side: int, crossings: Crossings, wrong: list[str]) -> None:
    said = {"counts": crossings.counts, "wrong": crossings.wrong + wrong, "struck": crossings.struck}
    part = root / f"crossings{side}.part"
    part.write_text(json.dumps(said))
    part.rename(root / f"crossings{side}")


class _Defects(logging.Handler):
    """Keeps what a receiver did not expect."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(self.format(record))
