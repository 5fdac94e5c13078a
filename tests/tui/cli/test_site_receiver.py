"""A wave whose target has its receiver on another machine: here another process, by TLS over loopback."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from migrate.daemons import receiver
from migrate.daemons.lock import is_running
from tests.serving import serving
from tests.tui.cli.command import Wherry, refused, wherry


@pytest.fixture
def keyed(with_lab: Callable[[], Wherry], tmp_path: Path) -> Wherry:
    """Return a project with a lab and keys for both ends."""
    cli = with_lab()
    cli.done("keys", "init")
    cli.done("keys", "issue", str(tmp_path / "dc2.pem"), "--site", "dc2", "--role", "receiver")
    cli.done("keys", "issue", str(tmp_path / "dc1.pem"), "--site", "dc1", "--role", "sender")
    return cli


def conversations(cli: Wherry, site: str = "dc2") -> list[dict[str, object]]:
    log = cli.root / "lab" / site / "state" / "receiver" / "conversations.jsonl"
    return [json.loads(line) for line in log.read_text("ascii").splitlines()]


def elsewhere(cli: Wherry, root: Path, site: str, role: str) -> Path:
    """Make a project of its own that knows one site, as somebody at the receiver's machine does."""
    assert wherry("init", str(root)).code == 0
    Wherry(root).done("site", "add", site, f"lab:{cli.root / 'lab' / site}", "--role", role)
    return root


def test_a_wave_goes_to_a_receiver_elsewhere_and_back(keyed: Wherry, tmp_path: Path) -> None:
    cli = keyed
    with serving(cli.root, "dc2", tmp_path / "dc2.pem") as (address, _pid):
        named = cli.done(
            "site", "receiver", "dc2", "--at", address, "--keys", str(tmp_path / "dc1.pem"), "--json"
        )
        assert f"{named.document['address']}:{named.document['port']}" == address
        assert named.document["free_bytes"] > 0
        assert cli.done("site", "list", "--json").document["dc2"]["receiver"] == address
        dry = cli("rehearse", "W01", "--depth", "dry", "--json")
        assert not [one for one in dry.document["findings"] if "receiver" in json.dumps(one)], dry.text
        assert cli.live("replicate", "W01").code == 0
        talks = conversations(cli)
        passes = [one for one in talks if one.get("purpose") == "pass"]
        assert {(one["site"], one["role"]) for one in talks if one["what"] == "asked"} == {("dc1", "sender")}
        assert passes
        assert {"site", "enrol"} <= {str(one.get("verb")) for one in talks}
        points = cli.done("checkpoints", "W01", "--json").document
        kept = [point["consistency"] for point in points["checkpoints"]]
        assert kept == ["crash", "crash"], "its journal there holds the seed and a delta"
        assert [one["verdict"] for one in cli.done("verify", "W01", "--json").document] == ["equal"]
        refused(cli("image", "W01", "latest", "--to", str(tmp_path / "images")), 3, "receiver's own machine")
        assert cli.live("cutover", "W01").code == 0
        assert cli.live("rollback", "W01").code == 0
    assert "rolled back" in cli.state("W01")["state"]


def test_one_that_is_gone_is_said_and_a_pass_goes_on_when_it_is_back(keyed: Wherry, tmp_path: Path) -> None:
    cli, ours = keyed, str(tmp_path / "dc1.pem")
    with serving(cli.root, "dc2", tmp_path / "dc2.pem") as (address, pid):
        cli.done("site", "receiver", "dc2", "--at", address, "--keys", ours)
        assert cli.live("replicate", "W01").code == 0
        os.kill(pid, signal.SIGKILL)
    time.sleep(0.1)
    assert is_running(receiver.run_of(f"lab:{cli.root / 'lab' / 'dc2'}"), receiver.NAME) is None
    refused(
        cli("site", "receiver", "dc2", "--at", address, "--keys", ours), 6, f"nobody answers at {address}"
    )
    findings = json.dumps(cli("rehearse", "W01", "--depth", "dry", "--json").document["findings"])
    assert f"nobody answers at {address}" in findings
    with serving(cli.root, "dc2", tmp_path / "dc2.pem", address):
        assert cli.live("replicate", "W01").code == 0
        assert [one["verdict"] for one in cli.done("verify", "W01", "--json").document] == ["equal"]
    assert cli.done("site", "receiver", "dc2", "--here", "--json").document == {
        "name": "dc2",
        "was_away": True,
    }
    assert cli.live("replicate", "W01").code == 0, "its store is the same"


def test_another_site_and_limited_keys_are_refused(keyed: Wherry, tmp_path: Path) -> None:
    cli, ours = keyed, tmp_path / "dc1.pem"
    wrong = ("receiver", "--site", "dc1", "--keys", str(tmp_path / "dc2.pem"))
    refused(cli(*wrong), 2, "receiver of site dc2", "the site is dc1")
    refused(cli("receiver", "--keys", str(tmp_path / "dc2.pem")), 2, "what is served")
    few = tmp_path / "few.pem"
    cli.done("keys", "issue", str(few), "--site", "dc1", "--role", "sender", "--groups", "shop")
    with serving(cli.root, "dc2", tmp_path / "dc2.pem") as (address, _pid):
        refused(
            cli("site", "receiver", "dc2", "--at", address, "--keys", str(few)), 1, "keys for every group"
        )
        refused(cli("site", "receiver", "dc1", "--at", address, "--keys", str(ours)), 1, "not of site dc1")
        unnamed = cli.live("replicate", "W01")
        refused(unnamed, 1, "the receiver of dc2 serves a network", "wherry site receiver dc2")
        assert cli.state("W01")["steps_done"] == 0, "nothing was done"
    assert not (cli.root / "lab" / "dc2" / "receiver.json").exists()


def test_a_wave_comes_home_through_receivers_of_two_other_projects(keyed: Wherry, tmp_path: Path) -> None:
    cli = keyed
    cli.done("keys", "issue", str(tmp_path / "home.pem"), "--site", "dc1", "--role", "receiver")
    cli.done("keys", "issue", str(tmp_path / "away.pem"), "--site", "dc2", "--role", "sender")
    there = elsewhere(cli, tmp_path / "there", "dc2", "target")
    here = elsewhere(cli, tmp_path / "here", "dc1", "source")
    with serving(there, "dc2", tmp_path / "dc2.pem") as (far, _pid):
        cli.done("site", "receiver", "dc2", "--at", far, "--keys", str(tmp_path / "dc1.pem"))
        for verb in ("replicate", "cutover", "commit"):
            assert cli.live(verb, "W01").code == 0
        with serving(here, "dc1", tmp_path / "home.pem") as (near, _pid):
            cli.done("site", "receiver", "dc1", "--at", near, "--keys", str(tmp_path / "away.pem"))
            assert cli.live("replicate", "W01", "--reverse").code == 0
            assert cli.state("W01")["state"] == "reverse protected"
            assert cli.done("checkpoints", "W01", "--json").document["checkpoints"]
            assert cli.live("failback", "W01").code == 0
            assert cli.live("commit", "W01").code == 0
    assert cli.state("W01")["state"] == "failed back"
    home = [one for one in conversations(cli, "dc1") if one.get("purpose") == "pass"]
    assert {(one["site"], one["role"]) for one in home} == {("dc2", "sender")}
    out = {one["site"] for one in conversations(cli) if one.get("purpose") == "pass"}
    assert out == {"dc1"}, "the way home goes to dc1 alone"
