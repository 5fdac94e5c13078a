"""Dedupe at the receiver of a lab site, a process that comes and goes."""

from __future__ import annotations

import random
from pathlib import Path

from migrate.daemons.receiver import connect_receiver
from migrate.daemons.spawn import stop_server
from migrate.replication.channel import SocketChannel
from migrate.replication.passes import Mode, PassSpec
from migrate.replication.sender import send_pass
from migrate.sites.lab.client import LabSite
from migrate.sites.lab.folder import SiteFolder, SiteSettings
from migrate.sites.ports import NewDisk
from planner.model import Backing
from planner.units import MIB
from tests.migrate.replication.model import MemoryDisk


def test_a_clone_is_made_at_the_site_after_the_receiver_was_started_anew(tmp_path: Path) -> None:
    root = tmp_path / "target"
    SiteFolder(root).create(SiteSettings(name="target", role="target"))
    site = LabSite.connect(root)
    content = random.Random(4).randbytes(2 * MIB)
    try:
        for volume, deduped in (("vm-1/disk 0", 0), ("vm-[/]../x/disk 0", 2 * MIB)):
            site.create_disk(NewDisk(volume, 2 * MIB, Backing.VMDK), f"op-{deduped}")
            channel = SocketChannel(connect_receiver(site.where))
            spec = PassSpec(volume, "p1", 2 * MIB, 1)
            sent = send_pass(MemoryDisk(content), channel, spec, mode=Mode.SEED, dedupe=True)
            channel.close()
            assert (sent.sent_bytes, sent.deduped_bytes) == (2 * MIB - deduped, deduped)
            disk = site.open_read(volume)
            there = bytearray(2 * MIB)
            for at in (0, MIB):
                disk.read_into(memoryview(there)[at : at + MIB], at)
            disk.close()
            assert there == content
            stop_server(root / "run", "receiver")
    finally:
        stop_server(root / "run", "receiver")
        site.stop()
