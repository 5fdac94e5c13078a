"""Work that is done once for a wave: listed, exported and ticked off like any other task."""

from __future__ import annotations

from typing import Any

from tests.tui.cli.command import Wherry


def _shared(cli: Wherry) -> dict[str, Any]:
    tasks = cli.done("remedy", "W02", "--json").document["tasks"]
    (found,) = [task for task in tasks if task["check"] == "guest.database"]
    assert isinstance(found, dict)
    return found


def test_a_shared_task_is_listed_and_ticked_off(planned: Wherry) -> None:
    task = _shared(planned)
    assert (task["vm"], task["name"], task["found"]) == ("", "(whole wave)", ["1 VM: db-1"])
    assert task["effort_min"] == 20
    assert "(whole wave)" in planned.done("remedy", "W02").out
    ticked = planned.done("remedy", "W02", "--done", task["id"], "--note", "agreed")
    assert "W02: (whole wave): Database or mail server, ticked off by" in ticked.out
    assert _shared(planned)["state"] == "ticked off"
    planned.done("plan")
    assert _shared(planned)["state"] == "ticked off"


def test_a_shared_task_stands_in_the_papers(planned: Wherry) -> None:
    task = _shared(planned)
    planned.done("export", "markdown")
    text = (planned.root / "exports" / "plan.md").read_text("utf-8")
    (row,) = [line for line in text.splitlines() if line.endswith(f"| {task['id']} |")]
    assert "| (whole wave) | Database or mail server |" in row
    assert "1 VM: db-1" in row.replace("\\", "")
