"""Replicas written through nbdkit, its file plugin in place of VDDK: failures are told, no byte is lost."""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from migrate.disks.nbd.disk import NbdDisk
from migrate.sites.vsphere.datastore_path import DatastorePath
from migrate.sites.vsphere.transports.nbd import Nbd
from migrate.sites.vsphere.transports.ports import Place, Purpose
from migrate.sites.vsphere.transports.slots import Limits, Slots, nbd_places
from planner.errors import NoSpace, ProjectBusy, SiteRefused, WherryError
from tests.migrate.disks.nbd.servers import tool
from tests.migrate.sites.vsphere.transports.passing import BLOCK, Passing, children

MIB = 1024**2
BLOCKS = 24
EVAL = ("eval", f"get_size=echo {BLOCKS * BLOCK}", "pread=head -c $3 /dev/zero", "pwrite=cat >/dev/null")


@pytest.fixture(autouse=True)
def _nbdkit() -> None:
    tool("nbdkit")


@dataclass(frozen=True)
class Served:
    """What nbdkit is told in place of VDDK."""

    told: Sequence[str]

    def words(self, place: Place, purpose: Purpose) -> Sequence[str]:
        return self.told

    def secrets(self) -> Mapping[str, str]:
        return {}


def place(**more: object) -> Place:
    fields = {"file": DatastorePath("gold", "wherry-1/disk.vmdk"), "size_bytes": BLOCKS * BLOCK, "vm": "vm-1"}
    return Place(**{**fields, **more})  # type: ignore[arg-type]


@pytest.fixture
def passing(tmp_path: Path) -> Passing:
    made = Passing(tmp_path)
    made.make(random.Random(5), BLOCKS)
    return made


def test_a_pass_is_durable_when_it_is_acknowledged_and_leaves_holes(passing: Passing) -> None:
    assert passing.send() == "complete"
    assert passing.target.read_bytes() == passing.source.read_bytes()
    assert passing.target.stat().st_blocks * 512 < passing.target.stat().st_size, "zeros are holes"
    assert children() == []


@pytest.mark.parametrize("seed", range(2))
def test_an_nbdkit_that_is_killed_in_mid_pass_costs_what_was_not_durable_and_no_more(
    passing: Passing, seed: int
) -> None:
    at = random.Random(seed).randrange(6, BLOCKS - 6)
    with pytest.raises(WherryError):
        passing.send(kill_server_at=at)
    assert children() == []
    kept = passing.acknowledged()
    body, source = passing.target.read_bytes(), passing.source.read_bytes()
    assert kept, "some had been acknowledged"
    for offset, length in kept:
        assert body[offset : offset + length] == source[offset : offset + length]
    assert passing.send() == "complete"
    assert passing.target.read_bytes() == source
    assert passing.resumed_bytes > 0


