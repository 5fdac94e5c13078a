"""Fences: names by the day that are unique and short enough, notes that keep what people wrote, both ways."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from migrate.papers.evidence import evidence
from migrate.run.compose import compose
from migrate.run.compose_failback import compose_failback, fenced_names
from migrate.run.history import History
from migrate.run.runbook import COMMIT, Runbook, Step
from migrate.sites.ports import Capability
from migrate.steps.kinds import KINDS
from planner.errors import NameTaken, SiteRefused, StepFailed
from planner.model import Power
from planner.names import content_id
from tests.migrate.estate import small_wave
from tests.migrate.simulated_run import World

VM = "id-web"
HOSTILE = "[bold]\x1b[2J‮evil\n"


class Fenced:
    """A wave that is being committed on a day, with one VM of a name."""

    def __init__(self, name: str = "web", at: str = "2026-11-28T23:59:59Z", folder: str = "") -> None:
        wave = small_wave()
        ending = wave.conduct.ending.model_copy(update={"folder": folder})
        wave = wave.model_copy(update={"conduct": wave.conduct.model_copy(update={"ending": ending})})
        vms = tuple(vm.model_copy(update={"name": name}) if vm.id == VM else vm for vm in wave.vms)
        self.wave = wave.model_copy(update={"vms": vms})
        self.world = World(self.wave, compose(self.wave))
        self.site = self.world.source.site
        for vm, state in self.site.vms.items():
            self.site.vms[vm] = replace(state, power=Power.OFF, note="owner: ann")
        self.history = History(self.world.runbook)
        self.history.results[COMMIT] = {"who": "ann", "at": at}

    def one(self, kind: str, runbook: Runbook | None = None) -> Step:
        steps = (runbook or self.world.runbook).steps
        return next(step for step in steps if (step.kind, step.subject) == (kind, VM))

    def fence(self) -> Any:
        return KINDS["fence"].act(self.world.context(self.history), self.one("fence"), "1/g0/v1/fence/do1")

    @property
    def state(self) -> Any:
        return self.site.vms[VM]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("web", "web-moved-20261128"),
        (HOSTILE, f"{HOSTILE}-moved-20261128"),
        ("db", "db-{unique}-moved-20261128"),  # the other VM of the wave is called so
        ("x" * 65, "x" * 65 + "-moved-20261128"),
        ("x" * 66, "x" * 56 + "-{unique}-moved-20261128"),
        ("x" * 55 + "%2f" + "y" * 40, "x" * 55 + "-{unique}-moved-20261128"),
    ],
)
def test_a_fenced_vm_has_the_day_in_its_name(name: str, wanted: str) -> None:
    here = Fenced(name)
    said = here.fence()
    assert here.state.name == wanted.replace("{unique}", content_id(VM)[:8])
    assert len(here.state.name) <= 80
    assert said == {"name": here.state.name, "keep_until": "2026-12-28"}
    assert not here.state.connected
    first, own = here.state.note.split("\n", 1)
    assert first == "wherry: moved away by W01, kept until 2026-12-28 [1/g0/v1/fence/do1]"
    assert own == "owner: ann", "what people wrote stays"
    context = here.world.context(here.history)
    assert KINDS["fence"].verify(context, here.one("fence"), "1/g0/v1/fence/do2") == said


def test_a_name_that_the_site_has_already_is_made_unique(monkeypatch: pytest.MonkeyPatch) -> None:
    here = Fenced()
    rename = type(here.site).rename

    def taken(site: Any, vm: str, name: str, op: str) -> None:
        if name == "web-moved-20261128":
            raise NameTaken("the name is taken", "choose another")
        rename(site, vm, name, op)

    monkeypatch.setattr(type(here.site), "rename", taken)
    name = here.fence()["name"]
    assert name.startswith("web-")
    assert name.endswith("-moved-20261128")
    assert here.state.name == name
    context = here.world.context(here.history)
    verified = KINDS["fence"].verify(context, here.one("fence"), "op")
    assert verified is not None
    assert verified["name"] == name


def test_a_site_that_refuses_a_rename_for_another_reason_is_not_asked_for_another_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = Fenced()
    asked: list[str] = []

    def busy(site: Any, vm: str, name: str, op: str) -> None:
        asked.append(name)
        raise SiteRefused("the VM is busy", "wait")

    monkeypatch.setattr(type(here.site), "rename", busy)
    with pytest.raises(SiteRefused, match="busy"):
        here.fence()
    assert asked == ["web-moved-20261128"]


def test_without_a_day_in_the_record_none_is_made_up() -> None:
    here = Fenced(at="")
    assert here.fence() == {"name": "web-moved", "keep_until": ""}


@pytest.mark.parametrize("missing", ["name", "connected", "note"])
def test_a_fence_that_is_half_done_is_finished_and_not_begun_again(missing: str) -> None:
    here = Fenced()
    here.fence()
    done = here.state
    undone = {"name": "web", "connected": True, "note": "owner: ann"}[missing]
    here.site.vms[VM] = replace(done, **{missing: undone})
    context = here.world.context(here.history)
    assert KINDS["fence"].verify(context, here.one("fence"), "1/g0/v1/fence/do1") is None
    here.world.source.calls.clear()
    KINDS["fence"].act(context, here.one("fence"), "1/g0/v1/fence/do2")
    assert [call[0] for call in here.world.source.calls] == (["source.rename"] if missing == "name" else [])
    assert (here.state.name, here.state.connected) == (done.name, False)


def test_what_was_fenced_comes_home_as_it_was_and_goes_back() -> None:
    here = Fenced(HOSTILE)
    before = replace(here.state)
    here.history.results[here.one("fence").id] = here.fence()
    names = fenced_names(here.history)
    assert names == {VM: f"{HOSTILE}-moved-20261128"}
    home = compose_failback(here.wave, names)
    world = World(here.wave, home)
    world.target = here.world.source
    step = here.one("unfence", home)
    assert "\x1b" not in step.title
    context = world.context(History(home))
    KINDS["unfence"].act(context, step, "2/g0/v1/unfence/do1")
    assert replace(here.state, last_power_op="") == replace(before, last_power_op="")
    assert KINDS["unfence"].verify(context, step, "op") == {"name": HOSTILE}
    assert KINDS["unfence"].undo(context, step, "2/g0/v1/unfence/undo1")["fenced"]
    assert (here.state.name, here.state.connected) == (names[VM], False)
    assert here.state.note.startswith("wherry: moved away by W01, its failback was rolled back")
    assert KINDS["unfence"].verify(context, step, "op") is None
    here.site.vms[VM] = replace(here.state, power=Power.ON)
    for act in (KINDS["unfence"].act, KINDS["unfence"].undo):
        with pytest.raises(StepFailed, match="is not off"):
            act(context, step, "op")


def test_a_fence_is_never_taken_back_by_a_rollback() -> None:
    here = Fenced()
    with pytest.raises(StepFailed, match="cannot be undone"):
        KINDS["fence"].undo(here.world.context(here.history), here.one("fence"), "op")


class Folders:
    """The folders of a simulated site: where each VM was put, and what is answered."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, here: Fenced, stays: str = "") -> None:
        self.at: list[tuple[str, str]] = []

        def put_aside(site: Any, vm: str, folder: str, op: str) -> str:
            self.at.append((vm, folder))
            return stays

        def put_back(site: Any, vm: str, op: str) -> str:
            self.at.append((vm, ""))
            return stays

        monkeypatch.setattr(type(here.site), "put_aside", put_aside)
        monkeypatch.setattr(type(here.site), "put_back", put_back)


