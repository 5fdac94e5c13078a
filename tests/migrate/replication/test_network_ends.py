"""Keys that end, lists that age, and peers of another kind: what each side says; nothing is written."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from migrate.disks.flat import FlatDisk
from migrate.keys import authority
from migrate.keys.bundle import read_bundle
from migrate.keys.names import Holder, Role
from migrate.keys.revoked import Relied
from migrate.replication import network
from migrate.replication.channel import ChannelClosed
from migrate.replication.conversations import Conversations
from migrate.replication.link import Link
from migrate.replication.messages import Hello
from migrate.replication.passes import Mode, PassSpec
from migrate.replication.sender import send_pass
from migrate.replication.tls import TlsChannel, TlsKeys, connect_tls
from migrate.replication.wire import Kind
from planner.errors import BadInput, NotFound, ProjectBusy, SiteRefused, WherryError
from tests.migrate.replication.served import ALL, FAR, SIZE, Keys, Served, issuer, send, until

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
# when a certificate of 30 days begins, what its holder hears, what whoever refuses it says
TIMES = {
    "expired": (NOW - 40 * DAY, "certificate expired", "certificate has expired"),
    "not yet valid": (NOW + 40 * DAY, "bad certificate", "certificate is not yet valid"),
}


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return issuer(tmp_path)


@pytest.fixture
def source(tmp_path: Path) -> FlatDisk:
    (tmp_path / "source.img").write_bytes(b"new?" * (SIZE // 4))
    return FlatDisk(tmp_path / "source.img")


@pytest.fixture(autouse=True)
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level("INFO", network.__name__)
    return caplog


@contextmanager
def serving(tmp_path: Path, keys: TlsKeys, **more: object) -> Iterator[Served]:
    running = Served(tmp_path, keys, **more)
    try:
        yield running
    finally:
        running.stop()


def old(keys: Keys, case: str, holder: Holder) -> TlsKeys:
    """Return keys that count at another time only; their own check is passed by a wrong clock."""
    begins = TIMES[case][0]
    return TlsKeys(keys(holder, begins=begins), begins + DAY)


@pytest.mark.parametrize("case", TIMES)
def test_a_sender_whose_keys_do_not_count_now(
    tmp_path: Path, keys: Keys, source: FlatDisk, log: pytest.LogCaptureFixture, case: str
) -> None:
    _begins, heard, said = TIMES[case]
    with serving(tmp_path, TlsKeys(keys(FAR))) as served:
        before = served.digest()
        with pytest.raises(ChannelClosed, match=f"refuses the encrypted connection: {heard}"):
            send(served, old(keys, case, ALL), source)
        assert served.digest() == before
        send(served, keys(ALL), source)
    assert f"certificate is refused: {said}" in log.text


@pytest.mark.parametrize("case", TIMES)
def test_a_receiver_whose_keys_do_not_count_now(
    tmp_path: Path, keys: Keys, source: FlatDisk, log: pytest.LogCaptureFixture, case: str
) -> None:
    _begins, heard, said = TIMES[case]
    with serving(tmp_path, old(keys, case, FAR)) as served:
        before = served.digest()
        with pytest.raises(ChannelClosed, match=f"certificate is refused: {said}"):
            send(served, keys(ALL), source)
        assert served.digest() == before
    assert f"refuses the encrypted connection: {heard}" in log.text


def test_keys_that_end_while_the_receiver_runs(
    tmp_path: Path, keys: Keys, source: FlatDisk, log: pytest.LogCaptureFixture
) -> None:
    clock = [NOW + DAY]
    with serving(tmp_path, TlsKeys(keys(FAR, days=16)), now=lambda: clock[0]) as served:
        send(served, keys(ALL), source)
        assert "issue new ones" not in log.text
        clock[0] += 2 * DAY
        send(served, keys(ALL), source)  # it hears of the clock at its next look, as everything does
        before = served.digest()
        clock[0] += 20 * DAY
        with pytest.raises(SiteRefused, match="keys of the receiver have ended"):
            send(served, keys(ALL), source)
        assert served.digest() == before
    assert "dc2, project p1 end at" in log.text
    assert "dc2, project p1 ended at" in log.text


def unverified(context: ssl.SSLContext) -> ssl.SSLContext:
    context.verify_mode = ssl.CERT_NONE
    return context


def test_what_each_side_says_of_another_authority_old_tls_and_none(
    tmp_path: Path, keys: Keys, source: FlatDisk, log: pytest.LogCaptureFixture
) -> None:
    theirs, ours = TlsKeys(keys(ALL, "theirs")), TlsKeys(keys(ALL))
    twelve = ours.context(server=False)
    twelve.minimum_version = twelve.maximum_version = ssl.TLSVersion.TLSv1_2
    with serving(tmp_path, TlsKeys(keys(FAR))) as served:
        before = served.digest()

        def tried(context: ssl.SSLContext) -> None:
            sock = socket.create_connection(("127.0.0.1", served.port), 10)
            with closing(TlsChannel(sock, context, server=False)) as channel:
                send_pass(source, channel, PassSpec("v", "1", SIZE), mode=Mode.SEED)

        def heard(context: ssl.SSLContext) -> str:
            log.clear()
            with pytest.raises(ChannelClosed) as refused:
                tried(context)
            until(lambda: "conversation ended" in log.text)
            return refused.value.message

        assert "certificate is refused" in heard(theirs.context(server=False))
        assert "refuses the encrypted connection" in log.text
        assert "refuses the encrypted connection" in heard(unverified(theirs.context(server=False)))
        assert "certificate is refused" in log.text
        assert "refuses the encrypted connection: protocol version" in heard(twelve)
        assert "unsupported protocol" in log.text
        for words in (b"GET / HTTP/1.0\r\n\r\n", b"WHRY" + bytes(200)):
            log.clear()
            with socket.create_connection(("127.0.0.1", served.port), 10) as plain:
                plain.sendall(words)
                until(lambda: "conversation ended" in log.text)
            assert "http request" in log.text or "wrong version number" in log.text
        assert served.digest() == before
        send(served, ours, source)
        assert served.digest() != before


@pytest.mark.parametrize("kind", ["plaintext", "TLS 1.2"])
def test_a_sender_speaks_to_no_receiver_without_tls_13(keys: Keys, kind: str) -> None:
    context = TlsKeys(keys(FAR)).context(server=True)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            sock, _address = listening.accept()
            with sock:
                if kind == "plaintext":
                    sock.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")
                    heard.append(sock.recv(65536))
                else:
                    with pytest.raises(ChannelClosed, match="protocol"):
                        TlsChannel(sock, context, server=True)

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(ChannelClosed, match="encrypted connection"):
            connect_tls("127.0.0.1", listening.getsockname()[1], TlsKeys(keys(ALL)), "dc2")
        thread.join(20)
    assert all(b"WHRY" not in words for words in heard)


def test_an_older_list_of_revoked_keys_is_not_accepted_again(
    tmp_path: Path, keys: Keys, source: FlatDisk, log: pytest.LogCaptureFixture
) -> None:
    bundle, other = keys(ALL), keys(ALL)
    far = TlsKeys(keys(FAR))
    with serving(tmp_path, far) as served:
        send(served, bundle, source)
        yesterday = served.revoked.read_bytes()
        authority.revoke(tmp_path / "ours", read_bundle(bundle).serial)
        with pytest.raises(SiteRefused, match="were revoked"):
            send(served, bundle, source)
        served.revoked.write_bytes(yesterday)
        for refused in (bundle, other):
            with pytest.raises(SiteRefused, match="cannot tell which keys are revoked"):
                send(served, refused, source)
        assert "is older than a list that was seen before" in log.text
    root = far.bundle.authority
    again = Relied(served.revoked, served.store, root)  # what was seen outlives the process
    with pytest.raises(BadInput, match="older than a list"):
        again.holds("1")
    with pytest.raises(BadInput, match="none is given now"):
        Relied(None, served.store, root)
    authority.issue(tmp_path / "ours", ALL, 1, tmp_path / "more.pem")
    authority.revoke(tmp_path / "ours", read_bundle(tmp_path / "more.pem").serial)
    assert Relied(served.revoked, served.store, root).holds(read_bundle(tmp_path / "more.pem").serial)
    (served.store / "revoked.seen").write_bytes(b"{")
    with pytest.raises(BadInput, match="nobody knows which list was the last"):
        Relied(served.revoked, served.store, root)


def test_a_memory_that_forgets_is_seen(tmp_path: Path, keys: Keys) -> None:
    """The negative control: without what was seen, yesterday's list brings a revoked key back."""
    bundle = read_bundle(keys(ALL))
    file = tmp_path / "ours" / "revoked.pem"
    first = authority.issue(tmp_path / "ours", ALL, 1, tmp_path / "first.pem")
    authority.revoke(tmp_path / "ours", first.serial)
    yesterday = file.read_bytes()
    authority.revoke(tmp_path / "ours", bundle.serial)
    assert Relied(file, tmp_path, bundle.authority).holds(bundle.serial)
    (tmp_path / "revoked.seen").unlink()
    file.write_bytes(yesterday)
    assert not Relied(file, tmp_path, bundle.authority).holds(bundle.serial)


