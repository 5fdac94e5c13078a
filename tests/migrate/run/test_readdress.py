"""Addresses of guests in a runbook: before the start, by hand after it, and back on the way home."""

from __future__ import annotations

import json
from typing import Any

import pytest

from migrate.rehearsal import model_of, rehearse
from migrate.rehearsals.matrix import Ending
from migrate.run.actions import Outcome
from migrate.run.compose import compose
from migrate.run.compose_failback import compose_failback
from migrate.run.history import Event, Status
from migrate.run.readdress_steps import brought_home, found_before
from migrate.run.runbook import COMMIT, GO, dump_runbook, load_runbook
from migrate.sites.networking import GuestNic
from migrate.sites.ports import Capability
from migrate.steps.kinds import KINDS
from migrate.twin import Twin
from planner.conduct_planned import PlannedConduct
from planner.plan import Wave
from planner.settings import Link
from tests.migrate.estate import small_wave
from tests.migrate.run.test_compose import before
from tests.migrate.simulated_run import Boundaries, Died, World

DB, WEB = "id-db", "id-web"
HERE = {"addresses": ["10.1.0.7/24"], "gateways": ["10.1.0.1"]}
THERE = {"addresses": ["10.20.0.7/24", "2001:db8::7/64"], "gateways": ["10.20.0.1"], "dns": ["10.20.0.53"]}
NIC = {"vm": WEB, "nic": "eth0", "live": THERE, "home": {"addresses": ["10.1.0.7/24"]}}
WAS = GuestNic("eth0", ("10.1.0.7/24",), ("10.1.0.1",), ("10.1.0.53",))
IS = GuestNic("eth0", ("10.20.0.7/24", "2001:db8::7/64"), ("10.20.0.1",), ("10.20.0.53",))


def given(**nic: Any) -> Wave:
    probe = {"name": "port", "kind": "tcp", "port": 1, "vms": [WEB]}
    conduct = {
        "nics": [{**NIC, **nic}], "probes": [probe],
        "addresses": {WEB: "10.20.0.7"}, "home_addresses": {WEB: "10.1.0.7"},
    }  # fmt: skip
    return small_wave().model_copy(update={"conduct": PlannedConduct.model_validate(conduct)})


def step_of(wave: Wave, tail: str) -> str:
    return next(step.id for step in compose(wave).steps if step.subject == WEB and step.id.endswith(tail))


def test_a_wave_that_says_nothing_of_addresses_has_the_steps_and_the_signature_it_always_had() -> None:
    plain = small_wave()
    assert all(step.kind not in ("readdress", "human") for step in compose(plain).steps)
    assert plain.fingerprint == plain.model_copy(update={"conduct": PlannedConduct()}).fingerprint
    assert plain.fingerprint != given().fingerprint
    assert given().fingerprint != given(live={"addresses": ["10.20.0.8/24"]}).fingerprint


def test_the_guest_is_told_after_its_vm_is_built_and_before_it_starts() -> None:
    book = compose(given())
    told = book.step(step_of(given(), "/readdress"))
    assert "build" in {book.step(step).kind for step in before(book, told.id)}
    assert told.id in before(book, step_of(given(), "/start"))
    stored, params = json.loads(json.dumps(dump_runbook(book)))
    again = load_runbook(stored, json.dumps(params))
    assert json.loads(json.dumps(dump_runbook(again))) == [stored, params]
    here = World(given(), book)
    assert here.drive(GO, COMMIT).outcome is Outcome.COMMITTED
    assert here.target.site.guests == {WEB: (IS,)}
    assert here.source.site.guests == {}
    assert here.broken() == []


def test_wherever_a_run_dies_the_guest_has_its_addresses_once_it_runs() -> None:
    step = step_of(given(), "/readdress")
    points = Boundaries()
    World(given(), compose(given())).drive(GO, COMMIT, boundary=points)
    mine = [number for number, point in enumerate(points.points, 1) if point.startswith(f"{step} ")]
    assert len(mine) == 4
    for number in mine:
        here = World(given(), compose(given()))
        with pytest.raises(Died):
            here.drive(GO, COMMIT, boundary=Boundaries(number))
        assert here.drive(GO, COMMIT).outcome is Outcome.COMMITTED
        assert here.target.site.guests == {WEB: (IS,)}
        assert here.broken() == []


