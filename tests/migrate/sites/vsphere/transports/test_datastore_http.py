"""A flat file read over HTTPS in ranges: what may go wrong on the way, and what must not pass for a disk."""

from __future__ import annotations

import errno
import os
from contextlib import closing
from types import SimpleNamespace
from typing import Any, cast

import pytest

from migrate.sites.vsphere.connection import Connection
from migrate.sites.vsphere.datastore_path import DatastorePath
from migrate.sites.vsphere.transports.datastore_http import DatastoreHttp
from migrate.sites.vsphere.transports.folder import FolderFile, Stand
from migrate.sites.vsphere.transports.ports import Purpose
from planner.errors import SiteRefused, Unreachable
from planner.sources.vcenter.wire import Answer
from tests.migrate.sites.vsphere.conftest import Wired
from tests.migrate.sites.vsphere.disks import KIB, MIB, content, real_disk

GET = "folder:GET"


@pytest.mark.parametrize("times", [1, 2])
def test_sessions_that_end_in_a_row_are_renewed(wired: Wired, times: int) -> None:
    real = real_disk(wired)
    wired.peer.rules([{"method": GET, "count": times, "status": 401}], folder_login=True)
    with closing(DatastoreHttp(wired.connection).open_read(real.place())) as disk:
        assert content(disk) == real.body
    assert wired.peer.fired() == [times]


def test_a_disk_is_read_in_ranges(wired: Wired) -> None:
    real = real_disk(wired)
    wired.peer.rules([], folder_login=True)
    with closing(DatastoreHttp(wired.connection).open_read(real.place())) as disk:
        assert disk.size_bytes == MIB
        assert list(disk.allocated()) == [(0, MIB)]
        assert content(disk) == real.body
        assert content(disk, 513, 70_001) == real.body[513:70_514]
        with pytest.raises(OSError, match="outside"):
            content(disk, MIB - 1, 2)


@pytest.mark.parametrize(
    "rule",
    [{"drop": True}, {"half": True}, {"status": 503}, {"status": 429}],
    ids=["dropped", "half a range", "busy", "too many"],
)
def test_what_passes_is_tried_again(wired: Wired, rule: dict[str, object]) -> None:
    real = real_disk(wired)
    with closing(DatastoreHttp(wired.connection).open_read(real.place())) as disk:
        wired.peer.rules([{"method": GET, "count": 2, **rule}])
        assert content(disk) == real.body
    assert wired.peer.fired() == [2]


def test_an_expired_session_is_renewed_once(wired: Wired) -> None:
    real = real_disk(wired)
    wired.peer.rules([], folder_login=True)
    with closing(DatastoreHttp(wired.connection).open_read(real.place())) as disk:
        wired.connection.session.content.sessionManager.Logout()
        wired.peer.calls(reset=True)
        assert content(disk) == real.body
        assert content(disk, 0, 10) == real.body[:10]
    assert wired.peer.calls()["Login"] == 1


def test_an_account_that_may_not_is_told(wired: Wired) -> None:
    real = real_disk(wired)
    wired.peer.rules([{"method": "folder:HEAD", "status": 403}])
    with pytest.raises(SiteRefused, match="answers 403"):
        DatastoreHttp(wired.connection).open_read(real.place())


def test_a_replaced_file_is_noticed(wired: Wired) -> None:
    real = real_disk(wired)
    with closing(DatastoreHttp(wired.connection).open_read(real.place())) as disk:
        content(disk, 0, 4096)
        other = real.flat.with_suffix(".new")
        other.write_bytes(bytes(MIB))
        os.utime(other, (1, 1))
        other.replace(real.flat)
        with pytest.raises(OSError, match="changed or replaced") as caught:
            content(disk, 4096, 4096)
    assert caught.value.errno == errno.ESTALE


def test_a_file_that_is_gone_is_noticed(wired: Wired) -> None:
    real = real_disk(wired)
    with closing(DatastoreHttp(wired.connection).open_read(real.place())) as disk:
        real.flat.unlink()
        with pytest.raises(OSError, match="gone or shorter"):
            content(disk, 0, 4096)