def test_what_came_of_each_conversation_is_written_down(tmp_path: Path, keys: Keys, source: FlatDisk) -> None:
    hostile = Holder("p1", "dc\u202e\n1", Role.SENDER, ("erp",))
    with serving(tmp_path, TlsKeys(keys(FAR))) as served:
        good, bad = keys(ALL), keys(hostile)
        serials = [read_bundle(bundle).serial for bundle in (good, bad)]
        send(served, good, source)
        with pytest.raises(SiteRefused):
            send(served, bad, source)
    path = served.store / "conversations.jsonl"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_bytes().isascii()
    told = [json.loads(line) for line in path.read_text("ascii").splitlines()]
    asked = [line for line in told if line["what"] == "asked"]
    assert [(line["serial"], line["site"], line["volume"]) for line in asked] == [
        (serials[0], "dc1", "v"), (serials[1], "dc\u202e\n1", "v"),
    ]  # fmt: skip
    ended = {line["number"]: line for line in told if line["what"] == "ended"}
    done, refused = (ended[line["number"]] for line in asked)
    assert done["outcome"] == "done"
    assert done["received_bytes"] > 300
    assert "of no group" in refused["outcome"]


def test_the_log_of_conversations_is_bounded(tmp_path: Path) -> None:
    log = Conversations(tmp_path, lambda: NOW, max_bytes=10_000)
    for _ in range(200):
        talk = log.talk()
        talk.end("never said who it is", 1)
        talk.begin(ALL, "AB", Hello(purpose="pass", volume="v" * 512, size_bytes=1, nonce="0" * 32))
    sizes = [file.stat().st_size for file in tmp_path.iterdir()]
    assert len(sizes) == 2
    assert max(sizes) <= 10_000
    assert sum(sizes) > 9_000
    assert "never said" not in (tmp_path / "conversations.jsonl").read_text("ascii")


