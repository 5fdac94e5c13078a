"""The receiver of a lab site as a process of its own."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from migrate.daemons.lock import is_running
from migrate.daemons.receiver import connect_receiver, start_receiver
from migrate.daemons.spawn import stop_server
from migrate.replication.channel import SocketChannel
from migrate.replication.hashing import ask_hash, hash_disk
from migrate.replication.passes import Mode, PassSpec
from migrate.replication.sender import send_pass
from migrate.sites.lab.client import LabSite
from migrate.sites.lab.folder import SiteFolder, SiteSettings
from migrate.sites.ports import Extent, NewDisk
from planner.errors import NotFound
from planner.model import Backing
from tests.migrate.replication.model import MemoryDisk

SIZE = 4 * 1024 * 1024
VOLUME = "vm-[/]../x/disk 0"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[LabSite]:
    root = tmp_path / "target"
    SiteFolder(root).create(SiteSettings(name="target", role="target"))
    lab = LabSite.connect(root)
    lab.create_disk(NewDisk(VOLUME, SIZE, Backing.VMDK), "op-1")
    yield lab
    stop_server(root / "run", "receiver")
    lab.stop()


def test_seed_kill_delta_and_hash_into_a_lab_site(tmp_path: Path, site: LabSite) -> None:
    root = tmp_path / "target"
    content = bytearray(b"record 1" * (SIZE // 8))
    channel = SocketChannel(connect_receiver(site.where))
    spec = PassSpec(VOLUME, "p1", SIZE, 1, change="e/1")
    assert send_pass(MemoryDisk(content), channel, spec, mode=Mode.SEED).complete
    channel.close()
    os.kill(start_receiver(site.where), signal.SIGKILL)
    while is_running(root / "run", "receiver") is not None:
        time.sleep(0.01)
    content[1000:1003] = b"new"
    channel = SocketChannel(connect_receiver(site.where))
    spec = PassSpec(VOLUME, "p2", SIZE, 1, "e/1", "e/2")
    result = send_pass(MemoryDisk(content), channel, spec, mode=Mode.DELTA, extents=[Extent(0, 65536)])
    assert result.mode is Mode.DELTA
    assert result.sent_bytes == 65536
    channel.close()
    channel = SocketChannel(connect_receiver(site.where))
    assert ask_hash(channel, VOLUME, SIZE) == hash_disk(MemoryDisk(content))
    channel.close()
    disk = site.open_read(VOLUME)
    assert hash_disk(disk) == hash_disk(MemoryDisk(content))
    disk.close()


def test_an_unknown_volume_is_refused(site: LabSite) -> None:
    channel = SocketChannel(connect_receiver(site.where))
    with pytest.raises(NotFound):
        send_pass(MemoryDisk(SIZE), channel, PassSpec("other", "p", SIZE), mode=Mode.SEED)
    channel.close()
