"""wherry remedy on a small lab: list, rehearse, do, die, go on, take back, tick off."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from migrate.sites.configuration import Configuration
from migrate.sites.lab.client import LabSite
from planner.planning import make_plan
from planner.remedies import task_id
from planner.sources.document import read_document
from planner.store import inventories, plans
from planner.store import settings as settings_store
from planner.store.project import Project, utc_now
from tests.migrate.troubled import BY_HAND, CHECKS, findings
from tests.tui.cli.command import Wherry, refused, wherry
from tests.tui.cli.estate import SETTINGS, disk, vm, write

HOSTILE = "solo\x1b[31m|<b>"
ISO = "[iso] install.iso"
FIXES = {
    "vm-1": ("consolidate", "upgrade-hardware"),
    "vm-3": ("disconnect-media", "enable-cbt", "disk-mode", "by-hand"),
}


def _odd() -> list[dict[str, Any]]:
    """Return db-1 with old hardware and left-over deltas, and solo with an ISO and an independent disk."""
    return [
        vm("vm-1", "db-1", "shop", [disk("db-1", 0, 2)], hw_version=10, consolidation_needed=True),
        vm(
            "vm-3",
            HOSTILE,
            "other",
            [disk("solo", 0, 2, mode="independent_persistent")],
            cbt=False,
            cdroms=[{"label": "CD/DVD drive 1", "connected": True, "media": ISO}],
            owner="=ann",
        ),
    ]


def discover(root: Path, inventory: Path) -> None:
    with Project.open(root) as project:
        inventories.save(project, read_document(inventory))


def plan_anew(root: Path, inventory: Path) -> None:
    """Make a plan of an inventory with the tasks of ``FIXES``, by checks of our own."""
    discover(root, inventory)
    with Project.open(root) as project:
        stored = inventories.latest(project)
        found = findings(FIXES, {"vm-1": "db-1", "vm-3": HOSTILE})
        plan = make_plan(
            project=project.name,
            inventory=stored.inventory,
            inventory_fingerprint=stored.fingerprint,
            settings=settings_store.load(project),
            created_at=utc_now(),
            findings=found,
            own_checks=(*CHECKS, BY_HAND),
        )
        plans.save(project, plan, "test")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project whose one wave has tasks of every kind; copy it."""
    root = tmp_path_factory.mktemp("remedy") / "move"
    assert wherry("init", str(root)).code == 0
    cli = Wherry(root)
    settings = root.parent / "settings.toml"
    window = '[[windows]]\nstart = "2031-01-11T22:00:00Z"\nhours = 6\n'
    patient = SETTINGS.replace("stop_timeout_s = 20.0", "stop_timeout_s = 600.0")
    settings.write_text(f"{patient}\n{window}\n[remedies]\nowner = 'the desk'\n", "utf-8")
    cli.done("settings", "import", str(settings))
    plan_anew(root, write(root.parent / "inventory.json", vms=_odd(), dependencies=[]))
    return root


@pytest.fixture
def dry(made: Path, tmp_path: Path) -> Wherry:
    return Wherry(shutil.copytree(made, tmp_path / "move"))


@pytest.fixture(scope="module")
def lab(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wherry]:
    cli = Wherry(shutil.copytree(made, tmp_path_factory.mktemp("live") / "move"))
    cli.done("plan", "approve")
    cli.done("lab", "build")
    yield cli
    assert cli("lab", "stop").code == 0


def configuration(cli: Wherry, vm_id: str) -> Configuration:
    site = LabSite.connect(cli.root / "lab" / "dc1", start=False)
    try:
        found = site.configuration(vm_id)
    finally:
        site.close()
    assert found is not None
    return found


def powered(cli: Wherry) -> set[str]:
    rows = cli.done("lab", "status", "--json").document
    return {row["power"] for row in rows if row["site"] == "dc1"}


def states(cli: Wherry) -> dict[str, str]:
    tasks = cli.done("remedy", "W01", "--json").document["tasks"]
    return {task["check"].removeprefix("own."): task["state"] for task in tasks}


