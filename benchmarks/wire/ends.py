"""The two ends as processes: ``python -m benchmarks.wire.ends receive|send JSON``.

They use what ``wherry receiver`` and ``wherry send`` use; over TLS the keys are those of ``wherry keys``.
"""

from __future__ import annotations

import json
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Any

SITE = "there"


def _receive(said: dict[str, Any]) -> None:
    from migrate.daemons.address import listen_tcp
    from migrate.disks.flat import FlatDisk
    from migrate.replication.dedupe.pools import Pools
    from migrate.replication.network import NetworkService
    from migrate.replication.service import serve_forever
    from migrate.replication.tls import TlsKeys

    folder, disks = Path(said["folder"]), said["disks"]
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda _signal, _frame: stopping.set())

    def open_disk(name: str) -> FlatDisk:
        return FlatDisk(Path(disks[name]), True, spares=True)  # as wherry receiver opens it

    def open_read(name: str) -> FlatDisk:
        return FlatDisk(Path(disks[name]))

    def tell(where: str) -> None:
        half = folder / "receiver.part"
        half.write_text(where, "utf-8")
        half.rename(folder / "receiver.at")

    if said["keys"]:
        keys = TlsKeys(Path(said["keys"]) / "receiver.pem")
        store = folder / "store"
        store.mkdir(mode=0o700)
        pools = Pools(store, open_read, sum(Path(path).stat().st_size for path in disks.values()))
        service = NetworkService(keys, open_disk, dict.fromkeys(disks, ""), store, pools=pools)
        with listen_tcp(f"{said['host']}:0") as listening:
            tell(str(listening.getsockname()[1]))
            service.serve(listening, stopping.is_set)
        return
    path = folder / "receiver.sock"
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        tell(str(path))
        serve_forever(
            listening, open_disk, folder / "store", 3600.0, open_read=open_read, stop=stopping.is_set
        )


def _send(said: dict[str, Any]) -> None:
    from migrate.disks.extent import Extent
    from migrate.disks.flat import FlatDisk
    from migrate.replication.channel import Channel, SocketChannel, is_near
    from migrate.replication.passes import Mode, PassSpec
    from migrate.replication.sender import send_pass
    from migrate.replication.streams import Streams

    def connect() -> Channel:
        if said["keys"]:
            from migrate.replication.tls import TlsKeys, connect_tls

            keys = TlsKeys(Path(said["keys"]) / "sender.pem")
            return connect_tls(said["host"], int(said["at"]), keys, SITE, way=said["congestion"])
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(said["at"])
        return SocketChannel(sock)

    channel = connect()
    disk = FlatDisk(Path(said["source"]))
    delta = said["mode"] == "delta"
    spec = PassSpec(said["disk"], said["pass_id"], disk.size_bytes, base=said["base"], change=said["pass_id"])
    sent = send_pass(
        disk,
        channel,
        spec,
        mode=Mode(said["mode"]),
        extents=[Extent(*run) for run in said["changed"]] if delta else None,
        level=said["level"],
        adapts=said["adapts"],
        near=is_near(channel),
        dedupe=said["dedupe"],
        streams=Streams(connect, lambda: said["streams"]) if said["streams"] > 1 else None,
    )
    channel.close()
    disk.close()
    if not sent.complete or sent.mode.value != said["mode"]:
        raise SystemExit(f"the pass ended as {sent}")
    Path(said["result"]).write_text(
        json.dumps({"wire_bytes": sent.wire_bytes, "streams": sent.streams}), "utf-8"
    )


if __name__ == "__main__":
    asked = json.loads(sys.argv[2])
    if sys.argv[1] == "receive":
        _receive(asked)
    else:
        _send(json.loads(Path(asked["file"]).read_text("utf-8")))
