"""The Markdown paper of a very large plan: an overview, the first runbooks, and how to get the others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planner.export import markdown
from planner.export.formats import FORMATS, of_waves
from planner.export.printout import Printout
from tests.planner.sketch import estate, plan, vm


@pytest.fixture(scope="module")
def printout() -> Printout:
    inventory = estate(*(vm(f"web-{at:02d}") for at in range(12)))
    return Printout(plan(inventory, caps={"vms": 3}), inventory)


def books(paper: bytes) -> list[str]:
    return [line.split()[1].rstrip(":") for line in paper.decode().splitlines() if line.startswith("## W0")]


def test_a_plan_of_usual_size_holds_every_runbook(printout: Printout) -> None:
    paper = markdown.render(printout)
    assert books(paper) == ["W01", "W02", "W03", "W04"]
    assert b"## Runbooks" not in paper


def test_a_very_large_one_holds_the_first_and_says_how_to_get_the_others(
    printout: Printout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(markdown, "_WHOLE", 11)
    monkeypatch.setattr(markdown, "_RUNBOOKS", 7)
    paper = markdown.render(printout)
    assert books(paper) == ["W01", "W02"]
    assert "The other 2 are written one by one, with `wherry export markdown --wave W03`." in paper.decode()
    monkeypatch.setattr(markdown, "_RUNBOOKS", 1)
    assert books(markdown.render(printout)) == ["W01"]


def test_some_waves_alone_are_their_runbooks_as_they_stand_in_the_paper(printout: Printout) -> None:
    alone = replace(printout, plan=of_waves(printout.plan, ["w03"]))
    paper = FORMATS["markdown"].render(alone, some=True).decode()
    assert books(paper.encode()) == ["W03"]
    assert "# Migration plan" not in paper
    assert paper.removeprefix("# Runbooks: test\n\n").rstrip("\n") in markdown.render(printout).decode()
