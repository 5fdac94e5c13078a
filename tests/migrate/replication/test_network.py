"""The receiver on a network, over real TLS: who is let in, who is not, and what silence does."""

from __future__ import annotations

import contextlib
import dataclasses
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from migrate.disks.flat import FlatDisk
from migrate.keys.names import Holder, Role
from migrate.replication import network
from migrate.replication.channel import ChannelClosed
from migrate.replication.hashing import ask_hash, hash_disk
from migrate.replication.network import NetworkService
from migrate.replication.passes import Mode, PassSpec
from migrate.replication.sender import send_pass
from migrate.replication.tls import TlsChannel, TlsKeys, connect_tls
from planner.errors import BadInput, SiteRefused, Unreachable, WherryError
from tests.migrate.replication.served import ALL, FAR, SIZE, Keys, Served, issuer, send


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return issuer(tmp_path)


@pytest.fixture
def served(tmp_path: Path, keys: Keys) -> Iterator[Served]:
    running = Served(tmp_path, TlsKeys(keys(FAR)))
    yield running
    running.stop()


@pytest.fixture
def source(tmp_path: Path) -> FlatDisk:
    (tmp_path / "source.img").write_bytes(b"new?" * (SIZE // 4))
    return FlatDisk(tmp_path / "source.img")


@pytest.mark.parametrize("groups", [(), ("crm",), ("erp", "crm")])
def test_a_sender_of_the_project_is_let_in(
    served: Served, keys: Keys, source: FlatDisk, groups: tuple[str, ...]
) -> None:
    bundle = keys(dataclasses.replace(ALL, groups=groups))
    send(served, bundle, source)
    channel = connect_tls("127.0.0.1", served.port, TlsKeys(bundle), "dc2", 10.0)
    assert ask_hash(channel, "v", SIZE) == hash_disk(source)
    channel.close()
    assert served.target.read_bytes() == b"new?" * (SIZE // 4)


def test_a_sender_takes_bbr_where_the_kernel_lets_it(served: Served, keys: Keys) -> None:
    with socket.socket() as sock:
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"bbr")
        except OSError:
            pytest.skip("not run: this kernel has no BBR, or not for everybody")
    channel = connect_tls("127.0.0.1", served.port, TlsKeys(keys(ALL)), "dc2", 10.0)
    used = channel._sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16)
    channel.close()
    assert used.rstrip(b"\0") == b"bbr"


def strangers(keys: Keys) -> dict[str, tuple[Path, str, str]]:
    """Return what is wrong, with the keys, the site that is expected and what is said."""
    return {
        "group": (keys(dataclasses.replace(ALL, groups=("erp",))), "dc2", "of no group"),
        "project": (keys(dataclasses.replace(ALL, project="p2")), "dc2", "not of this project"),
        "site": (keys(ALL), "dc3", "not of site dc3"),
        "authority": (keys(ALL, "theirs"), "dc2", "certificate is refused"),
    }


def test_strangers_are_refused_and_the_disk_stays(
    served: Served, keys: Keys, source: FlatDisk, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", network.__name__)
    before = served.digest()
    for bundle, site, said in strangers(keys).values():
        with pytest.raises((SiteRefused, ChannelClosed), match=said):
            send(served, bundle, source, site)
    with pytest.raises(SiteRefused, match="were revoked"):
        send(served, tmp_path / "gone.pem", source)
    served.revoked.write_bytes(b"")
    with pytest.raises(SiteRefused, match="cannot tell which keys are revoked"):
        send(served, keys(ALL), source)
    assert served.digest() == before
    for said in ("of no group", "were revoked", "not a list"):
        assert said in caplog.text


def test_another_project_is_refused_by_the_receiver_too(served: Served, keys: Keys, source: FlatDisk) -> None:
    before = served.digest()
    bundle = TlsKeys(keys(dataclasses.replace(ALL, project="p2")))
    sock = socket.create_connection(("127.0.0.1", served.port), 10)
    channel = TlsChannel(sock, bundle.context(server=False), server=False)
    with pytest.raises(SiteRefused, match="not of this project"):
        send_pass(source, channel, PassSpec("v", "1", SIZE), mode=Mode.SEED)
    channel.close()
    assert served.digest() == before


def test_a_receiver_may_not_send(served: Served, keys: Keys, source: FlatDisk) -> None:
    before = served.digest()
    bundle = TlsKeys(keys(Holder("p1", "dc2", Role.RECEIVER)))
    with pytest.raises(BadInput, match="those of the receiver"):
        connect_tls("127.0.0.1", served.port, bundle, "dc2")
    sock = socket.create_connection(("127.0.0.1", served.port), 10)
    channel = TlsChannel(sock, bundle.context(server=False), server=False)
    with pytest.raises(SiteRefused, match="not a sender"):
        send_pass(source, channel, PassSpec("v", "1", SIZE), mode=Mode.SEED)
    channel.close()
    assert served.digest() == before


def test_an_authorisation_that_accepts_everything_is_seen(
    served: Served, keys: Keys, source: FlatDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: without our own decision ssl lets the wrong project in."""
    monkeypatch.setattr(network, "must_be", lambda *_peer, **_wanted: None)
    monkeypatch.setattr("migrate.replication.tls.must_be", lambda *_peer, **_wanted: None)
    before = served.digest()
    send(served, keys(dataclasses.replace(ALL, project="p2")), source)
    assert served.digest() != before


def test_no_certificate_old_tls_and_no_tls_are_refused(served: Served, keys: Keys, source: FlatDisk) -> None:
    before = served.digest()
    bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    bare.check_hostname, bare.verify_mode = False, ssl.CERT_NONE
    channel = TlsChannel(socket.create_connection(("127.0.0.1", served.port), 10), bare, server=False)
    with pytest.raises(ChannelClosed):  # the handshake succeeded: that says nothing
        send_pass(source, channel, PassSpec("v", "1", SIZE), mode=Mode.SEED)
    channel.close()
    old = TlsKeys(keys(ALL)).context(server=False)
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ChannelClosed, match="version"):
        TlsChannel(socket.create_connection(("127.0.0.1", served.port), 10), old, server=False)
    with socket.create_connection(("127.0.0.1", served.port), 10) as plain:
        plain.sendall(b"GET / HTTP/1.0\r\n\r\n")
        with contextlib.suppress(ConnectionResetError):
            while said := plain.recv(100):
                assert said[0] == 21  # TLS alerts, and nothing else
                assert b"HTTP" not in said
    assert served.digest() == before
    send(served, keys(ALL), source)


def test_peers_that_say_nothing_keep_nobody_out(served: Served, keys: Keys, source: FlatDisk) -> None:
    silent = [socket.create_connection(("127.0.0.1", served.port), 10) for _ in range(20)]
    try:
        send(served, keys(ALL), source)
        assert silent[0].recv(1) == b""  # cut off by those that came after it
    finally:
        for sock in silent:
            sock.close()


def test_closing_wakes_a_thread_that_waits(served: Served, keys: Keys) -> None:
    channel = connect_tls("127.0.0.1", served.port, TlsKeys(keys(ALL)), "dc2", 60.0)
    ended: list[WherryError] = []

    def wait() -> None:
        try:
            channel.recv_into(memoryview(bytearray(1)))
        except WherryError as error:
            ended.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    channel.close()
    thread.join(20)
    assert isinstance(ended[0], Unreachable)


def test_keys_of_a_sender_serve_nothing(tmp_path: Path, keys: Keys) -> None:
    with pytest.raises(BadInput, match="those of the sender"):
        NetworkService(TlsKeys(keys(ALL)), lambda _volume: FlatDisk(tmp_path), {}, tmp_path / "store")
