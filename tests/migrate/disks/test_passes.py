"""The sender reads and the receiver writes disks of every kind, and what arrives is what was there."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from migrate.disks.layout import Holds, Layout, Span, write_layout
from migrate.disks.opening import open_disk
from migrate.disks.ports import WritableDisk
from migrate.replication.channel import SocketChannel
from migrate.replication.hashing import ask_hash, hash_disk
from migrate.replication.passes import Mode, PassSpec
from migrate.replication.sender import send_pass
from migrate.replication.service import serve_forever
from tests.migrate.disks.nbd.servers import MIB, nbdkit, qemu_nbd, tool

SIZE = 12 * MIB


@contextmanager
def receiving(folder: Path, opens: Callable[[str], WritableDisk]) -> Iterator[Callable[[], SocketChannel]]:
    """Run a receiver for one disk and yield the way to it."""
    halt = threading.Event()
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(folder / "receiver"))
        door.listen()
        service = threading.Thread(
            target=serve_forever,
            args=(door, opens, folder / "store", 20.0),
            kwargs={"stop": halt.is_set, "connections": 3},
        )
        service.start()

        def reach() -> SocketChannel:
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(str(folder / "receiver"))
            return SocketChannel(sock, 20.0)

        try:
            yield reach
        finally:
            halt.set()
            service.join(60)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Return a raw disk with holes and noise."""
    path = tmp_path / "source.raw"
    path.touch()
    os.truncate(path, SIZE)
    with path.open("r+b") as file:
        for at in (0, 5 * MIB + 4096, 11 * MIB):
            file.seek(at)
            file.write(random.Random(at).randbytes(700_000))
    return path


@pytest.mark.parametrize("kind", ["streamOptimized", "twoGbMaxExtentFlat"])
def test_a_vmdk_travels_into_an_export(tmp_path: Path, image: Path, kind: str) -> None:
    vmdk = tmp_path / "source.vmdk"
    subprocess.run(
        [tool("qemu-img"), "convert", "-f", "raw", "-O", "vmdk", "-o", f"subformat={kind}", image, vmdk],
        check=True,
    )
    target = tmp_path / "target.raw"
    target.touch()
    os.truncate(target, SIZE)
    with (
        qemu_nbd(tmp_path, "--format=raw", "--discard=unmap", target) as uri,
        receiving(tmp_path, lambda _: open_disk(uri, writable=True).disk) as reach,
    ):
        source = open_disk(str(vmdk)).disk
        channel = reach()
        result = send_pass(source, channel, PassSpec("v", "1", SIZE), mode=Mode.SEED)
        channel.close()
        assert result.complete
        assert result.wire_bytes < 3 * MIB
        channel = reach()
        assert ask_hash(channel, "v", SIZE) == hash_disk(source)
        channel.close()
        source.close()
    assert target.read_bytes() == image.read_bytes()
    assert target.stat().st_blocks * 512 < 5 * MIB  # holes stay holes


def test_an_export_travels_into_a_vmdk_of_several_extents(tmp_path: Path, image: Path) -> None:
    spans = tuple(Span(size, Holds.FLAT, f"t-f00{at}.vmdk") for at, size in enumerate((5 * MIB, 7 * MIB), 1))
    for span in spans:
        (tmp_path / span.file).touch()
        os.truncate(tmp_path / span.file, span.size_bytes)
    target = tmp_path / "t.vmdk"
    target.write_text(write_layout(Layout("twoGbMaxExtentFlat", spans)), "utf-8")
    with (
        nbdkit(tmp_path, "--readonly", "file", str(image)) as uri,
        receiving(tmp_path, lambda _: open_disk(str(target), writable=True).disk) as reach,
    ):
        source = open_disk(uri).disk
        channel = reach()
        assert send_pass(source, channel, PassSpec("v", "1", SIZE), mode=Mode.SEED).complete
        channel.close()
        source.close()
    compared = subprocess.run(
        [tool("qemu-img"), "compare", "-f", "vmdk", "-F", "raw", target, image],
        check=False,
        capture_output=True,
    )
    assert compared.returncode == 0
