"""Notices reach real servers on loopback, are tried again, and stay out of the way."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from pydantic import ValidationError

from migrate.notices.notice import Notice, of_alarm, of_error
from migrate.notices.sending import Teller
from planner.errors import Blocked
from planner.settings_notices import Notices

_NASTY = "W01\x1b[2J\r\nBcc: all@example.com"


@contextmanager
def served(server: socketserver.BaseServer) -> Iterator[Any]:
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server.server_address  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()


class Hook(BaseHTTPRequestHandler):
    answers: list[int]
    got: list[dict[str, Any]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = self.answers.pop(0) if self.answers else 200
        if status == 200:
            self.got.append(json.loads(body))
        self.send_response(status)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *words: Any) -> None:
        pass


class Mail(socketserver.StreamRequestHandler):
    got: list[str]

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            word = line.split()[0].upper() if line.split() else b""
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                text = b""
                while (part := self.rfile.readline()) != b".\r\n":
                    text += part
                self.got.append(text.decode())
            self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
            if word == b"QUIT":
                return


def told(settings: Notices, *notices: Notice) -> list[float]:
    """Tell and return how long it waited in between."""
    waits: list[float] = []
    teller = Teller(lambda: settings, waits.append)
    for notice in notices:
        teller.tell(notice)
    teller.close(60)
    return waits


def test_a_webhook_that_fails_at_first_is_told_later_and_redirects_are_not_followed() -> None:
    Hook.answers, Hook.got = [500, 302], []
    with served(HTTPServer(("127.0.0.1", 0), Hook)) as (host, port):
        waits = told(Notices(webhooks=(f"http://{host}:{port}/x",)), of_alarm("move", _NASTY, "come"))
    assert waits == [5.0, 30.0]
    (body,) = Hook.got
    assert body["schema"] == "wherry.notice/1"
    assert (body["about"], body["project"]) == ("alarm", "move")
    assert "\x1b" not in json.dumps(body, ensure_ascii=False)


def test_a_mail_says_it_in_its_subject_and_no_name_adds_a_header() -> None:
    Mail.got = []
    with served(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mail)) as (host, port):
        settings = Notices(mail_to=("ann@example.com",), mail_from="w@example.com", smtp=f"{host}:{port}")
        told(settings, of_error("move", _NASTY, Blocked("it is not approved", "approve it")))
    (text,) = Mail.got
    head, _, body = text.partition("\r\n\r\n")
    assert "To: ann@example.com" in head
    assert not any(line.startswith("Bcc") for line in head.split("\r\n"))
    assert "it is not approved" in body
    assert "next: approve it" in body


def test_what_nobody_wants_to_hear_is_not_sent_and_nobody_there_is_no_error() -> None:
    Hook.answers, Hook.got = [], []
    with served(HTTPServer(("127.0.0.1", 0), Hook)) as (host, port):
        settings = Notices(webhooks=(f"http://{host}:{port}/x",), about=("failure",))
        told(settings, of_alarm("move", "W01", "come"))
    assert Hook.got == []
    waits = told(Notices(webhooks=(f"http://{host}:{port}/x",)), of_alarm("move", "W01", "come"))
    assert waits == [5.0, 30.0, 120.0]


@pytest.mark.parametrize(
    "wrong",
    [
        {"webhooks": ["http://chat.example/x"]},
        {"webhooks": ["https://ann:secret@chat.example/x"]},
        {"webhooks": ["file:///etc/passwd"]},
        {"mail_to": ["ann@example.com"]},
        {"mail_to": ["a@example.com\nBcc: b@example.com"], "mail_from": "w@example.com"},
    ],
)
def test_settings_that_cannot_work_or_would_leak_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Notices.model_validate(wrong)
