"""wherry run overlook: a snapshot of others that stays is shown, overlooked with a reason, and told."""

from __future__ import annotations

from contextlib import closing

from migrate.audit import person
from migrate.sites.lab.client import LabSite
from tests.tui.cli.command import Wherry, refused

REASON = "the database people \x1b[2Jkeep it"
OVERLOOK = ("run", "overlook", "W02")


def backup(cli: Wherry) -> str:
    with closing(LabSite.connect(cli.root / "lab" / "dc1")) as source:
        return str(source.take_snapshot(("vm-1",), "").id)


def end_backup(cli: Wherry, snapshot: str) -> None:
    with closing(LabSite.connect(cli.root / "lab" / "dc1")) as source:
        source.drop_snapshot(snapshot, "")


def test_a_cutover_goes_on_beside_what_a_person_had_overlooked(lab: Wherry) -> None:
    refused(lab(*OVERLOOK), 3, "no run under way")
    early = backup(lab)
    (found,) = lab("rehearse", "W02", "--depth", "dry", "--json").document["findings"]
    assert found["what"] == "snapshots"
    assert " has 1 snapshot of somebody else: " in found["message"]
    end_backup(lab, early)
    assert lab.live("replicate", "W02").code == 0
    assert "no VM of W02 has a snapshot of somebody else" in lab.done(*OVERLOOK).out
    refused(lab.live("run", "overlook", "W02"), 3, "nobody else has one")
    theirs = backup(lab)
    dry = lab.done(*OVERLOOK, "--json").document
    assert [(one["vm"], one["snapshot"], one["overlooked"]) for one in dry["snapshots"]] == [
        ("vm-1", theirs, False)
    ]
    refused(lab(*OVERLOOK, "--live", "--confirm", "W02"), 2, "without a reason")
    refused(lab(*OVERLOOK, "--live", "--confirm", "W01", "--reason", "x"), 2, "not the wave's name")
    assert "dry: nothing was done" in lab.done(*OVERLOOK).err
    lab.done(*OVERLOOK, "--reason", REASON, "--live", "--confirm", "W02")
    assert [one["overlooked"] for one in lab.done(*OVERLOOK, "--json").document["snapshots"]] == [True]
    refused(lab(*OVERLOOK, "--reason", "x", "--live", "--confirm", "W02"), 3, "overlooked before")
    assert lab.live("cutover", "W02").code == 0
    told = lab.state("W02")
    assert (told["state"], told["held"]) == ("before commit", "")
    (said,) = told["overlooked"]
    assert said.startswith(f"1 foreign snapshot, says {person()}: the database people")
    shown = [lab.done("status").out, lab.done("run", "show", "W02").err, lab.done("gate", "list", "W02").out]
    assert all("\x1b" not in one for one in shown)
    assert f"goes on beside {said}" in shown[1]
    kinds = {one["kind"] for one in lab.report("W02")["deviations"]}
    assert {"foreign snapshot overlooked", "step held up by somebody else"} <= kinds
    log = lab.done("log").out
    assert "overlook" in log
