"""Edits are stored only while they leave every wave that is under way as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.errors import Blocked
from planner.store.project import Project
from tests.tui.laid import acts, build, versions
from tui.acts.drafting import draft_of
from tui.acts.editing import lay_out, save


def test_edits_made_before_a_run_began_do_not_change_its_wave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slots = {"id-a": 0, "id-b": 0, "id-c": 1, "id-d": 2, "id-f": 2, "id-e1": 3, "id-e2": 3, "id-g": 4}
    root = build(tmp_path / "p", standing=slots)
    with Project.open(root) as project:
        opened = lay_out(project)
        draft = draft_of(project, opened)
        draft.take(draft.desk.move("g", "W02"))
        standing = draft.desk.ask.standing
        assert standing is not None
        monkeypatch.setattr("migrate.run.waves.under_way", lambda project, newest: ("W02",))
        with pytest.raises(Blocked, match="W02 is under way by now"):
            save(project, opened, draft.edits, standing)
    assert (versions(root), acts(root)) == (1, [])
