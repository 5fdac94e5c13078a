"""Gates on the command line, by several logins: real processes with user ids of their own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from migrate.audit import person
from migrate.run.history import Event
from planner.conduct import GateRule
from tests.logins import as_login, share
from tests.migrate.gates.standing import Standing, planned, stored, with_rules
from tests.tui.cli.command import Wherry, refused, wherry

ADA, BOB, EVE = 1, 2, 60_007  # logins of every Linux: daemon and bin; and one that has no name
RULES = {"go": GateRule(persons=2, ticket=r"CHG\d{4}")}


@pytest.fixture
def shared() -> Iterator[tuple[Wherry, Standing]]:
    """A project that a group works on, with a wave that waits for go: two persons and a ticket."""
    root = Path(tempfile.mkdtemp(prefix="wherry-shared-")) / "move"
    root.parent.chmod(0o755)
    wave = planned()
    try:
        with stored(root, wave, lambda book: with_rules(book, wave, **RULES)) as run:
            run.go_to("go")
            share(root)
            cli = Wherry(root)
            cli.done("gate", "list", "W01")  # loads what other logins need
            cli.done("gate", "approve", "W01", "go", "--ticket", "CHG0001")
            cli.done("status")
            cli("doctor")
            yield cli, run
    finally:
        shutil.rmtree(root.parent)


def approve(cli: Wherry, login: int, ticket: str = "CHG0001") -> str:
    said = as_login(login, "gate", "approve", "W01", "go", "--ticket", ticket, "--live", "--confirm", "W01",
                    "--project", str(cli.root), "--json")  # fmt: skip
    assert said.code == 0, said.text
    return str(said.document["state"])


def test_two_logins_open_what_one_cannot(
    shared: tuple[Wherry, Standing], monkeypatch: pytest.MonkeyPatch
) -> None:
    cli, _ = shared
    monkeypatch.setenv("LOGNAME", "somebody")
    monkeypatch.setenv("USER", "else")
    assert approve(cli, ADA) == "shut"
    assert approve(cli, ADA, "CHG0002") == "shut", "the same person again"
    assert approve(cli, EVE) == "open"
    (go, commit) = cli.done("gate", "list", "W01", "--json").document
    assert [(word["who"], word["uid"], word["ticket"]) for word in go["words"]] == [
        ("daemon", ADA, "CHG0002"),
        ("uid 60007", EVE, "CHG0001"),
    ]
    assert commit["state"] == "ahead"
    held = as_login(BOB, "gate", "hold", "W01", "go", "--reason", "wait", "--project", str(cli.root))
    assert (held.code, held.out) == (0, "W01: go is shut\n")
    ours = ("--live", "--confirm", "W01", "--project", str(cli.root))
    refused(wherry("gate", "release", "W01", "go", *ours), 3, "said nothing")
    assert as_login(BOB, "gate", "release", "W01", "go", *ours).out == "W01: go is open\n"
    assert cli.done("log", "--verify").code == 0


def test_who_is_not_in_the_group_can_say_nothing(shared: tuple[Wherry, Standing]) -> None:
    cli, _ = shared
    before = cli.stored()
    said = as_login(EVE, "gate", "approve", "W01", "go", "--project", str(cli.root), groups=())
    assert said.code == 2
    assert "is not readable" in said.err
    assert cli.stored() == before


def test_a_guest_sees_everything_and_runs_nothing(shared: tuple[Wherry, Standing]) -> None:
    cli, run = shared
    assert "W01" in as_login(BOB, "status", "--project", str(cli.root)).out
    assert "shut" in as_login(BOB, "gate", "list", "--project", str(cli.root)).out
    run.do("go")
    run.go_to("g0/v1/probe")
    run.append("g0/v1/probe", Event.INTENT)
    run.append("g0/v1/probe", Event.FAILED, message="silent", hint="look")
    cli("run", "retry", "W01", "g0/v0/probe")  # loads it, and is refused: that one is done
    said = as_login(BOB, "run", "retry", "W01", "--project", str(cli.root))
    refused(said, 3, "is run by another login", "wherry gate approve")


def test_doctor_says_what_keeps_others_from_speaking(shared: tuple[Wherry, Standing]) -> None:
    cli, _ = shared

    def wrong(**more: object) -> list[str]:
        ran = as_login(BOB, "doctor", "--project", str(cli.root), "--json", **more)  # type: ignore[arg-type]
        return [
            item["said"] for item in ran.document if item["what"] == "shared directory" and not item["ok"]
        ]

    assert wrong() == []
    assert wrong(umask=0o022) == ["your umask is 022: what you export is closed to group gid 60042"]
    database = cli.root / "project.db"
    for path, mode, sentence in (
        (cli.root, 0o770, "has no setgid bit"),
        (cli.root, 0o2775, "is open to everybody"),
        (database, 0o664, "project.db is open to everybody"),
    ):
        kept = path.stat().st_mode & 0o7777
        path.chmod(mode)
        assert any(sentence in said for said in wrong()), sentence
        path.chmod(kept)
    database.chmod(0o600)
    ours = cli("doctor", "--json").document
    said = {item["said"]: item["hint"] for item in ours if item["what"] == "shared directory"}
    assert said["project.db cannot be written by group gid 60042"] == f"chmod 660 {database}"


def test_a_gate_shows_proof_next_and_the_way_back(shared: tuple[Wherry, Standing]) -> None:
    cli, run = shared
    out = cli.done("gate", "list", "W01").out
    assert "W01: go for cutover (go): shut, two persons, a ticket like CHG\\d{4}" in out
    assert "  needs: the approval of 2 persons with a ticket like CHG\\d{4}" in out
    assert "  proof: checkpoint: " in out
    assert ", up to W01: commit, the point of no return: " in out
    assert "going back: abort undoes " in out
    assert "no VM was stopped" in out
    run.do("go")
    run.go_to("commit")
    back = cli.done("gate", "list", "W01", "--json").document[1]["back"]
    assert (back["verb"], back["written_bytes"]) == ("rollback", None)
    out = cli.done("gate", "list", "W01").out
    assert "the target wrote an unknown amount since " in out
    assert cli.done("gate", "list").out.count("W01") == 2


def test_approve_is_dry_and_wants_the_name(shared: tuple[Wherry, Standing]) -> None:
    cli, _ = shared
    before = cli.stored()
    dry = cli.done("gate", "approve", "W01", "go", "--ticket", "CHG0001")
    assert "dry: nothing was said" in dry.err
    refused_live = cli("gate", "approve", "W01", "go", "--ticket", "CHG0001", "--live")
    assert refused_live.code == 2
    assert "was not confirmed" in refused_live.err
    refused(
        cli("gate", "approve", "W01", "go", "--ticket", "x", "--live", "--confirm", "W01"), 2, "not a ticket"
    )
    refused(cli("gate", "approve", "W01", "nogate"), 2, "has no gate 'nogate'", "go, commit")
    refused(cli("gate", "hold", "W01", "go"), 2, "without a reason")
    refused(cli("gate", "approve", "W09", "go"), 2, "W09")
    assert cli.stored() == before


def test_hostile_words_are_harmless_on_the_screen(shared: tuple[Wherry, Standing]) -> None:
    cli, _ = shared
    evil = "[red]\x1b[2J\u202efdp"
    cli.done("gate", "hold", "W01", "go", "--reason", evil)
    out = cli.done("gate", "list", "W01").out + cli.done("gate", "list").out
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert f"{person()} holds" in out
    assert cli.done("gate", "list", "W01", "--json").document[0]["words"][0]["reason"] == evil
    assert wherry("gate", "list", "--project", str(cli.root / "nowhere")).code == 2


def test_a_failed_probe_is_passed_over_with_a_reason_and_the_run_goes_on(
    shared: tuple[Wherry, Standing],
) -> None:
    cli, run = shared
    run.do("go")
    run.go_to("g0/v1/probe")
    run.append("g0/v1/probe", Event.INTENT)
    run.append("g0/v1/probe", Event.FAILED, message="silent \x1b[2J", hint="look")
    shown = {row["id"]: row for row in cli.done("run", "show", "W01", "--json").document}
    assert shown["g0/v1/probe"] == {
        "id": "g0/v1/probe",
        "kind": "probe",
        "title": "web: probe",
        "status": "failed",
        "said": "silent \x1b[2J",
        "held": "",
        "again_at": "",
        "gives_up_at": "",
        "may_be_skipped": True,
    }
    assert not shown["landed"]["may_be_skipped"]
    assert "g0/d0/final" not in shown, "it is done"
    assert "\x1b" not in cli.done("run", "show", "W01", "--all").out
    before = cli.stored()
    skip = ("run", "skip", "W01", "g0/v1/probe")
    refused(cli(*skip), 2, "without a reason")
    refused(cli("run", "skip", "W01", "landed", "--reason", "x"), 3, "cannot do without")
    refused(cli("run", "skip", "W01", "g0/v0/fence", "--reason", "x"), 3, "changes a VM for good")
    refused(cli("run", "skip", "W01", "commit", "--reason", "x"), 3, "is a gate")
    refused(cli("run", "skip", "W01", "g9", "--reason", "x"), 2, "not in the runbook")
    dry = cli.done(*skip, "--reason", "no tools")
    assert "without it goes on: W01: all VMs run at the target" in dry.err
    assert cli.stored() == before
    cli.done(*skip, "--reason", "no tools", "--live", "--confirm", "W01")
    assert f"passed over by {person()}: no tools" in cli.done("run", "show", "W01").out
    assert f"probe: passed over by {person()}: no tools" in cli.done("gate", "list", "W01").out
    going = cli.done("run", "resume", "W01", "--json").document
    assert (going["verb"], going["live"], [step["id"] for step in going["steps"]]) == (
        "cutover",
        False,
        ["landed"],
    )
    refused(cli("run", "retry", "W01"), 3, "no step of W01 failed")
