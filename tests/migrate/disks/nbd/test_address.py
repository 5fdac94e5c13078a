"""Addresses of NBD exports: what they mean, and that unclear ones are refused with a hint."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.disks.nbd.address import Address, is_uri, parse_uri
from planner.errors import BadInput
from planner.names import visible


def test_addresses_are_read() -> None:
    assert parse_uri("nbd://host.example/disk%201") == Address("disk 1", "host.example", 10809)
    assert parse_uri("nbd://[::1]:7777") == Address("", "::1", 7777)
    assert parse_uri("nbd+unix:///a/b?socket=/run/x%20y") == Address("a/b", socket=Path("/run/x y"))
    assert parse_uri("nbds://h/x?tls-ca=/ca.pem&tls-cert=/c.pem&tls-key=/k.pem") == Address(
        "x", "h", 10809, None, Path("/ca.pem"), Path("/c.pem"), Path("/k.pem"), "h"
    )
    assert parse_uri("nbds+unix:///x?socket=/s&tls-ca=/ca.pem&tls-hostname=me").name == "me"


@pytest.mark.parametrize(
    "text",
    [
        "nbd://",
        "nbd:///x",
        "nbd://h:99999/x",
        "nbd://h/%ff",
        "nbd://u@h/x",
        "nbd://h/x#y",
        "nbd://h/x?socket=/s",
        "nbd://h/x?tls-ca=/ca.pem",
        "nbd+unix:///x",
        "nbd+unix://h/x?socket=/s",
        "nbd+unix:///x?socket=",
        "nbd+unix:///x?socket=/s&socket=/t",
        "nbds://h/x",
        "nbds://h/x?tls-ca=/ca.pem&tls-cert=/c.pem",
        "nbds+unix:///x?socket=/s&tls-ca=/ca.pem",
        f"nbd://h/{'x' * 5000}",
        "nbd+unix:///x?socket=/a%00b",
        "http://h/x",
    ],
)
def test_unclear_addresses_are_refused(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_uri(text)
    assert caught.value.hint


@given(st.text(st.characters(exclude_categories=()), max_size=40))
def test_any_text_is_an_address_or_refused(rest: str) -> None:
    assert is_uri(f"nbd://{rest}")
    said = ""
    try:
        found = parse_uri(f"nbd://{rest}")
        said = str(found)
        found.host.encode("idna")
        found.export.encode()
    except BadInput as error:
        said = error.message
    assert said
    assert visible(said) == said
