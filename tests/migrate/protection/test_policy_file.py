"""Policies as people write them: what is read, and what is refused by file and entry."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrate.protection.policy import Member, Policy
from migrate.protection.policy_file import read_policy
from planner.errors import BadInput
from tests.migrate.protection.scene import APPLICATION, CRASH, FILESYSTEM, script

WHOLE = """
group = "crm"
consistency = "application"
every = "1h"
freeze_limit = "5s"
hook_limit = "2m"
required = true

[[member]]
name = "db"
agent = "run/db.sock"
before = ["./hold", "--for", "crm; $(id)"]
check = ["./hold", "--look"]
after = ["./hold", "--end"]

[[member]]
name = "win"
disks = ["win/0", "win/1"]
agent = "/run/win.sock"
worth = "application"
"""
HEAD = 'group = "g"\nconsistency = "filesystem"\n'
MEMBER = '[[member]]\nname = "a"\n'


def write(folder: Path, text: str) -> Path:
    script(folder, "hold", "exit 0")
    path = folder / "p.toml"
    path.write_text(text, "utf-8")
    path.chmod(0o600)
    return path


def test_a_whole_policy_is_read_and_travels_as_it_is(tmp_path: Path) -> None:
    policy = read_policy(write(tmp_path, WHOLE))
    hold = str(tmp_path / "hold")
    assert policy == Policy(
        "crm",
        APPLICATION,
        (
            Member(
                "db", APPLICATION, str(tmp_path / "run/db.sock"),
                (hold, "--for", "crm; $(id)"), (hold, "--look"), (hold, "--end"),
            ),
            Member("win", APPLICATION, "/run/win.sock", disks=("win/0", "win/1")),
        ),
        3600.0, 5.0, 120.0, True,
    )  # fmt: skip
    assert Policy.load(policy.dump()) == policy


def test_what_is_not_said_has_a_usual_value(tmp_path: Path) -> None:
    text = (
        HEAD
        + MEMBER
        + 'agent = "a.sock"\n[[member]]\nname = "b"\nbefore = ["true"]\nafter = ["true"]\n'
        + '[[member]]\nname = "c"\n'
    )
    policy = read_policy(write(tmp_path, text))
    assert [member.worth for member in policy.members] == [FILESYSTEM, APPLICATION, CRASH]
    assert (policy.every_s, policy.freeze_limit_s, policy.hook_limit_s, policy.required) == (
        900,
        10,
        60,
        False,
    )
    assert policy.members[1].before[0].startswith("/")


BOTH = "after = ['true']\n"
REFUSED = [
    ("group = ", "is not valid TOML: Invalid value"),
    ('group = "g"\n' + MEMBER, "is wrong at consistency: it is missing"),
    (HEAD.replace("filesystem", "perfect") + MEMBER, "it must be crash, filesystem or application"),
    (HEAD, "is wrong at member: it is missing"),
    (HEAD + "member = []\n", "is wrong at member"),
    (HEAD + "[member]\nname = 'a'\n", "is wrong at member: it must be a list"),
    (HEAD + "evry = '1m'\n" + MEMBER, "is wrong at evry: there is no such entry"),
    (HEAD + "every = 15\n" + MEMBER, "every: it must be a duration like 90s or 15m, in quotes"),
    (HEAD + "every = 'soon'\n" + MEMBER, "every: 'soon' is not a duration"),
    (HEAD + "every = '0s'\n" + MEMBER, "every: it must be from 1.0 s to 31 d"),
    (HEAD + "freeze_limit = '10m'\n" + MEMBER, "freeze_limit: it must be from 0.1 s to 5 m"),
    (HEAD + "hook_limit = '999999999999d'\n" + MEMBER, "hook_limit: it must be from"),
    (HEAD + "required = 'yes'\n" + MEMBER, "required: it must be true or false"),
    (HEAD + MEMBER + "before = 'systemctl stop db'\n" + BOTH, "member 1: before: it must be a list"),
    (HEAD + MEMBER + "before = []\n" + BOTH, "member 1: before: it must be a list of arguments"),
    (HEAD + MEMBER + "before = ['true', 3]\n" + BOTH, "member 1: before 2: it must be text"),
    (HEAD + MEMBER + 'before = ["true", "\\u0000"]\nafter = ["true"]\n', "it must be a list of arguments"),
    (HEAD + MEMBER + "before = ['true']\n", "member 1 (a) has before and no after"),
    (HEAD + MEMBER + BOTH, "member 1 (a) has after and no before"),
    (HEAD + MEMBER + "check = ['true']\n", "member 1 (a) has check and no before"),
    (HEAD + MEMBER + "before = ['no-such-command-here']\n" + BOTH, "no-such-command-here, which"),
    (HEAD + MEMBER + "before = ['./p.toml']\n" + BOTH, "before names ./p.toml, which cannot be run"),
    (HEAD + MEMBER + "worth = 'application'\n", "is worth application and held by nothing"),
    (HEAD + MEMBER + "agent = ''\n", "agent: it must not be empty"),
    (HEAD + MEMBER + MEMBER, "names the member a twice"),
    (HEAD + MEMBER + "agent='x/../s'\n[[member]]\nname='b'\nagent='s'\n", "a and b have one agent"),
    (HEAD + MEMBER + "disks=['d']\n[[member]]\nname='b'\ndisks=['d']\n", "a and b have one disk, d"),
    (HEAD + MEMBER + "disks = []\n", "member 1: disks"),
    ("required = true\n" + HEAD + MEMBER, "requires filesystem, and a can reach crash at most"),
    (HEAD + '[[member]]\nname = "a\\u001b[31m\\u202e"\n' + BOTH, "member 1 (a␛[31m<U+202E>) has after"),
    (HEAD + '"a\\u001b[31m" = 1\n' + MEMBER, "is wrong at a␛[31m: there is no such entry"),
    ("a = " + "[" * 5000, "is not valid TOML"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "why"), REFUSED)
def test_what_is_wrong_is_refused_by_file_and_entry(tmp_path: Path, text: str, why: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(BadInput) as refused:
        read_policy(path)
    assert refused.value.message.startswith(str(path))
    assert why in refused.value.message
    assert "\n" not in refused.value.message
    assert refused.value.hint


def test_a_policy_that_others_can_change_is_not_followed(tmp_path: Path) -> None:
    path = write(tmp_path, WHOLE)
    for mode in (0o620, 0o602):
        path.chmod(mode)
        with pytest.raises(BadInput, match="can be changed by other users"):
            read_policy(path)
    path.chmod(0o644)
    assert read_policy(path).group == "crm"


def test_what_cannot_be_read_says_so(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read: No such file"):
        read_policy(tmp_path / "none.toml")
    path = write(tmp_path, "")
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(BadInput, match="not UTF-8"):
        read_policy(path)
    path.write_bytes(b"# " + b"x" * 1024 * 1024)
    with pytest.raises(BadInput, match="larger than a policy can be"):
        read_policy(path)
