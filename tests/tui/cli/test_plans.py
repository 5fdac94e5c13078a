"""Plan files and approvals: what was changed by hand is refused, what is approved stays exactly that."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.tui.cli.command import Wherry, refused
from tests.tui.cli.estate import document, write


def test_what_was_written_for_others_is_noted(planned: Wherry) -> None:
    planned.done("export", "csv-groups", "json", "--to", str(planned.root / "out"))
    noted = planned.done("log", "--json").document["lines"][-1]
    assert (noted["act"], noted["effect"], noted["subject"]) == ("export", "view", "groups.csv, plan.json")
    assert str(planned.root / "out" / "plan.json") in str(noted["detail"])


def exported(cli: Wherry) -> Path:
    cli.done("export", "json")
    return cli.root / "exports" / "plan.json"


def grown(cli: Wherry) -> Path:
    """Return the same estate, one VM with more memory."""
    vms = document()["vms"]
    vms[2]["memory_bytes"] *= 2
    return write(cli.root / "other.json", vms=vms)


def approved(cli: Wherry) -> set[str]:
    return set(cli.done("plan", "show", "--json").document["approvals"])


def test_a_plan_file_comes_back_as_it_was(planned: Wherry) -> None:
    path = exported(planned)
    before = planned("plan", "show", "--json").document
    assert planned("plan", "import", str(path), "--json").document == before


@pytest.mark.parametrize("change", ["title", "boot", "fingerprint"])
def test_an_edited_plan_file_is_refused(planned: Wherry, change: str) -> None:
    path = exported(planned)
    body: dict[str, Any] = json.loads(path.read_text("utf-8"))
    if change == "fingerprint":
        del body["fingerprint"]
    elif change == "boot":
        body["waves"][1]["boot"].reverse()
    else:
        body["waves"][0]["title"] = "mine"
    path.write_text(json.dumps(body), "utf-8")
    before = planned.stored()
    refused(planned("plan", "import", str(path)), 2, "was changed after it was exported")
    assert planned.stored() == before


def test_a_plan_of_another_inventory_is_refused(planned: Wherry) -> None:
    path = exported(planned)
    planned.done("discover", str(grown(planned)))
    before = planned.stored()
    refused(planned("plan", "import", str(path)), 2, "another inventory")
    assert planned.stored() == before


def test_status_says_that_the_plan_is_older_than_the_inventory(planned: Wherry) -> None:
    planned.done("discover", str(grown(planned)))
    assert "the plan was made on an older inventory" in planned("status").out


def test_approval_is_kept_when_another_wave_changes_and_voided_when_this_one_does(planned: Wherry) -> None:
    planned.done("plan", "approve")
    assert approved(planned) == {"W01", "W02"}
    luns = (
        '[[luns]]\nname = "naa.t"\nsize_bytes = 2097152\n'
        '[[remaps]]\ndisk = "db-1/Hard disk 2"\nto = "keep"\nlun = "naa.t"\n'
    )
    changed = planned.root / "settings.toml"
    planned.done("settings", "export", str(changed))
    text = changed.read_text("utf-8").replace("luns = []", "").replace("remaps = []", "")
    changed.write_text(text + luns, "utf-8")
    planned.done("settings", "import", str(changed))
    assert "approved no longer, as they changed: W02\n" in planned.done("plan").err
    assert approved(planned) == {"W01"}, "only W02 holds the RDM"
    refused(planned.live("replicate", "W02"), 3, "W02 is not approved as it stands in plan 2")


def test_a_policy_is_part_of_every_approval(planned: Wherry) -> None:
    planned.done("plan", "approve")
    planned.done("settings", "set", "policies.commit_window_h", "5")
    planned.done("plan")
    assert approved(planned) == set()


def test_a_plan_with_a_hostile_wave_name_is_refused(planned: Wherry, tmp_path: Path) -> None:
    from tests.tui.cli.command import files

    path = exported(planned)
    body = json.loads(path.read_text("utf-8"))
    body["waves"][0]["name"] = "/../../../x\x1b[31m"
    path.write_text(json.dumps(body), "utf-8")
    before = files(tmp_path)
    ran = planned("plan", "import", str(path))
    assert ran.code == 2
    assert "waves.0.name" in ran.text
    assert "\x1b" not in ran.text
    assert files(tmp_path) == before


def test_vms_in_no_wave_are_named_by_their_reason(planned: Wherry, tmp_path: Path) -> None:
    gold = [{**document()["vms"][2], "id": f"t-{n}", "name": f"gold-{n}", "template": True} for n in range(6)]
    planned.done("discover", str(write(tmp_path / "gold.json", vms=[*document()["vms"], *gold])))
    said = [line for line in planned.done("plan").out.splitlines() if "not planned" in line]
    assert said == [
        "  not planned: gold-0, gold-1, gold-2, gold-3 and 2 more: "
        "a template is not replicated; deploy it again at the target"
    ]
