"""Filling in names: once, quoted where they go into a URL, never as an option of a program."""

from __future__ import annotations

import pytest

from migrate.programs.fill import CannotFill, Filling

WEB = Filling("W01", "web-1", "10.0.0.7", "uuid/vm-12")


def test_each_place_gets_its_value() -> None:
    assert WEB.text("{wave} {vm} {address} {id} {other} {}") == "W01 web-1 10.0.0.7 uuid/vm-12 {other} {}"


def test_a_name_is_filled_in_and_not_read_again() -> None:
    hostile = Filling("W01", "{address}{id}", "10.0.0.7", "secret")
    assert hostile.text("{vm}") == "{address}{id}"


def test_a_name_in_a_url_cannot_leave_its_place() -> None:
    hostile = Filling("W01", "a/../b?c#d@e\u202e f", "10.0.0.7", "1")
    url = hostile.url("https://{address}/{vm}")
    assert url == "https://10.0.0.7/a%2F..%2Fb%3Fc%23d%40e%E2%80%AE%20f"


def test_an_address_of_version_6_stands_in_brackets() -> None:
    assert Filling("W01", "v", "fe80::1").url("http://{address}:80/") == "http://[fe80::1]:80/"
    assert Filling("W01", "v", "fe80::1").text("{address}") == "fe80::1"


@pytest.mark.parametrize("argument", ["{vm}", "{vm}.example.com"])
def test_a_name_that_would_be_an_option_is_refused(argument: str) -> None:
    hostile = Filling("W01", "--delete-all", "10.0.0.7", "1")
    with pytest.raises(CannotFill, match="begins with a dash") as caught:
        hostile.argv(["/bin/tool", argument])
    assert "{id}" in caught.value.hint
    assert hostile.argv(["/bin/tool", "--vm={vm}", "-x"]) == ["/bin/tool", "--vm=--delete-all", "-x"]


def test_a_null_character_is_refused() -> None:
    with pytest.raises(CannotFill, match="null"):
        Filling("W01", "a\0b").argv(["/bin/tool", "{vm}"])


def test_what_nobody_knows_is_said_and_not_guessed() -> None:
    with pytest.raises(CannotFill, match="nobody knows an address of a<U\\+202E>b") as caught:
        Filling("W01", "a\u202eb").text("{address}")
    assert "conduct.addresses" in caught.value.hint
    with pytest.raises(CannotFill, match=r"\{vm\} is of one VM"):
        Filling("W01").text("{vm}")