# dry


def test_the_list_has_owner_effort_date_and_how(dry: Wherry) -> None:
    before = dry.stored()
    ran = dry.done("remedy", "W01")
    assert "solo␛[31m|<b>" in ran.out
    assert "\x1b" not in ran.out
    for words in ("=ann", "the desk", "2031-01-10T", "wherry: enable-cbt", "by hand", "with an outage"):
        assert words in ran.out, words
    assert "6 of 6 tasks left: 1 h 35 m of work, 2 VMs with an outage" in ran.out
    assert "dry: nothing was done" in ran.err
    assert "left out without --with-outage" in ran.err
    assert dry.stored() == before


def test_a_dry_run_names_each_step_and_what_it_would_do(dry: Wherry) -> None:
    found = dry.done("remedy", "W01", "--json").document
    assert (found["effort_min"], found["outages"], found["live"], found["refused"]) == (95, 2, False, "")
    assert [step["kind"] for step in found["steps"]] == [
        "look", "consolidate", "look", "disconnect-media", "enable-cbt",
    ]  # fmt: skip
    all_of_it = dry.done("remedy", "W01", "--with-outage", "--json").document["steps"]
    assert [step["kind"] for step in all_of_it if step["effect"] == "destructive"] == [
        "halt", "upgrade-hardware", "resume", "halt", "disk-mode", "resume",
    ]  # fmt: skip
    upgrade = next(step for step in all_of_it if step["kind"] == "upgrade-hardware")
    assert "only a lab can take that back" in upgrade["what"]
    only = dry.done("remedy", "W01", "--only", "enable-cbt", "--json").document["steps"]
    assert [step["kind"] for step in only] == ["look", "enable-cbt"]


