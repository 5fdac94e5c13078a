"""Probes against real servers on loopback: what is well, what is not, and what would hold them up."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from migrate.probes.asking import Answer, ask
from migrate.probes.question import Question, load_question, question
from migrate.programs.fill import Filling
from planner.conduct import Probe
from tests.migrate.probes.answering import Authority, answering, page, read_question

HERE = Filling("W01", "web-1", "127.0.0.1", "id-web")


def asked(tmp_path: Path, limit_s: float = 10.0, **rule: Any) -> Answer:
    """Ask what a rule of the settings asks of a VM on loopback."""
    found = question(Probe(name="p", **rule), HERE)
    assert load_question(found.as_json()) == found
    return ask(found, tmp_path, limit_s)


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def silent(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.recv(65536)  # until the other side goes


def test_a_port_is_open_or_it_is_not(tmp_path: Path) -> None:
    with answering(lambda connection: None) as port:
        found = asked(tmp_path, kind="tcp", port=port)
        assert found == Answer(True, f"127.0.0.1 port {port} is open")
    assert asked(tmp_path, kind="tcp", port=closed_port()) == Answer(False, "connection refused")


def test_a_name_that_is_no_host_is_an_answer_too(tmp_path: Path) -> None:
    for hostile in ("[red]\u202e", "a b", "x" * 300, "..", "a\0b"):
        found = ask(Question("tcp", host=hostile, port=9), tmp_path, 5)
        assert not found.ok
        assert found.detail


@pytest.mark.parametrize(
    ("text", "status", "rule", "ok", "detail"),
    [
        (b"all is ok", "200 OK", {"holds": "is ok"}, True, "it answered 200"),
        (b"", "204 No Content", {"status": 204}, True, "it answered 204"),
        (b"ok", "302 Found", {}, False, "it answered 302 Found"),
        (b"ok", "503 \x1b[31mgone", {}, False, "it answered 503 \u241b[31mgone"),
        (b"down", "200 OK", {"holds": "ok"}, False, "it answered 200, without 'ok'"),
    ],
)
def test_a_page_is_what_it_has_to_be_or_not(
    text: bytes, status: str, rule: dict[str, Any], ok: bool, detail: str, tmp_path: Path
) -> None:
    with answering(page(text, status)) as port:
        found = asked(tmp_path, kind="http", url=f"http://{{address}}:{port}/health?a=b", **rule)
    assert found == Answer(ok, detail)


def test_what_is_asked_is_the_url_and_nothing_of_ours(tmp_path: Path) -> None:
    heard: list[bytes] = []

    def answer(connection: socket.socket) -> None:
        heard.append(read_question(connection))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with answering(answer) as port:
        assert asked(tmp_path, kind="http", url=f"http://{{address}}:{port}/{{vm}}?x=1").ok
    lines = heard[0].decode().split("\r\n")
    assert lines[0] == "GET /web-1?x=1 HTTP/1.1"
    assert f"Host: 127.0.0.1:{port}" in lines
    assert "Connection: close" in lines


def test_a_text_without_end_is_read_so_far_only(tmp_path: Path) -> None:
    def answer(connection: socket.socket) -> None:
        read_question(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    with answering(answer) as port:
        found = asked(tmp_path, kind="http", url=f"http://{{address}}:{port}/", holds="ok")
    assert found == Answer(False, "it answered 200, without 'ok', in its first MiB")


def dripping(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"X-Slow: 1\r\n")
        time.sleep(0.02)


@pytest.mark.parametrize("answer", [silent, dripping])
def test_a_host_that_does_not_come_to_an_end_is_left_in_time(answer: Any, tmp_path: Path) -> None:
    with answering(answer) as port:
        found = asked(tmp_path, 0.3, kind="http", url=f"http://{{address}}:{port}/")
    assert found == Answer(False, "no answer in time")


def test_nonsense_is_no_answer(tmp_path: Path) -> None:
    with answering(lambda connection: connection.sendall(b"\x00\xff220 smtp\r\n")) as port:
        found = asked(tmp_path, kind="http", url=f"http://{{address}}:{port}/")
        assert not found.ok
        assert not asked(tmp_path, kind="tls", port=port).ok


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def secure(authority: Authority) -> Iterator[int]:
    with answering(page(b"ok"), authority.serving(timedelta(days=20, hours=1))) as port:
        yield port


def test_a_certificate_is_believed_by_whom_it_is_said_to(
    authority: Authority, secure: int, tmp_path: Path
) -> None:
    own: dict[str, Any] = {"kind": "tls", "port": secure, "host": "localhost", "trust": str(authority.file)}
    found = asked(tmp_path, **own)
    assert found.ok
    assert found.detail.endswith("in 20 days")
    system = asked(tmp_path, **{**own, "trust": ""})
    assert not system.ok
    assert system.detail.startswith("the certificate is not valid: ")


def test_a_certificate_of_another_name_is_not_valid(authority: Authority, tmp_path: Path) -> None:
    elsewhere = authority.serving(timedelta(days=20), address="127.0.0.2")
    with answering(page(b"ok"), elsewhere) as port:
        found = asked(tmp_path, kind="tls", port=port, trust=str(authority.file))
    assert not found.ok
    assert "127.0.0.1" in found.detail


@pytest.mark.parametrize(("days", "ok"), [(20, True), (21, False)])
def test_a_certificate_has_to_last(
    days: int, ok: bool, authority: Authority, secure: int, tmp_path: Path
) -> None:
    found = asked(tmp_path, kind="tls", port=secure, days=days, trust=str(authority.file))
    assert found.ok is ok


def test_one_that_ended_is_not_valid_whoever_is_trusted(authority: Authority, tmp_path: Path) -> None:
    with answering(page(b"ok"), authority.serving(-timedelta(days=2))) as port:
        found = asked(tmp_path, kind="tls", port=port, trust=str(authority.file))
        assert (found.ok, "expired" in found.detail) == (False, True)
        unverified = asked(tmp_path, kind="tls", port=port, trust="expiry-only")
        assert not unverified.ok
        assert "ended on" in unverified.detail


def test_a_date_can_be_read_off_one_that_nobody_vouches_for_when_that_is_said(
    secure: int, tmp_path: Path
) -> None:
    found = asked(tmp_path, kind="tls", port=secure, days=5, trust="expiry-only")
    assert found.ok
    assert "not verified" in found.detail


def test_a_page_over_tls_is_verified_too(authority: Authority, secure: int, tmp_path: Path) -> None:
    url = f"https://localhost:{secure}/"
    assert asked(tmp_path, kind="http", url=url, holds="ok", trust=str(authority.file)).ok
    assert "not valid" in asked(tmp_path, kind="http", url=url).detail


def test_a_file_of_authorities_lies_in_the_project_or_is_named_as_wrong(
    authority: Authority, secure: int, tmp_path: Path
) -> None:
    (tmp_path / "own.pem").write_bytes(authority.file.read_bytes())
    (tmp_path / "empty.pem").write_bytes(b"")
    assert asked(tmp_path, kind="tls", port=secure, trust="own.pem").ok
    for wrong in ("none.pem", "empty.pem"):
        found = asked(tmp_path, kind="tls", port=secure, trust=wrong)
        assert (found.ok, found.detail.startswith(f"{wrong} holds no certificates")) == (False, True)


def test_a_silent_host_of_tls_is_left_in_time(tmp_path: Path) -> None:
    with answering(silent) as port:
        assert asked(tmp_path, 0.3, kind="tls", port=port, trust="expiry-only").ok is False


def test_a_program_has_the_last_word(tmp_path: Path) -> None:
    program = [sys.executable, "-I", "-S", "-c"]
    ok = asked(tmp_path, kind="command", argv=[*program, "import sys; print(1, sys.argv[1])", "{vm}"])
    assert ok == Answer(True, "1 web-1")
    bad = asked(tmp_path, kind="command", argv=[*program, "print('no rows'); raise SystemExit(4)"])
    assert bad == Answer(False, "it ended with code 4: no rows")
    slow = asked(tmp_path, 0.3, kind="command", argv=[*program, "import time; time.sleep(60)"])
    assert not slow.ok
    assert "was not done within 0.3 s" in slow.detail


def test_what_is_asked_can_be_read_whatever_the_names(tmp_path: Path) -> None:
    hostile = Filling("W01", "[red]\u202e\x1b[2J", "10.0.0.7", "id")
    rules: list[dict[str, Any]] = [
        {"kind": "tcp", "host": "{vm}", "port": 22},
        {"kind": "tls", "host": "{vm}", "port": 443, "days": 3},
        {"kind": "http", "url": "https://{vm}/", "holds": "\u202e"},
        {"kind": "command", "argv": ["psql", "{vm}"]},
        {"kind": "power"},
        {"kind": "tools"},
    ]
    for rule in rules:
        words = question(Probe(name="p", **rule), hostile).words
        assert words
        assert words.isprintable()


def test_what_cannot_be_asked_says_why_and_is_kept(tmp_path: Path) -> None:
    found = question(Probe(name="p", kind="tcp", port=22), Filling("W01", "web-1", "", "id"))
    assert found.refused == "nobody knows an address of web-1"
    assert found.hint
    assert load_question(found.as_json()) == found
