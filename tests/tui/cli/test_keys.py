"""wherry keys: the whole life of a bundle, its trace in the log, and nothing private anywhere."""

from __future__ import annotations

from pathlib import Path

from tests.tui.cli.command import Wherry, wherry


def test_the_life_of_a_bundle(tmp_path: Path) -> None:
    run = Wherry(tmp_path / "p")
    assert wherry("init", str(run.root)).code == 0
    file = tmp_path / "dc1.pem"
    issue = ("keys", "issue", str(file), "--site", "dc1\u202e", "--role", "sender", "--groups", "crm, erp")
    early = run(*issue)
    assert early.code == 2
    assert "wherry keys init" in early.err
    said = [run.done("keys", "init")]
    assert run("keys", "init").code == 2
    said.append(run.done(*issue, "--json"))
    given = said[-1].document
    assert (given["role"], given["groups"], given["revoked_at"]) == ("sender", ["crm", "erp"], None)
    assert run(*issue).code == 2
    empty = run("keys", "issue", str(tmp_path / "e"), "--site", "a", "--role", "sender", "--groups", ",")
    assert empty.code == 2
    assert not (tmp_path / "e").exists()
    assert wherry("keys", "check", str(file), "--json").document["serial"] == given["serial"]
    said += [wherry("keys", "check", str(file)), run.done("keys", "list")]
    assert "valid" in said[-1].out
    said.append(run.done("keys", "revoke", given["serial"]))
    assert run("keys", "revoke", given["serial"]).code == 2
    said += [run.done("keys", "list"), run.done("keys", "list", "--json"), run.done("log", "--json")]
    assert "revoked 2" in said[-3].out
    assert said[-2].document[0]["revoked_at"]
    assert [line["act"] for line in said[-1].document["lines"] if line["act"].startswith("keys")] in (
        ["keys init", "keys issue", "keys revoke"],
        ["keys revoke", "keys issue", "keys init"],
    )
    private = file.read_text("ascii").splitlines()[1]
    authority = (run.root / "keys" / "authority.pem").read_text("ascii").splitlines()[1]
    for ran in said:
        assert private not in ran.text
        assert authority not in ran.text
        assert "PRIVATE" not in ran.text
    read_by_people = [ran for ran in said if not ran.out.startswith(("{", "["))]
    assert len(read_by_people) > 3
    assert all("\u202e" not in ran.text for ran in read_by_people)
    assert not any(private in row for row in run.stored())


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x\x1b[2J").write_text("", "ascii")
    (tmp_path / "x\x1b[2J").chmod(0o644)
    ran = wherry("keys", "check", str(tmp_path / "x\x1b[2J"))
    assert ran.code == 2
    assert "\x1b" not in ran.text
