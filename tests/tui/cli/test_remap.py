"""wherry remap: what disks become, which travel once or never, and what is refused with nothing stored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.tui.cli.command import Wherry, refused
from tests.tui.cli.estate import disk, vm, write

SWAP = "solo/Hard disk 2"


@pytest.fixture
def cli(planned: Wherry, tmp_path: Path) -> Wherry:
    """Return a project in which ``solo`` has a second disk that looks like swap, and a hostile name."""
    disks = [disk("solo", 0, 2), disk("solo", 1, 1, path="[ds] solo/solo_swap.vmdk")]
    rdm = disk("db-1", 1, 2, backing="rdm-physical", lun="naa.1")
    vms = [
        vm("vm-1", "db-1\x1b[31m\u202e", "shop", [disk("db-1", 0, 4), rdm], tier="database"),
        vm("vm-3", "solo", "other", disks),
    ]
    planned.done("discover", str(write(tmp_path / "inventory.json", vms=vms, dependencies=[])))
    return planned


def listed(cli: Wherry) -> dict[str, dict[str, Any]]:
    return {one["volume"]: one for one in cli.done("remap", "--json").document}


def test_a_decision_is_stored_audited_listed_planned_and_taken_back(cli: Wherry) -> None:
    assert "vm-3/2001" not in listed(cli)
    cli.done("remap", "send", SWAP, "--how", "never", "--why", "swap only")
    (send,) = cli.done("settings", "show", "--json").document["sends"]
    assert (send["disk"], send["send"], send["why"], bool(send["who"])) == (
        "vm-3/2001",
        "never",
        "swap only",
        True,
    )
    assert "sends" in cli.done("log", "--json").out
    assert listed(cli)["vm-3/2001"]["send"]["send"] == "never"
    shown = cli.done("remap").out
    assert "never" in shown
    assert "swap only" in shown
    cli.done("plan")
    plan = cli.done("plan", "show", "--json").document["plan"]
    assert plan["schema"] == "wherry.plan/2"
    found = [item for one in plan["waves"] for item in one["disks"] if item["send"] != "always"]
    assert [(item["volume"], item["send_why"]) for item in found] == [("vm-3/2001", "swap only")]
    cli.done("remap", "send", SWAP, "--how", "once", "--why", "swap only")
    assert listed(cli)["vm-3/2001"]["send"]["send"] == "once"
    cli.done("remap", "send", SWAP, "--how", "always")
    assert "vm-3/2001" not in listed(cli)
    assert cli.done("settings", "show", "--json").document["sends"] == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("solo/Hard disk 1", "--how", "never", "--why", "x"), "boots from its first disk"),
        (("db-1\x1b[31m\u202e/Hard disk 2", "--how", "once", "--why", "x"), "raw device"),
        ((SWAP, "--how", "never"), "needs a reason"),
        ((SWAP, "--how", "once", "--why", "  "), "needs a reason"),
        (("solo/Hard disk 9", "--how", "once", "--why", "x"), "matches no disk"),
        ((SWAP, "solo/Hard disk 1", "--how", "once", "--why", "x"), "boots from its first disk"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_stored(
    cli: Wherry, arguments: tuple[str, ...], words: str
) -> None:
    before = cli.stored()
    ran = cli("remap", "send", *arguments)
    refused(ran, 2, words)
    assert "\x1b" not in ran.text
    assert cli.stored() == before


def test_a_disk_that_is_left_out_cannot_become_a_raw_device(cli: Wherry, tmp_path: Path) -> None:
    lun = tmp_path / "lun.toml"
    lun.write_text('[[luns]]\nname = "naa.9"\nsize_bytes = 1073741824\n', "utf-8")
    cli.done("settings", "import", str(lun))
    cli.done("remap", "send", SWAP, "--how", "never", "--why", "swap")
    before = cli.stored()
    refused(cli("remap", "set", SWAP, "--to", "rdm-virtual"), 2, "becomes one, and nobody wipes a LUN")
    assert cli.stored() == before


def test_words_on_what_disks_become_are_set_and_taken_back(cli: Wherry) -> None:
    raw = "vm-1/2001"
    assert listed(cli)[raw]["word"] is None
    cli.done("remap", "set", raw, "--to", "vmdk")
    assert listed(cli)[raw]["word"]["to"] == "vmdk"
    refused(cli("remap", "set", raw, "--to", "rdm-physical", "--lun", "naa.none"), 2, "not in the settings")
    cli.done("remap", "set", raw, "--to", "rule")
    assert listed(cli)[raw]["word"] is None


def test_what_looks_like_swap_is_suggested_and_nothing_is_decided_by_it(cli: Wherry) -> None:
    before = cli.stored()
    (found,) = cli.done("remap", "suggest", "--json").document
    assert (found["volume"], found["why"]) == ("vm-3/2001", "its file name says swap")
    assert "solo/Hard disk 2" in cli.done("remap", "suggest").out
    assert cli.stored() == before
    cli.done("remap", "send", SWAP, "--how", "once", "--why", "swap")
    assert cli.done("remap", "suggest", "--json").document == []


def test_names_are_harmless_on_the_screen(cli: Wherry) -> None:
    for ran in (cli.done("remap"), cli.done("remap", "suggest")):
        assert "\x1b" not in ran.text
        assert "\u202e" not in ran.text
