"""Gates as people see them: state, what is missing, proofs, what comes next, and the way back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from migrate.gates import seeing, words
from migrate.gates.saying import check_word
from migrate.gates.way_back import going_back, way_back, written
from migrate.gates.words import Person, Verdict
from migrate.run.history import Event
from migrate.sites.ports import ChangeId, Extent
from planner.conduct import GateRule
from planner.errors import BadInput, Blocked, NotFound
from tests.migrate.gates.standing import planned, stored, with_rules, with_step

NOW = datetime.now(UTC)


def test_a_gate_says_who_is_missing_what_was_proved_and_what_comes(tmp_path: Path) -> None:
    wave = planned()
    rules = {"go": GateRule(persons=2)}
    with stored(tmp_path / "move", wave, lambda book: with_rules(book, wave, **rules)) as run:
        run.go_to("go")
        words.say(run.project, run.run, "go", Verdict.APPROVE, by=Person(7, "bob"))
        seen = seeing.see(run.project, run.run, run.history, NOW)
        go, commit = seen.gates
        assert (go.state, commit.state) == ("shut", "ahead")
        assert go.missing == ("the approval of another person",)
        assert [word.who for word in go.words] == ["bob"]
        assert go.ahead.until == "W01: commit, the point of no return"
        assert {step.kind for step in go.ahead.steps} >= {"quiesce", "stop", "verify", "start", "landed"}
        assert {step.kind for step in commit.ahead.steps} == {"fence"}
        assert seen.back.verb == "abort"
        assert (seen.back.down_s, seen.back.written_bytes) == (None, 0)
        words.say(run.project, run.run, "go", Verdict.APPROVE)
        assert seeing.see(run.project, run.run, run.history, NOW).gate("go").state == "open"


def test_what_was_passed_over_or_failed_stands_before_what_was_proved(tmp_path: Path) -> None:
    with stored(tmp_path / "move", planned()) as run:
        run.go_to("g0/v0/probe")
        run.append("g0/v0/probe", Event.INTENT)
        run.append("g0/v0/probe", Event.FAILED, message="silent", hint="")
        assert seeing.see(run.project, run.run, run.history, NOW).gate("commit").proofs[0] == (
            "db: probe: failed: silent"
        )
        run.append("g0/v0/probe", Event.SKIPPED, who="ada", reason="no tools")
        assert seeing.see(run.project, run.run, run.history, NOW).gate("commit").proofs[0] == (
            "db: probe: passed over by ada: no tools"
        )


def test_going_back_costs_more_the_further_a_run_is(tmp_path: Path) -> None:
    with stored(tmp_path / "move", planned()) as run:
        run.go_to("g0/v1/stop")
        assert way_back(run.history) == "rollback"
        before = going_back(run.project, run.run, run.history, NOW)
        assert (before.down_since, before.on_since) == ("", "")
        run.go_to("g0/v1/start")
        later = datetime.now(UTC) + timedelta(hours=2)
        during = going_back(run.project, run.run, run.history, later)
        assert during.down_s is not None
        assert 7200 <= during.down_s < 7300
        assert during.written_bytes is None, "only the target knows"
        assert len(during.steps) > len(before.steps)
        assert during.steps[0].kind == "start", "what was done last is undone first"
        run.go_to("commit")
        assert (going_back(run.project, run.run, run.history, later).down_s or 0) < 100, "they run again"
        run.do("commit")
        assert going_back(run.project, run.run, run.history, later).verb == "failback"
        assert going_back(run.project, run.run, run.history, later).steps == ()


class Mapped:
    """A target of which only the change maps are asked."""

    def __init__(self, areas: dict[str, tuple[Extent, ...] | None]) -> None:
        self.areas = areas

    def changed_areas(self, volume: str, since: ChangeId) -> tuple[Extent, ...] | None:
        assert str(since) == "epoch/7"
        return self.areas[volume]


def test_what_the_target_wrote_is_counted_by_its_change_maps(tmp_path: Path) -> None:
    with stored(tmp_path / "move", planned()) as run:
        run.go_to("g0/mark")
        run.append("g0/mark", Event.INTENT)
        run.append("g0/mark", Event.DONE, changes={"a": "epoch/7", "b": "epoch/7"})

        def count(**areas: tuple[Extent, ...] | None) -> int | None:
            target: Any = Mapped(areas)
            return written(target, run.history)

        assert count(a=(Extent(0, 4096), Extent(8192, 512)), b=()) == 4608
        assert count(a=(Extent(0, 4096),), b=None) is None, "a disk without a map: nobody knows"


def test_only_a_run_under_way_has_gates(tmp_path: Path) -> None:
    with stored(tmp_path / "move", planned()) as run:
        assert seeing.under_way(run.project, "w01")[0].id == run.run.id
        assert len(seeing.every(run.project, NOW)) == 1
        with pytest.raises(NotFound, match=r"has no gate 'start'"):
            seeing.gate_of(run.history, "start")
        run.append("", Event.ABORT, who="ada")
        assert seeing.every(run.project, NOW) == []
        with pytest.raises(Blocked, match="no run under way"):
            seeing.under_way(run.project, "W01")


def test_words_that_could_not_count_are_refused_before_they_are_said(tmp_path: Path) -> None:
    wave = planned()
    rules = {"go": GateRule(ticket=r"CHG\d+")}
    with stored(tmp_path / "move", wave, lambda book: with_rules(book, wave, **rules)) as run:
        go, commit = (run.history.runbook.step(gate) for gate in ("go", "commit"))

        def check(gate: object, verdict: Verdict, ticket: str = "") -> None:
            check_word(run.project, run.run, run.history, gate, verdict, ticket)  # type: ignore[arg-type]

        check(go, Verdict.APPROVE, "CHG1")
        for ticket, sentence in (("", "no ticket was given"), ("CHG1;", "is not a ticket like")):
            with pytest.raises(BadInput, match=sentence):
                check(go, Verdict.APPROVE, ticket)
        with pytest.raises(Blocked, match="has not come to it"):
            check(commit, Verdict.APPROVE)
        check(commit, Verdict.HOLD)
        with pytest.raises(Blocked, match="said nothing"):
            check(go, Verdict.RELEASE)
        words.say(run.project, run.run, "go", Verdict.HOLD, reason="r", by=Person(7, "bob"))
        with pytest.raises(Blocked, match="said nothing"):
            check(go, Verdict.RELEASE)
        words.say(run.project, run.run, "go", Verdict.HOLD, reason="r")
        check(go, Verdict.RELEASE)
        run.go_to("go")
        run.do("go")
        with pytest.raises(Blocked, match="is passed"):
            check(go, Verdict.HOLD)
        run.append("", Event.ROLLBACK, who="ada")
        with pytest.raises(Blocked, match="on its way back"):
            check(commit, Verdict.HOLD)


def test_a_human_step_waits_like_a_gate(tmp_path: Path) -> None:
    with stored(tmp_path / "move", planned(), lambda book: with_step(book, "human", "move the cable")) as run:
        run.go_to("extra")
        seen = seeing.see(run.project, run.run, run.history, NOW).gate("extra")
        assert (seen.state, seen.gate.title) == ("shut", "move the cable")
        assert seen.ahead == seeing.Ahead((), "W01: commit, the point of no return")
        words.say(run.project, run.run, "extra", Verdict.APPROVE)
        assert seeing.see(run.project, run.run, run.history, NOW).gate("extra").state == "open"
