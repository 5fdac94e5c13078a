"""wherry run eta: from the go gate on, while a cutover goes on, and refused where nothing is ahead."""

from __future__ import annotations

from tests.tui.cli.command import Wherry, refused


def test_how_long_it_is_is_told_up_to_the_commit_gate(lab: Wherry) -> None:
    refused(lab("run", "eta", "W02"), 3, "no commit gate before it")
    refused(lab("run", "eta", "W99"), 2, "W99")
    assert lab.live("replicate", "W02").code == 0
    told = lab.done("run", "eta", "w02", "--json").document
    assert (told["wave"], told["late_s"], told["over"]) == ("W02", None, "")
    assert 0 < told["p50_s"] <= told["p95_s"]
    assert lab.done("run", "eta", "W02").out.startswith("W02: from its go to the commit gate ")
    assert lab.live("cutover", "W02").code == 0
    refused(lab("run", "eta", "W02"), 3, "no commit gate before it")
