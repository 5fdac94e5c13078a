"""wherry rehearse: the matrix, exit codes, the history and its notes."""

from __future__ import annotations

from tests.tui.cli.command import Wherry


def test_the_matrix_in_json_and_as_a_table(planned: Wherry) -> None:
    ran = planned("rehearse", "W01", "--runs", "40", "--matrix", "--json")
    said = ran.document
    assert ran.code == 0, "no fault that passes sends this wave back"
    assert len(said["matrix"]["struck"]) == 30
    assert said["runs"] == 10
    assert said["clean"]
    first = said["matrix"]["struck"][0]
    assert {"where", "call", "fault", "step", "ending", "late_s", "back_s", "remedy", "grave"} <= set(first)
    shown = planned.done("rehearse", "W01", "--runs", "40", "--matrix")
    assert "before the night" in shown.out
    assert "were not tried" in shown.err


def test_one_fault_is_asked_about_and_ends_with_0_and_both_are_refused(planned: Wherry) -> None:
    planned.done("rehearse", "W01", "--runs", "2", "--fault", "power_on")
    ran = planned("rehearse", "W01", "--runs", "2", "--fault", "power_on", "--matrix")
    assert (ran.code, ran.out) == (2, "")


def test_the_history_reminds_and_takes_notes(planned: Wherry) -> None:
    assert planned.done("rehearse", "W01", "--history", "--json").document["reminder"]
    planned.done("rehearse", "W01", "--runs", "2", "--note", "all at their desks")
    said = planned.done("rehearse", "W01", "--history", "--note", "[b]bold\x1b[31m", "--json").document
    assert said["reminder"] == ""
    assert said["rehearsals"][0]["notes"] == "all at their desks\n[b]bold\x1b[31m"
    shown = planned.done("rehearse", "W01", "--history")
    assert "twin" in shown.out
    assert "\x1b" not in shown.text
    assert planned("rehearse", "W02", "--history", "--note", "no such").code == 2