def test_rehearsed_on_the_twin_nothing_is_touched(dry: Wherry) -> None:
    found = dry.done("remedy", "W01", "--rehearse", "--with-outage", "--json").document
    assert found["outcomes"] == {"done": 100}
    assert found["passed_over"] == {}
    assert 0 < found["down"]["p50"] < found["total"]["p50"]
    again = dry.done("remedy", "W01", "--rehearse", "--with-outage", "--json").document
    assert again == found
    ran = dry.done("remedy", "W01", "--rehearse")
    assert "longest outage" not in ran.out
    assert "what is touched: nothing" in ran.err
    assert [line["act"] for line in dry.done("log", "--json").document["lines"]][-1] == "remedy rehearse"


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("W09",), 2, "W09"),
        (("W01", "--live"), 2, "not confirmed"),
        (("W01", "--live", "--confirm", "W02"), 2, "not the wave's name"),
        (("W01", "--undo", "--rehearse"), 2, "do not go together"),
        (("W01", "--rehearse", "--live"), 2, "touches no site"),
        (("W01", "--done", "zz"), 2, "no task 'zz'"),
        (("W01", "--done", ""), 2, "no task ''"),
        (("W01", "--note", "x"), 2, "--done only"),
        (("W01", "--done", "a", "--only", "enable-cbt"), 2, "choose what wherry does"),
        (("W01", "--only", "reboot"), 2, "reboot"),
        (("W01", "--only", "disk-mode", "--rehearse"), 3, "no task that wherry could rehearse"),
        (("W01", "--live", "--confirm", "W01"), 2, "no source site"),
        (("W01", "--undo", "--live", "--confirm", "W01"), 3, "no remedies to take back"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(
    dry: Wherry, arguments: tuple[str, ...], code: int, says: str
) -> None:
    before = dry.stored()
    refused(dry("remedy", *arguments), code, says)
    assert dry.stored() == before


def test_a_vcenter_is_refused_until_a_login_is_kept(dry: Wherry) -> None:
    dry.done("site", "add", "old", "vcenter://me@vc.invalid", "--role", "source")
    refused(dry.live("remedy", "W01"), 3, "no login is kept of site old", "wherry site login old")


def test_undo_is_refused_in_words_when_there_is_nothing(dry: Wherry) -> None:
    ran = dry.done("remedy", "W01", "--undo")
    assert "would be refused now: W01 has no remedies to take back" in ran.err
    assert ran.out == ""


def test_the_plan_names_the_tasks_of_a_wave(dry: Wherry) -> None:
    said = dry.done("plan", "show", "W01").out
    assert "tasks before it: 6, 1 h 35 m of work, see 'wherry remedy W01'" in said


# ticks


def test_a_tick_is_kept_with_who_when_and_note_and_shown_everywhere(dry: Wherry) -> None:
    task = task_id("own.by-hand", "vm-3")
    made = dry.done("remedy", "W01", "--done", task[:5].upper(), "--note", "=1+1\x1b[0m", "--json").document
    assert (made["task"], made["note"]) == (task, "=1+1\x1b[0m")
    assert states(dry)["by-hand"] == "ticked off"
    ran = dry.done("remedy", "W01")
    assert f"ticked off: {made['who']}, {made['at'][:16]}: =1+1␛[0m" in ran.out
    assert "5 of 6 tasks left" in ran.out
    last = dry.done("log", "--json").document["lines"][-1]
    assert (last["act"], last["subject"], last["effect"]) == ("remedy done", "W01", "edit-plan")
    dry.done("export")
    said = (dry.root / "exports" / "plan.md").read_text("utf-8")
    assert f"ticked off: {made['who']}" in said
    assert "5 of 6" not in said


def test_a_tick_of_a_task_that_wherry_could_do_leaves_it_out(dry: Wherry) -> None:
    dry.done("remedy", "W01", "--done", task_id("own.enable-cbt", "vm-3"))
    steps = dry.done("remedy", "W01", "--json").document["steps"]
    assert [step["kind"] for step in steps] == ["look", "consolidate", "look", "disconnect-media"]


def test_an_inventory_that_finds_it_again_is_the_later_word(dry: Wherry) -> None:
    dry.done("remedy", "W01", "--done", task_id("own.by-hand", "vm-3"))
    old = write(dry.root.parent / "old.json", vms=_odd(), dependencies=[], taken_at="2001-01-01T00:00:00Z")
    plan_anew(dry.root, old)
    assert states(dry)["by-hand"] == "ticked off", "what was seen before it says nothing of it"
    later = write(dry.root.parent / "new.json", vms=_odd(), dependencies=[], taken_at="2999-01-01T00:00:00Z")
    plan_anew(dry.root, later)
    assert states(dry)["by-hand"] == "open"
    assert "found again after it was ticked off" in dry.done("remedy", "W01").out


def test_clearing_tasks_leaves_the_approval_of_the_wave_valid(dry: Wherry) -> None:
    dry.done("plan", "approve")
    with Project.open(dry.root) as project:
        stored = plans.latest(project)
        bare = stored.plan.model_copy(
            update={"waves": tuple(w.model_copy(update={"tasks": ()}) for w in stored.plan.waves)}
        )
        plans.save(project, bare, "test")
    assert dry.state("W01")["approved_by"]


# live, each test goes on where the last one ended


def test_live_without_an_outage_does_what_needs_none(lab: Wherry) -> None:
    lab.done("remedy", "W01", "--json")
    ran = lab.live("remedy", "W01")
    assert ran.code == 0, ran.text
    assert ran.out.startswith("W01: 3 remedies are done\n")
    assert "1 drive disconnected" in ran.err
    solo, db = configuration(lab, "vm-3"), configuration(lab, "vm-1")
    assert (solo.cbt, solo.tracking, solo.snapshots) == (True, True, 0)
    assert not solo.drives[0].connected
    assert not db.consolidation_needed
    assert (db.hw_version, dict(solo.modes)["2000"]) == (10, "independent_persistent")
    assert powered(lab) == {"poweredOn"}
    assert states(lab) == {
        "consolidate": "done",
        "disconnect-media": "done",
        "enable-cbt": "done",
        "upgrade-hardware": "open",
        "disk-mode": "open",
        "by-hand": "open",
    }
    assert lab.state("W01")["state"] == "approved", "a remedy is no run of the wave"


def test_again_there_is_nothing_left_to_do(lab: Wherry) -> None:
    before = lab.stored()
    ran = lab.live("remedy", "W01")
    assert ran.code == 0
    assert "nothing is left for wherry to do itself" in ran.out
    assert lab.stored() == before


def test_with_an_outage_vms_go_down_and_come_back(lab: Wherry) -> None:
    ran = lab.live("remedy", "W01", "--with-outage", "--json")
    assert ran.code == 0, ran.text
    assert ran.document["state"] == "2 remedies are done"
    assert [item["check"] for item in ran.document["left"]] == ["own.by-hand"]
    assert configuration(lab, "vm-1").hw_version == 15
    assert dict(configuration(lab, "vm-3").modes)["2000"] == "persistent"
    assert powered(lab) == {"poweredOn"}
    acts = [line["act"] for line in lab.done("log", "--json").document["lines"]]
    assert sum(act.startswith("remedy done v") and act.endswith("upgrade-hardware") for act in acts) == 1
    assert lab("log", "--verify").code == 0


def test_the_way_back_needs_consent_for_its_outage_too(lab: Wherry) -> None:
    before = lab.stored()
    refused(lab.live("remedy", "W01", "--undo"), 3, "needs an outage", "--with-outage")
    assert lab.stored() == before
    steps = lab.done("remedy", "W01", "--undo", "--with-outage", "--json").document["steps"]
    assert [step["kind"] for step in steps] == [
        "resume", "disk-mode", "halt", "resume", "upgrade-hardware", "halt", "enable-cbt",
        "disconnect-media",
    ]  # fmt: skip
    assert lab.stored() == before


def test_all_runs_are_taken_back_in_reverse_order(lab: Wherry) -> None:
    ran = lab.live("remedy", "W01", "--undo", "--with-outage")
    assert ran.code == 0, ran.text
    solo, db = configuration(lab, "vm-3"), configuration(lab, "vm-1")
    assert (solo.cbt, solo.tracking) == (False, False)
    assert (solo.drives[0].connected, solo.drives[0].starts_connected, solo.drives[0].media) == (
        True,
        True,
        ISO,
    )
    assert (db.hw_version, dict(solo.modes)["2000"]) == (10, "independent_persistent")
    assert powered(lab) == {"poweredOn"}
    assert states(lab)["enable-cbt"] == "open"
    assert states(lab)["consolidate"] == "done", "there is no way back from that, and none is claimed"
    refused(lab.live("remedy", "W01", "--undo"), 3, "no remedies to take back")


def test_remedies_are_refused_while_the_wave_itself_is_under_way_and_the_other_way_round(lab: Wherry) -> None:
    assert lab.live("replicate", "W01").code == 0
    for ran in (lab.live("remedy", "W01"), lab.live("remedy", "W01", "--undo")):
        refused(ran, 3, "W01 has a run under way", "wherry abort W01 --live")
    assert "It would be refused now" in lab.done("remedy", "W01").err
    assert lab.live("abort", "W01").code == 0
    assert lab.live("remedy", "W01", "--only", "disconnect-media").code == 0
    assert configuration(lab, "vm-3").drives[0].connected is False
    with Project.open(lab.root) as project, project.write() as db:  # as a death after the act leaves it
        db.execute("DELETE FROM step_record WHERE step LIKE '%/disconnect-media' AND kind = 'done'"
                   " AND run = (SELECT max(id) FROM run)")  # fmt: skip
    assert states(lab)["disconnect-media"] == "begun"
    needs = lab.done("status", "--json").document["needs"]
    assert any("remedies of W01 were interrupted" in need["text"] for need in needs)
    refused(lab.live("replicate", "W01"), 3, "remedies of W01 are half done", "wherry remedy W01 --live")
    ran = lab.live("remedy", "W01")
    assert ran.code == 0, ran.text
    assert "not repeated" in ran.err
    assert states(lab)["disconnect-media"] == "done"
    assert lab.live("replicate", "W01").code == 0, "the wave's own run goes on as ever"