def test_a_rollback_has_nothing_to_take_back() -> None:
    here = World(given(), compose(given()))
    here.drive(GO)
    here.note("", Event.ROLLBACK)
    assert here.drive().outcome is Outcome.ROLLED_BACK
    assert WEB not in here.target.site.vms


def test_a_site_that_cannot_do_it_leaves_it_to_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    here = World(given(), compose(given()))
    less = frozenset(Capability) - {Capability.CUSTOMISE}
    monkeypatch.setattr(type(here.target.site), "capabilities", property(lambda self: less))
    stopped = here.drive(GO, COMMIT)
    assert stopped.decide is not None
    assert "sets no addresses in guests" in here.history.failures[stopped.decide.id]["message"]
    here.note(stopped.decide.id, Event.SKIPPED)
    assert here.drive(GO, COMMIT).outcome is Outcome.COMMITTED


def test_a_guest_without_tools_waits_for_a_person_before_it_is_asked_anything() -> None:
    wave = given(by_hand="no tools are in its guest")
    book = compose(wave)
    human = book.step(step_of(wave, "/address"))
    assert "10.20.0.7/24" in human.params["says"]
    assert "no tools are in its guest" in human.params["says"]
    assert step_of(wave, "/start") in before(book, human.id)
    assert human.id in before(book, step_of(wave, "/probe"))
    here = World(wave, book)
    assert here.drive(GO).gate == human
    assert here.drive(GO, human.id, COMMIT).outcome is Outcome.COMMITTED
    assert here.target.site.guests == {}


def test_on_the_way_home_the_guest_gets_what_it_had_and_probes_ask_there() -> None:
    out = World(given(), compose(given()))
    out.source.site.guests[WEB] = (WAS,)
    assert out.drive(GO, COMMIT).outcome is Outcome.COMMITTED
    had = found_before(out.reload())
    assert had == {WEB: (WAS,)}
    book = compose_failback(given(), {}, had)
    told = next(step for step in book.steps if step.kind == "readdress")
    assert told.title == "web: set its addresses at the source"
    assert told.params["nics"][0]["gateways"] == ["10.1.0.1"]
    assert any(step.endswith("/unfence") for step in before(book, told.id))
    probe = next(step for step in book.steps if step.kind == "probe" and "ask" in step.params)
    assert probe.params["ask"]["host"] == "10.1.0.7"
    forward = next(step for step in compose(given()).steps if step.kind == "probe" and "ask" in step.params)
    assert forward.params["ask"]["host"] == "10.20.0.7"


def test_where_nobody_knows_what_it_had_the_plan_says_it() -> None:
    (told,) = (step for step in compose_failback(given(), {}).steps if step.kind == "readdress")
    assert told.params["nics"][0]["addresses"] == ["10.1.0.7/24"]
    lost = brought_home(given().conduct, {WEB: (GuestNic("eth0"),)})
    assert lost.nics[0].live is not None
    assert lost.nics[0].live.addresses == ("10.1.0.7/24",)
    assert compose_failback(given(by_hand="x"), {}).step(step_of(given(by_hand="x"), "/address"))


def test_an_attempt_that_failed_is_tried_again() -> None:
    here = World(given(), compose(given()))
    here.target.site.failing["customise"] = 1
    assert here.drive(GO, COMMIT).decide is not None
    step = step_of(given(), "/readdress")
    assert here.history.status[step] is Status.FAILED
    here.note(step, Event.RETRY)
    assert here.drive(GO, COMMIT).outcome is Outcome.COMMITTED


def test_on_the_twin_it_takes_time_and_can_fail_in_every_way() -> None:
    run = Twin(compose(given()), model_of(given(), Link()), KINDS, 7).run()
    assert run.outcome is Outcome.COMMITTED
    begun, ended = run.spans[step_of(given(), "/readdress")]
    assert ended > begun
    said = rehearse(given(), Link(), runs=240, seed=1, matrix=True).matrix
    assert said is not None
    mine = [one for one in said.struck if one.call == "customise"]
    assert {one.fault for one in mine} >= {"fails once", "fails from then on", "is done, its answer lost"}
    lost = next(one for one in mine if one.fault == "is done, its answer lost")
    assert lost.ending is Ending.ON
    assert any("tools" in one.remedy for one in mine if one.fault == "fails from then on")