def test_a_second_sender_of_the_same_generation_waits_outside(
    tmp_path: Path, keys: Keys, source: FlatDisk
) -> None:
    """Both may write the volume; the second is told, and what the first sends arrives whole."""
    (tmp_path / "second.img").write_bytes(b"2nd?" * (SIZE // 4))
    with serving(tmp_path, TlsKeys(keys(FAR))) as served:
        bundle = keys(ALL)
        channel = connect_tls("127.0.0.1", served.port, TlsKeys(bundle), "dc2", 20.0)
        refused: list[WherryError] = []

        def intrude() -> bool:
            if not refused:
                with pytest.raises(ProjectBusy, match="another conversation") as caught:
                    send(served, bundle, FlatDisk(tmp_path / "second.img"))
                refused.append(caught.value)
            return False

        first = send_pass(source, channel, PassSpec("v", "first", SIZE), mode=Mode.SEED, stop=intrude)
        channel.close()
        assert first.complete
        assert refused
        assert served.target.read_bytes() == (tmp_path / "source.img").read_bytes()


def test_volumes_that_are_not_registered(tmp_path: Path, keys: Keys, source: FlatDisk) -> None:
    def world() -> dict[str, int]:
        files = (path for path in tmp_path.rglob("*") if path.name != "conversations.jsonl")
        return {str(path): path.stat().st_mtime_ns for path in files if path.is_file()}

    bundle = keys(ALL)
    with serving(tmp_path, TlsKeys(keys(FAR))) as served:
        send(served, bundle, source)
        before = world()
        for volume in ("../../etc/passwd", "/etc/passwd", "V", "v\u202e", "v" * 512, "a/../v", "v\0", " v"):
            with (
                closing(connect_tls("127.0.0.1", served.port, TlsKeys(bundle), "dc2", 10.0)) as channel,
                pytest.raises(NotFound, match="not served here") as refused,
            ):
                send_pass(source, channel, PassSpec(volume, "1", SIZE), mode=Mode.SEED)
            assert "\u202e" not in refused.value.message
        assert world() == before


def test_a_byte_now_and_then_buys_no_time(tmp_path: Path, keys: Keys, source: FlatDisk) -> None:
    words = Hello(purpose="pass", volume="v", size_bytes=SIZE, nonce="0" * 32).dump()
    with serving(tmp_path, TlsKeys(keys(FAR)), handshake_s=1.0) as served:
        bundle = keys(ALL)
        with closing(connect_tls("127.0.0.1", served.port, TlsKeys(bundle), "dc2", 10.0)) as channel:
            said = b"".join(bytes(part) for part in Link(channel).pack(Kind.HELLO, body=words))
            with pytest.raises(ChannelClosed):
                trickle(channel, said)
        send(served, bundle, source)


def trickle(channel: TlsChannel, said: bytes) -> None:
    for byte in said:
        channel.send([bytes([byte])])
        time.sleep(0.1)


def test_a_sender_is_no_receiver(keys: Keys) -> None:
    context = TlsKeys(keys(ALL)).context(server=True)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            sock, _address = listening.accept()
            TlsChannel(sock, context, server=True).close()

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(SiteRefused, match="not a receiver"):
            connect_tls("127.0.0.1", listening.getsockname()[1], TlsKeys(keys(ALL)), "dc1")
        thread.join(20)
