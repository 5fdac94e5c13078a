"""A wave with a disk that is never sent and one sent once, on a lab; each test goes on where one ended."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from planner.units import MIB
from tests.tui.cli.command import Wherry, wherry
from tests.tui.cli.estate import SETTINGS, disk, document, vm
from tests.tui.cli.landed import flat, results

SENDS = """
[[sends]]
disk = "solo/Hard disk 2"
send = "never"
why = "swap only"
who = "ada"

[[sends]]
disk = "solo/Hard disk 3"
send = "once"
why = "tempdb"
"""
NEVER, ONCE = "vm-3/2001", "vm-3/2002"


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wherry]:
    """Return a project with a running lab and W01 replicated."""
    root = tmp_path_factory.mktemp("left") / "move"
    assert wherry("init", str(root)).code == 0
    cli = Wherry(root)
    settings, inventory = root.parent / "settings.toml", root.parent / "inventory.json"
    settings.write_text(SETTINGS + SENDS, "utf-8")
    disks = [
        disk("solo", 0, 4),
        disk("solo", 1, 8, path="[ds] solo/solo_swap.vmdk"),
        disk("solo", 2, 2, path="[ds] solo/tempdb.vmdk"),
    ]
    body = document(vms=[vm("vm-3", "solo", "other", disks)], dependencies=[])
    inventory.write_text(json.dumps(body), "utf-8")
    cli.done("settings", "import", str(settings))
    cli.done("discover", str(inventory))
    cli.done("plan")
    cli.done("plan", "approve")
    cli.done("lab", "build")
    try:
        ran = cli.live("replicate", "W01")
        assert ran.code == 0, ran.text
        yield cli
    finally:
        cli("lab", "stop")


def sent(cli: Wherry) -> dict[str, int]:
    """Return step → bytes that it put on the wire, of all transfers that ended."""
    return {step: said["wire_bytes"] for step, said in results(cli).items() if "wire_bytes" in said}


def papers(cli: Wherry, folder: str) -> dict[str, dict[str, Any]]:
    """Return volume → what verify says, with the certificate it wrote."""
    told = cli.done("verify", "W01", "--certificates", str(cli.root / folder), "--json").document
    return {
        one["volume"]: {**one, "paper": json.loads(Path(one["certificate"]).read_text("ascii"))}
        for one in told
    }


def test_a_swap_disk_does_not_travel_and_arrives_empty_in_its_full_size(moved: Wherry) -> None:
    source, target = flat(moved, "dc1", 8), flat(moved, "dc2", 8)
    assert any(source.read_bytes())
    assert target.read_bytes() == bytes(8 * MIB)
    assert target.stat().st_blocks == 0
    wire = sent(moved)
    assert {step.split("/")[1] for step in wire} == {"d0", "d2"}
    assert [step for step in wire if "/d2/" in step] == ["g0/d2/seed"]
    without = sum(flat(moved, "dc1", size).stat().st_blocks * 512 for size in (4, 2))
    assert 0 < sum(wire.values()) < without + MIB


def test_what_is_sent_once_stays_as_its_seed_and_its_certificate_says_so(moved: Wherry) -> None:
    moved.done("keys", "init")
    source, target = flat(moved, "dc1", 2), flat(moved, "dc2", 2)
    assert source.read_bytes() == target.read_bytes(), "the seed brought it"
    with source.open("r+b") as file:
        file.seek(MIB)
        file.write(b"written after the seed")
    assert moved.live("replicate", "W01").code == 0, "a round neither sends nor misses it"
    assert source.read_bytes() != target.read_bytes()
    found = papers(moved, "papers")
    assert found["vm-3/2000"]["verdict"] == "equal"
    assert "excluded" not in found["vm-3/2000"]["paper"]
    assert found[NEVER]["verdict"] == "left out by decision"
    assert found[ONCE]["verdict"] == "as its seed, left out since by decision"
    paper = found[ONCE]["paper"]
    assert paper["excluded"]["send"] == "once"
    seeded_at, at = (datetime.fromisoformat(text) for text in (paper["excluded"]["seeded_at"], paper["at"]))
    assert seeded_at < at + timedelta(seconds=1), "the paper says whole seconds"
    assert (found[NEVER]["paper"]["target"]["digest"], found[NEVER]["paper"]["looked_bytes"]) == ("", 0)
    checked = moved.done("verify", "--check", found[ONCE]["certificate"], "--disk", str(target))
    assert "what the source wrote since stays there" in checked.out
    assert "does not say that both sides are alike" in checked.err
    assert wherry("verify", "--check", found[ONCE]["certificate"], "--disk", str(source)).code == 1
    said = moved.done("verify", "W01").err
    assert "solo Hard disk 2: left out by decision, by ada: swap only" in said
    assert "as its source was at" in said


def test_a_replica_that_is_no_longer_its_seed_is_still_found(moved: Wherry) -> None:
    target = flat(moved, "dc2", 2)
    before = target.read_bytes()
    target.write_bytes(bytes([before[0] ^ 1]) + before[1:])
    ran = moved("verify", "W01")
    assert (ran.code, "differs" in ran.out) == (1, True)
    target.write_bytes(before)
    assert moved("verify", "W01").code == 0


def test_the_cutover_passes_tells_the_guest_s_work_and_reports_what_was_left_out(moved: Wherry) -> None:
    dry = moved("cutover", "W01", "--json").document["steps"]
    assert any(step["kind"] == "note" and "mkswap" in step["what"] for step in dry)
    ran = moved.live("cutover", "W01")
    assert ran.code == 0, ran.text
    assert "solo Hard disk 2: left out, to do by hand" in ran.err
    assert "mkswap" in ran.err
    here = {row["site"]: row for row in moved.done("lab", "status", "--json").document}
    assert here["dc2"]["power"] == "poweredOn"
    assert (here["dc2"]["missing"], here["dc2"]["corrupt"]) == (0, 0)
    report = moved.report("W01")
    disks = {item["volume"]: item for item in report["disks"]}
    assert disks["vm-3/2000"]["equal"]
    for volume in (NEVER, ONCE):
        assert not disks[volume]["equal"]
        assert disks[volume]["left_out"].startswith("left out by decision")
        assert disks[volume]["target_digest"] == ""
    assert not [
        step for step in report["steps"] if step["kind"] == "verify" and "Hard disk 1" not in step["title"]
    ]


def test_the_way_back_leaves_them_alone(moved: Wherry) -> None:
    source = flat(moved, "dc1", 8).read_bytes()
    ran = moved.live("rollback", "W01")
    assert ran.code == 0, ran.text
    here = {row["site"]: row for row in moved.done("lab", "status", "--json").document}
    assert here["dc1"]["power"] == "poweredOn"
    assert here["dc1"]["missing"] == 0
    assert flat(moved, "dc1", 8).read_bytes() == source
    (kept,) = moved.report("W01")["kept"]
    assert NEVER not in (Path(kept["path"]) / "manifest.json").read_text("utf-8")