@pytest.mark.parametrize("stays", ["", "it is part of a vApp\u202e"])
def test_a_fenced_vm_is_put_aside_and_comes_back(monkeypatch: pytest.MonkeyPatch, stays: str) -> None:
    here = Fenced(folder="old\u202e")
    folders = Folders(monkeypatch, here, stays)
    assert KINDS["fence"].plan(here.one("fence")).count("move it to folder old<U+202E>") == 1
    said = here.fence()
    assert folders.at == [(VM, "old\u202e")]
    told = "left in its folder: it is part of a vApp<U+202E>" if stays else "moved to folder old<U+202E>"
    assert told in evidence("fence", said)
    here.history.results[here.one("fence").id] = said
    home = compose_failback(here.wave, fenced_names(here.history))
    world = World(here.wave, home)
    world.target = here.world.source
    step, context = here.one("unfence", home), world.context(History(home))
    back = KINDS["unfence"].act(context, step, "2/g0/v1/unfence/do1")
    assert (folders.at[1:], back.get("stays", "")) == ([(VM, "")], stays)
    assert (told if stays else "NICs connected") in evidence("unfence", back)
    KINDS["unfence"].undo(context, step, "2/g0/v1/unfence/undo1")
    assert folders.at[2:] == [(VM, "old\u202e")]


def test_a_site_without_folders_is_not_asked_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    here = Fenced(folder="old")
    folders = Folders(monkeypatch, here)
    without = frozenset(Capability) - {Capability.FOLDERS}
    monkeypatch.setattr(type(here.site), "capabilities", property(lambda site: without))
    assert "folder" not in here.fence()
    assert folders.at == []
