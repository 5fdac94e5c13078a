"""Guests of a lab that get other addresses: out, asked there, and home again; and a table of them."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from migrate.sites.lab.client import LabSite
from migrate.sites.lab.folder import SiteFolder
from migrate.sites.lab.oplog import read_ops
from tests.tui.cli.command import Wherry, refused
from tests.tui.cli.conducted import build
from tests.tui.cli.estate import disk, vm, write

LABEL = "Network adapter 1"
HERE, THERE = "127.61.1.7", "127.62.1.7"


@pytest.fixture(scope="module")
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture(scope="module")
def solo(template: Path, port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wherry]:
    """Return a project with a running lab in which the guests of W01 move to another subnet."""
    cli = Wherry(shutil.copytree(template, tmp_path_factory.mktemp("addresses") / "move"))
    nic = {"label": LABEL, "network": "lan", "addresses": [HERE], "subnets": ["127.61.1.0/24"]}
    alone = vm("vm-3", "solo", "other", [disk("solo", 0, 2)], nics=[nic])
    bare = vm("vm-4", "bare", "other", [disk("bare", 0, 2)], nics=[{**nic, "addresses": ["127.61.1.8"]}])
    bare["tools"] = "toolsNotInstalled"
    tie = [{"source": "vm-3", "target": "vm-4", "tie": "hard", "reason": "they talk"}]
    cli.done("discover", str(write(cli.root.parent / "inventory.json", vms=[alone, bare], dependencies=tie)))
    conduct = f"""
    [[conduct.probes]]
    name = "its port"
    vms = "name:solo"
    kind = "tcp"
    port = {port}
    timeout_s = 5.0

    [[conduct.subnets]]
    source = "127.61.0.0/16"
    target = "127.62.0.0/16"
    gateway = "first"

    [[conduct.subnets]]
    source = "127.61.0.0/16"
    target = "127.63.0.0/16"
    way = "test"
    """
    build(cli, conduct)
    cli.done("lab", "stop")
    for name in ("dc1", "dc2"):
        folder = SiteFolder(cli.root / "lab" / name)
        folder.write_settings(replace(folder.settings(), answer_port=port))
    cli.done("lab", "start")
    yield cli
    assert cli("lab", "stop").code == 0


def answers(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), 5.0).close()
    except ConnectionRefusedError:
        return False
    return True


def guest(cli: Wherry, site: str, vm: str = "vm-3") -> tuple[str, ...]:
    found = LabSite.connect(cli.root / "lab" / site).networking(vm)
    return found[0].addresses if found else ()


def by_hand(cli: Wherry) -> str:
    """Return the id of the step that waits for a person."""
    (gate,) = [
        one["gate"]
        for one in cli.done("gate", "list", "--json").document
        if one["gate"].endswith("/address") and not one["passed_by"]
    ]
    return str(gate)


def test_the_plan_and_its_runbook_say_what_guests_get(solo: Wherry, port: int) -> None:
    rows = solo.done("addresses", "list", "W01", "--json").document
    assert [(row["vm"], row["way"], row["addresses"], row["gateways"]) for row in rows] == [
        (name, way, [f"127.{net}.1.{host}/24"], gateways)
        for name, host in (("solo", 7), ("bare", 8))
        for way, net, gateways in (("live", 62, ["127.62.1.1"]), ("test", 63, []), ("home", 61, []))
    ]
    assert f"{THERE}/24; gateway 127.62.1.1" in solo.done("addresses", "list").out
    shown = solo.done("plan", "show", "W01").out
    assert f"solo {LABEL}, live: {THERE}/24; gateway 127.62.1.1\n" in shown
    assert "live: 127.62.1.8/24; gateway 127.62.1.1 (by hand: no tools are in its guest)" in shown
    solo.done("export", "markdown")
    (paper,) = (solo.root / "exports").glob("*.md")
    assert f"{THERE}/24; gateway 127.62.1.1" in paper.read_text("utf-8")
    steps = {step["title"]: step["what"] for step in solo.done("cutover", "W01", "--json").document["steps"]}
    assert steps["solo: set its addresses at the target"].startswith(f"{LABEL}: {THERE}/24")
    assert "bare: set its addresses by hand at the target" in steps
    assert solo("rehearse", "W01", "--depth", "dry").code == 0
    assert (answers(HERE, port), answers(THERE, port)) == (True, False)


def test_a_booted_copy_has_the_addresses_for_tests(solo: Wherry) -> None:
    assert solo.live("replicate", "W01").code == 0
    booted = solo.live("rehearse", "W01", "--depth", "boot")
    assert booted.code == 0, booted.text
    log = SiteFolder(solo.root / "lab" / "dc2").state / "ops.log"
    asked = [entry for entry in read_ops(log) if entry["call"] == "customise" and "done" not in entry]
    assert len(asked) == 1  # bare has no tools
    assert "vm-3" in str(asked[0]["subject"])


def test_the_guest_answers_at_its_new_address_once_it_runs_there(solo: Wherry, port: int) -> None:
    stopped = solo.live("cutover", "W01")
    assert "waits for a person: bare: set its addresses by hand" in stopped.out, stopped.text
    assert "127.62.1.8/24" in stopped.err
    step = by_hand(solo)
    assert solo("gate", "approve", "W01", step, "--live", "--confirm", "W01").code == 0
    on = solo.live("cutover", "W01")
    assert on.out == "W01: runs at the target, waits for commit\n", on.text
    assert (answers(HERE, port), answers(THERE, port)) == (False, True)
    assert guest(solo, "dc2") == (f"{THERE}/24",)
    assert guest(solo, "dc1") == (f"{HERE}/24",)
    against = solo.done("rehearse", "W01", "--depth", "dry", "--against-run", "--json").document
    assert against["differences"] == []


def test_on_the_way_home_it_has_its_old_address_again_and_is_asked_there(solo: Wherry, port: int) -> None:
    assert solo.live("commit", "W01").code == 0
    assert solo.live("replicate", "W01", "--reverse").code == 0
    back = solo.live("failback", "W01")
    assert "waits for a person: bare: set its addresses by hand at the source" in back.out, back.text
    step = by_hand(solo)
    assert solo("gate", "approve", "W01", step, "--live", "--confirm", "W01").code == 0
    on = solo.live("failback", "W01")
    assert on.code == 0, on.text
    assert (answers(HERE, port), answers(THERE, port)) == (True, False)
    assert guest(solo, "dc1") == (f"{HERE}/24",)


def test_a_table_of_addresses_is_read(planned: Wherry, tmp_path: Path) -> None:
    file = tmp_path / "addresses.csv"
    file.write_text("vm,addresses,gateways\nsolo,10.20.0.7/24,10.20.0.1\n")
    assert planned.done("addresses", "import", str(file), "--json").document["in_all"] == 1
    assert "1 adapter set" in planned.done("addresses", "import", str(file)).err
    assert "every guest keeps its addresses" in planned.done("addresses", "list").err
    planned.done("plan")
    (row,) = planned.done("addresses", "list", "--json").document
    assert (row["vm"], row["way"], row["addresses"]) == ("solo", "live", ["10.20.0.7/24"])
    file.write_text("vm,addresses\n[red]\x1b[31m,10.20.0.7/24\n")
    refused(planned("addresses", "import", str(file)), 2, "no VM is called")