@pytest.mark.parametrize("size", [0, MIB - 512, MIB + 512])
def test_a_file_of_another_size_is_no_disk(wired: Wired, size: int) -> None:
    real = real_disk(wired)
    os.truncate(real.flat, size)
    with pytest.raises(SiteRefused, match="its disk has"):
        DatastoreHttp(wired.connection).open_read(real.place())


def test_a_disk_that_runs_without_a_snapshot_is_refused(wired: Wired) -> None:
    real = real_disk(wired)
    way = DatastoreHttp(wired.connection)
    assert "no snapshot holds it still" in way.refusal(real.place(running=True), Purpose.READ)
    assert way.refusal(real.place(running=True, live=True), Purpose.READ) == ""
    assert way.refusal(real.place(running=True, snapshot="snapshot-1"), Purpose.READ) == ""
    assert "runs holds it" in way.refusal(real.place(running=True, snapshot="snapshot-1"), Purpose.WRITE)
    assert "no files" in way.refusal(real.place(datastore_kind="vsan"), Purpose.READ)
    delta = DatastorePath.parse(str(real.file).replace(".vmdk", "-000001.vmdk"))
    assert "several files" in way.refusal(real.place(file=delta), Purpose.READ)


def test_a_server_that_writes_in_place_is_written(wired: Wired) -> None:
    real = real_disk(wired)
    with closing(DatastoreHttp(wired.connection).open_write(real.place())) as disk:
        disk.write(b"w" * 1000, 5000)
        disk.zero(64 * KIB, 64 * KIB)
        disk.flush()
        expected = bytearray(real.body)
        expected[5000:6000] = b"w" * 1000
        expected[64 * KIB : 128 * KIB] = bytes(64 * KIB)
        assert content(disk) == expected
    assert real.flat.read_bytes() == expected
    assert [path.name for path in real.flat.parent.glob("wherry-probe*")] == []


def _answering(*answers: tuple[int, dict[str, str], bytes]) -> Connection:
    """Return a connection whose server gives these answers; what else one does is not there."""
    waiting = list(answers)

    def request(method: str, path: str, body: bytes = b"", headers: Any = None) -> Answer:
        status, head, said = waiting.pop(0)
        return Answer(status, head, iter([said] if said else []))

    fake = SimpleNamespace(
        session=SimpleNamespace(key="k", wire=SimpleNamespace(request=request)),
        shown="vc",
        clock=iter(range(100)).__next__,
        sleep=lambda seconds: None,
        patience_s=2.0,
    )
    return cast("Connection", fake)


def _ranged(
    said: str = "bytes 0-3/8", body: bytes = b"abcd", **head: str
) -> tuple[int, dict[str, str], bytes]:
    return 206, {"Content-Range": said, "Last-Modified": "t", **head}, body


def _read(connection: Connection) -> bytes:
    buffer = bytearray(4)
    file = FolderFile(connection, DatastorePath("a", "b/c-flat.vmdk"), "DC0")
    file.read_into(memoryview(buffer), 0, Stand(8, "t"))
    return bytes(buffer)


@pytest.mark.parametrize(
    "odd",
    [
        _ranged("bytes 4-7/8"),
        _ranged("bytes 0-2/8", b"abc"),
        _ranged("nonsense"),
        _ranged(body=b"abc"),
        _ranged(body=b"abcde"),
    ],
    ids=["another range", "less of it", "no range", "short", "long"],
)
def test_an_odd_answer_is_never_taken_for_bytes(odd: tuple[int, dict[str, str], bytes]) -> None:
    assert _read(_answering(odd, _ranged())) == b"abcd"
    with pytest.raises(Unreachable):
        _read(_answering(odd, odd, odd))


@pytest.mark.parametrize(
    ("odd", "says"),
    [
        ((200, {"Content-Length": "8"}, b"abcdefgh"), "does not serve ranges"),
        (_ranged("bytes 0-3/9"), "changed or replaced"),
        ((416, {}, b""), "gone or shorter"),
    ],
)
def test_an_answer_about_another_file_ends_it(odd: tuple[int, dict[str, str], bytes], says: str) -> None:
    with pytest.raises(OSError, match=says):
        _read(_answering(odd, _ranged()))
