"""Planning by hand over the pipe: refused, taken, walked back and forth, saved as one plan."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from planner.errors import BadInput, WherryError
from tests.tui.cli.command import Wherry
from tests.tui.cli.test_plan_edits import homes
from tui.study.client import Study


def places(rows: list[dict[str, Any]]) -> dict[str, str]:
    """Group → wave."""
    return {group: row["wave"] for row in rows for group in row["groups"]}


def test_edits_are_answered_with_the_rows_that_change_and_saved_as_one_plan(
    planned: Study, cli: Wherry
) -> None:
    before = cli.stored()
    opened = planned.ask("hand.open")
    where = places(opened["rows"])
    assert (opened["plan"], opened["unsaved"], opened["can_undo"]) == (1, [], False)
    assert opened["score"] == opened["saved_score"]
    limit = next(row for row in opened["rows"] if row["wave"] == where["solo"])["limits"][0]
    assert (limit["limit"], limit["cap"]) == ("vms", 2.0)

    full = next(row["wave"] for row in opened["rows"] if row["vms"] == 2 and "solo" not in row["groups"])
    refused = planned.ask("hand.move", groups=["solo"], wave=full)
    assert refused["verdict"]["taken"] is False
    assert any("its cap is 2" in said for said in refused["verdict"]["refused"])
    assert (refused["rows"], refused["unsaved"]) == ([], [])
    fixes = planned.ask("hand.fixes", groups=["solo"], wave=full)["fixes"]
    assert 1 <= len(fixes) <= 3
    assert all(not fix["refused"] and fix["wave"] not in (full, where["solo"]) for fix in fixes)

    looked = planned.ask("hand.move", groups=["solo"], wave="W04", check=True)
    assert (looked["verdict"]["taken"], looked["unsaved"]) == (False, [])
    moved = planned.ask("hand.move", groups=["solo"], wave="W04")
    assert moved["verdict"]["taken"] is True
    assert {row["wave"] for row in moved["rows"]} | set(moved["gone"]) == {"W04", where["solo"]}
    assert places(moved["rows"])["solo"] == "W04"
    locked = planned.ask("hand.lock", wave="W04")
    assert [row["locked"] for row in locked["rows"]] == [True]
    assert [edit["did"] for edit in locked["unsaved"]] == ["move solo to W04", "lock W04"]

    planned.ask("hand.undo")
    back = planned.ask("hand.undo")
    assert back["can_redo"] is True
    assert planned.ask("hand.state")["rows"] == opened["rows"]
    planned.ask("hand.redo")
    assert planned.ask("hand.redo")["unsaved"] == locked["unsaved"]
    assert cli.stored() == before, "nothing is stored before it is saved"

    saved = planned.ask("hand.save")
    assert (saved["plan"], [edit["number"] for edit in saved["edits"]]) == (2, [1, 2])
    assert homes(cli)["solo"] == "W04"
    after = planned.ask("hand.open")
    assert (after["plan"], after["unsaved"]) == (2, [])
    assert [row["locked"] for row in after["rows"] if row["wave"] == "W04"] == [True]
    with pytest.raises(BadInput, match="no edit to save"):
        planned.ask("hand.save")


def _groups(study: Study) -> dict[str, Any]:
    said = study.ask("hand.open")
    found: dict[str, Any] = study.ask("hand.groups", waves=[row["wave"] for row in said["rows"]])
    return {**said, "groups": found}


def test_a_saved_desk_lies_as_if_it_was_laid_out_anew_and_takes_more_edits(
    planned: Study, cli: Wherry
) -> None:
    planned.ask("hand.open")
    planned.ask("hand.move", groups=["solo"], wave="W04")
    planned.ask("hand.lock", wave="W04")
    planned.ask("hand.split", group="extra", vms=["x-4"])
    saved = planned.ask("hand.save")
    fresh = Study(cli.root)
    anew = _groups(fresh)
    fresh.close()
    assert _groups(planned) == anew
    assert {name: saved[name] for name in anew if name != "groups"} == {
        name: anew[name] for name in anew if name != "groups"
    }
    planned.ask("hand.unlock", wave="W04")
    assert planned.ask("hand.save")["plan"] == 3
    assert planned.ask("hand.state")["unsaved"] == []


def test_what_edited_waves_take_follows_every_edit(planned: Study, cli: Wherry) -> None:
    planned.ask("hand.open")
    first = planned.ask("hand.move", groups=["solo"], wave="W04")["edited"]
    back = planned.ask("hand.move", groups=["solo"], by=-3)
    assert (back["verdict"]["taken"], back["edited"]) == (True, {})
    assert planned.ask("hand.undo")["edited"] == first
    assert planned.ask("hand.undo")["edited"] == {}
    assert planned.ask("hand.redo")["edited"] == first
    other = Study(cli.root)
    assert other.ask("hand.move", groups=["solo"], wave="W04")["edited"] == first
    other.close()


def test_edits_that_are_dropped_leave_the_saved_plan_and_what_others_stored_is_seen(
    planned: Study, cli: Wherry
) -> None:
    opened = _groups(planned)
    planned.ask("hand.move", groups=["solo"], wave="W04")
    planned.ask("hand.discard")
    assert _groups(planned) == opened
    cli.done("plan", "lock", "W01")
    found = planned.ask("hand.open")
    assert found["plan"] == 2
    assert [row["wave"] for row in found["rows"] if row["locked"]] == ["W01"]


def test_many_groups_move_at_once_each_by_one(planned: Study) -> None:
    where = places(planned.ask("hand.open")["rows"])
    chosen = [name for name, wave in where.items() if wave != "W04"]
    said = planned.ask("hand.move", groups=chosen, by=1)
    assert said["verdict"]["taken"], said["verdict"]
    now = places(planned.ask("hand.state")["rows"])
    assert now == {name: f"W0{int(wave[1:]) + (name in chosen)}" for name, wave in where.items()}
    assert planned.ask("hand.undo")["unsaved"] == []
    with pytest.raises(BadInput, match="a wave or how far"):
        planned.ask("hand.move", groups=chosen)
    with pytest.raises(BadInput, match="is in the first wave"):
        planned.ask("hand.move", groups=chosen, by=-9)


def test_a_plan_that_somebody_else_changed_is_not_overwritten(planned: Study, cli: Wherry) -> None:
    planned.ask("hand.open")
    planned.ask("hand.move", groups=["solo"], wave="W04")
    cli.done("plan", "lock", "W01")
    assert planned.ask("hand.state")["outdated"] is True
    before = cli.stored()
    with pytest.raises(BadInput, match="changed by somebody else"):
        planned.ask("hand.save")
    assert cli.stored() == before
    fresh = planned.ask("hand.discard")
    assert (fresh["outdated"], fresh["unsaved"], fresh["plan"]) == (False, [], 2)


def test_a_study_that_was_killed_begins_again_from_the_saved_plan(planned: Study) -> None:
    opened = planned.ask("hand.open")
    planned.ask("hand.move", groups=["solo"], wave="W04")
    assert planned._child is not None
    os.kill(planned._child.pid, signal.SIGKILL)
    again = planned.ask("hand.open")
    assert (again["rows"], again["unsaved"], planned.starts) == (opened["rows"], [], 2)


def test_why_merge_and_split(planned: Study) -> None:
    planned.ask("hand.open")
    why = planned.ask("hand.why", what="solo")
    assert why["group"] == "solo"
    with pytest.raises(WherryError, match="nobody is no VM"):
        planned.ask("hand.why", what="nobody")
    said = planned.ask("hand.split", group="extra", vms=["x-4"])
    assert said["verdict"]["did"] == ["split x-4 off extra"]
    told = planned.ask("hand.diff")  # it may move alone, and moves as it did
    assert (told["before"], told["same"], told["groups"]) == (1, True, [])
    refused = planned.ask("hand.merge", group="solo", other="shop")
    assert any("its cap is 2" in one for one in refused["verdict"]["refused"])
