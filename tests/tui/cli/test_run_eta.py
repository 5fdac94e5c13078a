"""wherry run eta: out, at the commit gate, home, and refused where nothing is ahead."""

from __future__ import annotations

from tests.tui.cli.command import Wherry, refused


def test_how_long_it_is_is_told_out_and_home_with_what_going_back_takes(lab: Wherry) -> None:
    refused(lab("run", "eta", "w02"), 3, "no run of W02 was begun yet", "wherry replicate W02 --live")
    refused(lab("run", "eta", "W99"), 2, "W99")
    assert lab.live("replicate", "W02").code == 0
    told = lab.done("run", "eta", "w02", "--json").document
    assert (told["wave"], told["late_s"], told["over"]) == ("W02", None, "")
    assert 0 < told["p50_s"] <= told["p95_s"]
    assert (told["mode"], told["home"], told["back"]["verb"]) == ("forward", False, "abort")
    said = lab.done("run", "eta", "W02").out
    assert said.startswith("W02: from its go to the commit gate ")
    assert f"at the pace of {told['paced']} steps of this run" in said
    assert "abort from here takes " in said
    assert lab.live("cutover", "W02").code == 0
    waits = lab.done("run", "eta", "W02", "--json").document
    assert (waits["p50_s"], waits["back"]["verb"]) == (None, "rollback")
    assert 0 < waits["back"]["p50"] <= waits["back"]["p95"]
    assert "W02: it waits at its commit gate" in lab.done("run", "eta", "W02").out
    assert lab.live("commit", "W02").code == 0
    refused(lab("run", "eta", "W02"), 3, "is on no way")
