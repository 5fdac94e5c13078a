"""wherry deps refuse VM --of vapp:NAME: a VM leaves its vApp in one word, remembered like any other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.tui.cli.command import Wherry, refused
from tests.tui.cli.estate import disk, vm, write

_HOSTILE = "sh\x1b[2Jop [b]"


@pytest.fixture
def vapp(planned: Wherry, tmp_path: Path) -> Wherry:
    """Return a project with a vApp of five, two of which share a disk, and one of the same name elsewhere."""
    shared: dict[str, Any] = disk("q", 0, 2, multi_writer=True)
    vms = [
        *(vm(f"v{at}", f"web-{at}", "", [], vapp=_HOSTILE) for at in range(3)),
        vm("v3", "q-1", "", [shared], vapp=_HOSTILE),
        vm("v4", "q-2", "", [shared], vapp=_HOSTILE),
        vm("v5", "far", "", [], vapp=_HOSTILE, vcenter="vc2"),
        vm("v6", "free", "", []),
        vm("v7", "lonely", "", [], vapp="alone"),
    ]
    planned.done("discover", str(write(tmp_path / "vapp.json", vms=vms, dependencies=[])))
    return planned


def sizes(cli: Wherry) -> list[int]:
    return sorted(len(group["vms"]) for group in cli.done("deps", "--json").document)


def test_one_word_takes_it_out_and_nothing_else_of_the_vapp_parts(vapp: Wherry) -> None:
    assert sizes(vapp) == [1, 1, 1, 5]
    ran = vapp.done("deps", "refuse", "web-1", "--of", f"vapp:{_HOSTILE.upper()}", "--why", "only a folder")
    assert "web-1 moves without the 4 other VMs of vApp sh␛[2Jop [b]" in ran.out
    assert "\x1b" not in ran.text
    assert sizes(vapp) == [1, 1, 1, 1, 4]
    decided = vapp.done("deps", "list", "refused", "--json").document
    assert {tie["decided"].rpartition(": ")[2] for tie in decided} <= {"only a folder"}
    log = json.dumps(vapp.done("log", "--json").document)
    assert log.count("deps refuse") == 1
    assert all(vm in log for vm in ("v0", "v1", "v2", "v3", "v4"))


def test_it_is_taken_back_tie_by_tie(vapp: Wherry) -> None:
    vapp.done("deps", "refuse", "web-1", "--of", f"vapp:{_HOSTILE}")
    vapp.done("deps", "forget", "web-1", "web-0")
    assert sizes(vapp) == [1, 1, 1, 5]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("web-1",), 2, "a tie has two ends"),
        (("web-1", "web-2", "--of", "vapp:x"), 2, "a tie has two ends"),
        (("web-1", "--of", "vapp:x", "--port", "1"), 2, "a tie has two ends"),
        (("web-1", "--of", "shop"), 2, "which is no vApp"),
        (("web-1", "--of", "vapp:"), 2, "which is no vApp"),
        (("web-1", "--of", "vapp:\x1bx"), 2, "web-1 is not in vApp ␛x"),
        (("free", "--of", "vapp:shop"), 2, "it is in none"),
        (("nobody", "--of", "vapp:shop"), 2, "nobody"),
        (("lonely", "--of", "vapp:alone"), 2, "is alone in its vApp"),
        (("q-1", "--of", f"vapp:{_HOSTILE}"), 2, "cannot leave its vApp by a word"),
        (("web-1", "--of", f"vapp:{_HOSTILE}", "--why", "x" * 501), 2, "more than 500 characters"),
    ],
)
def test_what_cannot_be_is_one_sentence_and_nothing_is_stored(
    vapp: Wherry, words: tuple[str, ...], code: int, said: str
) -> None:
    before = vapp.stored()
    refused(vapp("deps", "refuse", *words), code, said)
    assert vapp.stored() == before