@pytest.mark.parametrize("seed", range(2))
def test_a_mover_that_is_killed_in_mid_pass_takes_its_server_along_and_the_next_goes_on(
    passing: Passing, seed: int
) -> None:
    at = random.Random(seed).randrange(6, BLOCKS - 6)
    ran = subprocess.run(
        [sys.executable, "-m", "tests.migrate.sites.vsphere.transports.passing", str(passing.root), str(at)],
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == -signal.SIGKILL, ran.stderr.decode()
    kept = passing.acknowledged()
    body, source = passing.target.read_bytes(), passing.source.read_bytes()
    assert body != source
    for offset, length in kept:
        assert body[offset : offset + length] == source[offset : offset + length]
    assert passing.send() == "complete"
    assert passing.target.read_bytes() == source


def test_a_pass_whose_record_promises_too_much_is_found(passing: Passing) -> None:
    """The control: what was acknowledged and is not there shows in what the tests above look at."""
    with pytest.raises(WherryError):
        passing.send(kill_server_at=BLOCKS - 8)
    kept, source = passing.acknowledged(), passing.source.read_bytes()
    with passing.target.open("r+b") as file:
        file.truncate(0)
        file.truncate(BLOCKS * BLOCK)
    passing.send()
    body = passing.target.read_bytes()
    assert any(body[at : at + length] != source[at : at + length] for at, length in kept)


@pytest.mark.parametrize(("error", "raised"), [("EIO", WherryError), ("ENOSPC", NoSpace)])
def test_a_write_that_fails_ends_the_pass_and_says_why(
    passing: Passing, error: str, raised: type[WherryError]
) -> None:
    broken = ("--filter=error", "file", str(passing.target), f"error={error}", "error-pwrite-rate=100%")
    with pytest.raises(raised):
        passing.send(words=broken)
    assert children() == []
    assert passing.send() == "complete"
    assert passing.target.read_bytes() == passing.source.read_bytes()


def test_a_server_that_cannot_flush_is_refused(passing: Passing) -> None:
    way = Nbd(lambda: Served(EVAL))
    with pytest.raises(SiteRefused, match="cannot flush: nothing that is written would be known"):
        way.open_write(place())
    way.open_read(place()).close()  # who only reads needs none
    flushes = (*EVAL, "can_flush=exit 0", "flush=exit 0")
    Nbd(lambda: Served(flushes)).open_write(place()).close()  # control
    assert children() == []


def test_a_server_that_fails_to_flush_says_so_and_never_again_the_opposite(passing: Passing) -> None:
    fails = (*EVAL, "can_flush=exit 0", "flush=echo 'EIO no' >&2; exit 1")
    with closing(Nbd(lambda: Served(fails)).open_write(place())) as disk:
        disk.write(b"x" * 4096, 0)
        for _ in range(2):
            with pytest.raises(OSError):
                disk.flush()


def test_an_export_for_reading_only_is_refused(passing: Passing) -> None:
    reads = Served(EVAL[:-1])
    with pytest.raises(SiteRefused, match="for reading only"):
        Nbd(lambda: reads).open_write(place())
    Nbd(lambda: reads).open_read(place()).close()
    assert children() == []


def test_a_disk_of_another_size_is_refused_and_its_places_are_free(passing: Passing, tmp_path: Path) -> None:
    ration = nbd_places(Slots(tmp_path / "slots", patience_s=0.0), Limits(nbd_per_host=1), "vc")
    way = Nbd(lambda: Served(("file", str(passing.target))), ration)
    for _ in range(2):
        with pytest.raises(SiteRefused, match="over NBD"):
            way.open_write(place(size_bytes=BLOCKS * BLOCK + 512))
    with closing(way.open_write(place())), pytest.raises(ProjectBusy, match="all 1 places of nbd"):
        way.open_write(place())
    way.open_write(place()).close()


def test_who_writes_waits_for_a_place_for_moments_only(passing: Passing, tmp_path: Path) -> None:
    """Two passes in opposite directions each hold what the other wants: both give up, and try again."""
    now, waited = 0.0, 0.0

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    slots = Slots(tmp_path / "slots", clock=lambda: now, sleep=sleep)
    ration = nbd_places(slots, Limits(nbd_per_host=1), "vc")
    release = ration.take(place())
    with pytest.raises(ProjectBusy) as busy:
        ration.take(place(), Purpose.WRITE)
    assert busy.value.retryable
    waited, now = now, 0.0
    with pytest.raises(ProjectBusy):
        ration.take(place(), Purpose.READ)  # control: it holds nothing that anybody waits for
    assert waited < 10 < 600 < now
    release()


def test_zeros_and_ranges_are_written_and_read_back(passing: Passing) -> None:
    with closing(Nbd(lambda: Served(("file", str(passing.target)))).open_write(place())) as disk:
        assert isinstance(disk, NbdDisk)
        disk.write(b"a" * 8192, 4096)
        disk.zero(6144, 2048)
        disk.flush()
        buffer = bytearray(12288)
        disk.read_into(memoryview(buffer), 0)
    assert bytes(buffer) == bytes(4096) + b"a" * 2048 + bytes(2048) + b"a" * 4096
    assert passing.target.read_bytes()[:12288] == bytes(buffer)


def test_errno_of_a_full_disk_is_that_of_a_file(passing: Passing) -> None:
    full = ("--filter=error", "file", str(passing.target), "error=ENOSPC", "error-pwrite-rate=100%")
    with closing(Nbd(lambda: Served(full)).open_write(place())) as disk, pytest.raises(OSError) as failed:
        disk.write(b"x" * 512, 0)
    assert failed.value.errno == errno.ENOSPC
    assert os.strerror(errno.ENOSPC)
