"""Dedupe over TLS: keys that are limited to a group share content within it and learn nothing beyond."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from migrate.daemons.registered import Register
from migrate.disks.flat import FlatDisk
from migrate.keys.names import Holder
from migrate.replication.dedupe.pools import Pools
from migrate.replication.network import NetworkService
from migrate.replication.passes import Mode, PassSpec
from migrate.replication.sender import send_pass
from migrate.replication.tls import TlsKeys, connect_tls
from planner.units import MIB
from tests.migrate.replication.served import ALL, FAR, issuer

VOLUMES = {"crm 1": "crm", "crm 2": "crm", "erp 1": "erp", "erp 2": "erp", "crm 3": "crm"}
CRM, ERP = replace(ALL, groups=("crm",)), replace(ALL, groups=("erp",))


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    for name in VOLUMES:
        with (tmp_path / name).open("wb") as file:
            file.truncate(MIB)
    disks = Register((name, tmp_path / name, group) for name, group in VOLUMES.items())
    store = tmp_path / "store"
    pools = Pools(store, disks.open_read, len(VOLUMES) * MIB)
    keys = issuer(tmp_path)
    for holder, file in ((FAR, "far"), (ALL, "all"), (CRM, "crm"), (ERP, "erp")):
        keys(holder).rename(tmp_path / f"{file}.keys")
    service = NetworkService(
        TlsKeys(tmp_path / "far.keys"), disks.open_write, disks.groups(), store, pools=pools
    )
    halt = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=service.serve, args=(listening, halt.is_set))
        thread.start()
        yield int(listening.getsockname()[1])
        halt.set()
        thread.join(60)
    assert not thread.is_alive()


def test_groups_share_within_and_not_beyond(port: int, tmp_path: Path) -> None:
    content = random.Random(3).randbytes(MIB)
    (tmp_path / "source").write_bytes(content)

    def saved(who: Holder, volume: str) -> int:
        name = who.groups[0] if who.groups else "all"
        disk = FlatDisk(tmp_path / "source")
        channel = connect_tls("127.0.0.1", port, TlsKeys(tmp_path / f"{name}.keys"), "dc2", 10.0)
        sent = send_pass(disk, channel, PassSpec(volume, "1", MIB), mode=Mode.SEED, dedupe=True)
        channel.close()
        disk.close()
        assert (tmp_path / volume).read_bytes() == content
        assert sent.sent_bytes + sent.deduped_bytes == MIB
        return sent.deduped_bytes

    assert saved(CRM, "crm 1") == 0
    assert saved(ERP, "erp 1") == 0  # nothing tells it that the other group has all of it
    assert saved(CRM, "crm 2") == MIB
    assert saved(ERP, "erp 2") == MIB
    assert saved(ALL, "crm 3") == 0  # nor does one of all groups draw on what limited ones brought
