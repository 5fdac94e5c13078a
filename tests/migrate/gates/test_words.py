"""Words in the store: whose they are, which run they belong to, and what is refused."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from migrate import audit
from migrate.gates import words
from migrate.gates.words import Person, Verdict
from migrate.health import examine
from planner.errors import BadInput
from planner.ticket import LONGEST
from tests.migrate.gates.standing import Standing, planned, stored


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Standing]:
    with stored(tmp_path / "move", planned()) as standing:
        yield standing


def test_a_word_is_the_kernels_login_and_the_plan_that_runs(run: Standing) -> None:
    said = words.say(run.project, run.run, "go", Verdict.APPROVE, " CHG1 ", "looks good")
    assert (said.uid, said.who) == (os.getuid(), audit.person())
    assert (said.fingerprint, said.ticket, said.reason) == (run.wave.fingerprint, "CHG1", "looks good")
    assert words.of(run.project, run.run.id, "go") == (said,)
    assert words.of(run.project, run.run.id, "commit") == ()
    assert words.of(run.project, run.run.id + 1, "go") == ()
    assert words.of_run(run.project, run.run.id) == {"go": (said,)}


def test_a_word_stands_in_the_audit_chain(run: Standing) -> None:
    words.say(run.project, run.run, "commit", Verdict.HOLD, reason="the \x1b[31mDBA looks")
    line = audit.lines(run.project)[-1]
    assert (line.act, line.subject, line.effect) == ("gate hold commit", "W01", "live")
    assert json.loads(line.detail) == {
        "run": run.run.id,
        "uid": os.getuid(),
        "plan": run.wave.fingerprint,
        "ticket": "",
        "reason": "the \x1b[31mDBA looks",
    }
    assert audit.broken_at(run.project) is None


def test_what_was_said_ahead_keeps_its_person(run: Standing) -> None:
    said = words.say(run.project, run.run, "go", Verdict.APPROVE, by=Person(4711, "ada"))
    assert words.of(run.project, run.run.id, "go") == (said,)
    assert (said.uid, said.who) == (4711, "ada")
    assert audit.lines(run.project)[-1].who == "ada"


@pytest.mark.parametrize(
    ("verdict", "ticket", "reason", "sentence"),
    [
        (Verdict.HOLD, "", " ", "a hold without a reason"),
        (Verdict.REFUSE, "", "", "a refuse without a reason"),
        (Verdict.APPROVE, "x" * (LONGEST + 1), "", "the ticket has 61 characters"),
        (Verdict.HOLD, "", "x" * 501, "the reason has 501 characters"),
    ],
)
def test_what_cannot_be_kept_is_refused(
    run: Standing, verdict: Verdict, ticket: str, reason: str, sentence: str
) -> None:
    before = len(audit.lines(run.project))
    with pytest.raises(BadInput, match=sentence):
        words.say(run.project, run.run, "go", verdict, ticket, reason)
    assert words.of(run.project, run.run.id, "go") == ()
    assert len(audit.lines(run.project)) == before


def test_a_word_that_nobody_said_through_wherry_is_found(run: Standing) -> None:
    words.say(run.project, run.run, "go", Verdict.APPROVE, "CHG1")
    words.say(run.project, run.run, "go", Verdict.APPROVE, "CHG1")
    assert words.unwitnessed(run.project) == []
    copied = "run, gate, verdict, who, uid, at, fingerprint, ticket, reason"
    with run.project.write() as db:
        db.conn.execute(f"INSERT INTO gate_word ({copied}) SELECT {copied} FROM gate_word WHERE id = 1")
        db.conn.execute("UPDATE gate_word SET uid = 4711, who = 'bob\x1b[2J' WHERE id = 3")
    (forged,) = words.unwitnessed(run.project)
    assert forged.uid == 4711
    root = run.project.root
    (found,) = [item for item in examine(root) if item.what == "gates"]
    assert not found.ok
    assert found.said == f"bob␛[2J said approve at go, run {run.run.id}, past wherry"
