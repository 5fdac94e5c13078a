"""One wave on a small lab with a probe, programs and a person, there and back; each test goes on."""

from __future__ import annotations

import json
import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tui.cli.command import Wherry, refused
from tests.tui.cli.conducted import build


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A port that is open as long as this module runs."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture(scope="module")
def solo(template: Path, port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wherry]:
    """Return a project with a running lab in which W01, the VM solo, is conducted."""
    cli = Wherry(shutil.copytree(template, tmp_path_factory.mktemp("conduct") / "move"))
    code = "import sys; open('ran', 'a').write(sys.argv[1] + '\\n'); print('went well')"
    argv = json.dumps([sys.executable, "-I", "-S", "-c", code])
    conduct = f"""
    [[conduct.probes]]
    name = "its port"
    vms = "name:solo"
    kind = "tcp"
    port = {port}

    [[conduct.probes]]
    name = "nobody there"
    vms = "name:solo"
    kind = "tcp"
    port = 1
    timeout_s = 0.2
    optional = true

    [[conduct.hooks]]
    name = "drain \u202e it"
    vms = "name:solo"
    place = "before-cutover"
    argv = {argv[:-1]}, "drain {{vm}}"]

    [[conduct.hooks]]
    name = "open the door"
    vms = "name:solo"
    place = "after-start"
    says = "move the alias"

    [[conduct.hooks]]
    name = "fill"
    vms = "name:solo"
    place = "on-rollback"
    argv = {argv[:-1]}, "fill {{vm}}"]

    [conduct.addresses]
    solo = "127.0.0.1"
    """
    build(cli, conduct)
    yield cli
    assert cli("lab", "stop").code == 0


def ran(cli: Wherry) -> list[str]:
    found = cli.root / "ran"
    return found.read_text().splitlines() if found.exists() else []


def test_what_will_be_asked_and_run_is_said_before(solo: Wherry, port: int) -> None:
    probes = solo.done("probe", "list", "W01", "--json").document
    assert [(row["probe"], row["kind"], row["optional"]) for row in probes] == [
        ("", "tools", False),
        ("its port", "tcp", False),
        ("nobody there", "tcp", True),
    ]
    assert f"connect to 127.0.0.1 port {port}" in solo.done("probe", "list", "W01", "--vm", "SOLO").out
    hooks = solo.done("hook", "list", "W01", "--json").document
    assert [row["place"] for row in hooks] == ["on-rollback", "before-cutover", "after-start"]
    listed = solo.done("hook", "list", "W01").out
    assert "a person: move the alias" in listed
    assert "\u202e" not in listed
    assert "W02 has no hooks" in solo.done("hook", "list", "W02").err
    dry = {step["title"]: step["what"] for step in solo.done("cutover", "W01", "--json").document["steps"]}
    assert dry["solo: open the door"] == "a person: move the alias"
    assert dry["solo: fill"].startswith("on the way back only: run ")
    assert ran(solo) == []


def test_probes_can_be_asked_before(solo: Wherry) -> None:
    told = solo("probe", "test", "W01", "--json")
    assert told.code == 3  # it does not run there yet
    assert [row["ok"] for row in told.document] == [False, True, False]
    assert "1 of 3 probes would hold W01 up now" in solo("probe", "test", "W01").err
    refused(solo("probe", "test", "W01", "--vm", "[red]"), 2, "[red] is not in W01")


def test_the_run_goes_as_far_as_the_person_and_on_when_it_is_said_to_be_done(solo: Wherry) -> None:
    assert solo.live("replicate", "W01").code == 0
    stopped = solo.live("cutover", "W01")
    assert stopped.code == 0, stopped.text
    assert stopped.out == "W01: waits for a person: solo: open the door\n"
    assert "move the alias" in stopped.err
    assert ran(solo) == ["drain solo"]
    (need,) = [one for one in solo.done("status", "--json").document["needs"] if one["wave"] == "W01"]
    assert need["text"] == "W01 waits for a person: solo: open the door"
    (step,) = [row["step"] for row in solo.done("hook", "list", "W01", "--json").document if row["says"]]
    assert solo("gate", "approve", "W01", step, "--live", "--confirm", "W01").code == 0
    on = solo.live("cutover", "W01")
    assert on.out == "W01: runs at the target, waits for commit\n", on.text
    assert ran(solo) == ["drain solo"]
    assert solo("probe", "test", "W01").code == 0
    told = solo.done("probe", "test", "W01", "--step", "g0/v0/probe/0", "--json").document
    assert [(row["probe"], row["ok"]) for row in told] == [("its port", True)]
    refused(solo("probe", "test", "W01", "--step", "commit"), 2, "is no probe")
    refused(solo("probe", "test", "W01", "--step", "g9/x"), 2, "is not in the runbook")


def test_going_back_runs_what_is_for_the_way_back_once(solo: Wherry) -> None:
    back = solo.live("rollback", "W01")
    assert back.code == 0, back.text
    assert "ended with code 0" in back.err
    assert "went well" in back.err
    assert ran(solo) == ["drain solo", "fill solo"]
    assert solo.state("W01")["state"] == "rolled back"
