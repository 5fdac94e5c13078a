"""A password comes from a descriptor, the keyring or a terminal, and errors never hold it."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator

import pytest

from planner.errors import BadInput
from planner.sources.vcenter.address import Address
from planner.sources.vcenter.credentials import find_password, from_descriptor, from_keyring

ADDRESS = Address("kim@vsphere.local", "vc.example.test", 8443)


def descriptor(body: bytes) -> int:
    reading, writing = os.pipe()
    os.write(writing, body)
    os.close(writing)
    return reading


@pytest.mark.parametrize(
    ("body", "meant"),
    [
        (b"s3cret\n", "s3cret"),
        (b"s3cret\r\n", "s3cret"),
        (b"s3cret", "s3cret"),
        (b" with blanks \n", " with blanks "),
        ("pässwörd\n".encode(), "pässwörd"),
    ],
)
def test_from_a_descriptor(body: bytes, meant: str) -> None:
    fd = descriptor(body)
    assert find_password(ADDRESS, fd=fd) == meant
    os.close(fd)


@pytest.mark.parametrize("body", [b"", b"\n", b"one\ntwo\n", b"a\0b", b"hunter2\xff", b"hunter2" * 1000])
def test_no_password_in_a_descriptor(body: bytes) -> None:
    fd = descriptor(body)
    with pytest.raises(BadInput) as caught:
        from_descriptor(fd)
    os.close(fd)
    error: BaseException | None = caught.value
    while error is not None:
        assert "hunter2" not in str(error)
        error = error.__cause__


def test_a_descriptor_that_is_not_open() -> None:
    with pytest.raises(BadInput, match="file descriptor 987"):
        from_descriptor(987)


class Backend:
    """A keyring that holds one password, or fails."""

    def __init__(self, held: dict[tuple[str, str], str], fails: str = "") -> None:
        self.held = held
        self.fails = fails

    def get_password(self, service: str, account: str) -> str | None:
        if self.fails:
            raise RuntimeError(self.fails)
        return self.held.get((service, account))


@pytest.fixture
def backend() -> Iterator[Backend]:
    keyring = pytest.importorskip("keyring")
    from keyring.backend import KeyringBackend

    held = Backend({})
    nothing = {name: lambda *_: None for name in ("set_password", "delete_password")}
    asked = {"get_password": lambda _, service, account: held.get_password(service, account)}
    made = type("Held", (KeyringBackend,), {"priority": 1, **nothing, **asked})()
    before = keyring.get_keyring()
    keyring.set_keyring(made)
    yield held
    keyring.set_keyring(before)


def test_from_the_keyring_by_service_and_account(backend: Backend) -> None:
    backend.held["wherry", "kim@vsphere.local@vc.example.test:8443"] = "s3cret"
    backend.held["wherry", "kim@vsphere.local@vc.example.test"] = "another vCenter's"
    assert find_password(ADDRESS) == "s3cret"
    assert find_password(ADDRESS, keyring=True) == "s3cret"


def test_a_keyring_that_has_nothing(backend: Backend) -> None:
    assert from_keyring(ADDRESS) is None
    with pytest.raises(BadInput, match=r"holds no password of kim@vsphere\.local@vc\.example\.test:8443"):
        find_password(ADDRESS, keyring=True)


def test_a_keyring_that_fails(backend: Backend) -> None:
    backend.fails = "locked\x1b[2J"
    with pytest.raises(BadInput, match="cannot be asked: locked") as caught:
        find_password(ADDRESS, keyring=True)
    assert "\x1b" not in caught.value.message


def test_a_keyring_whose_library_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(BadInput, match="not installed") as caught:
        find_password(ADDRESS, keyring=True)
    assert "wherry[keyring]" in caught.value.hint


def test_nobody_to_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("s3cret\n"))
    with pytest.raises(BadInput, match="no terminal") as caught:
        find_password(ADDRESS, keyring=False)
    assert "--password-fd" in caught.value.hint
