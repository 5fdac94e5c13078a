"""What ``vcenter://user@host`` may say, and that a password in it is refused without being repeated."""

from __future__ import annotations

import pytest

from planner.errors import BadInput
from planner.sources.vcenter.address import Address, Login, is_address, parse_address


@pytest.mark.parametrize(
    ("spec", "meant"),
    [
        ("vcenter://root@vc", Address("root", "vc")),
        ("vcenter://root@vc.example.test:8443/", Address("root", "vc.example.test", 8443)),
        (
            "VCENTER://administrator@vsphere.local@10.0.0.5",
            Address("administrator@vsphere.local", "10.0.0.5"),
        ),
        ("vcenter://administrator%40vsphere.local@vc", Address("administrator@vsphere.local", "vc")),
        ("vcenter://CORP\\kim@vc", Address("CORP\\kim", "vc")),
        ("vcenter://CORP%5Ckim@[2001:db8::5]:444", Address("CORP\\kim", "2001:db8::5", 444)),
        ("vcenter://kim@[fe80::1%25eth0]", None),
        ("vcenter://kim@[::1]", Address("kim", "::1")),
    ],
)
def test_addresses(spec: str, meant: Address | None) -> None:
    assert is_address(spec)
    if meant is not None:
        assert parse_address(spec) == meant


@pytest.mark.parametrize(
    "spec",
    [
        "vcenter://",
        "vcenter://vc.example.test",
        "vcenter://@vc",
        "vcenter://kim@",
        "vcenter://kim@vc:0",
        "vcenter://kim@vc:70000",
        "vcenter://kim@2001:db8::5:443",
        "vcenter://kim@vc/sdk",
        "vcenter://kim@-vc",
        "vcenter://kim%0a@vc",
        "vcenter://kim@vc\x1b[2J",
        "https://kim@vc",
    ],
)
def test_refused_addresses(spec: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_address(spec)
    assert caught.value.hint
    assert "\x1b" not in caught.value.message


@pytest.mark.parametrize(
    "spec", ["vcenter://kim:hunter2@vc", "vcenter://kim%3Ahunter2@vc", "vcenter://k:hunter2@"]
)
def test_a_password_is_refused_and_not_repeated(spec: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_address(spec)
    assert "hunter2" not in caught.value.message + caught.value.hint


def test_how_an_address_is_written() -> None:
    address = parse_address("vcenter://CORP\\kim@[2001:db8::5]:444")
    assert address.endpoint == "[2001:db8::5]:444"
    assert address.source == "vcenter:CORP\\kim@[2001:db8::5]:444"
    assert Address("kim", "vc").account == "kim@vc"


def test_a_login_does_not_show_its_password() -> None:
    assert "hunter2" not in repr(Login(Address("kim", "vc"), "hunter2"))
