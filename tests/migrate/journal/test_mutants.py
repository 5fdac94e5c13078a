"""Negative controls: every journal that breaks one rule is noticed, and the one that breaks none is not."""

from __future__ import annotations

import pytest

from tests.migrate.journal.crashes import noticed
from tests.migrate.journal.model import World
from tests.migrate.journal.mutants import APPENDING, LOOKING, MERGING, MUTANTS, PROMOTING, ROTATING


@pytest.mark.parametrize("name", MUTANTS)
def test_a_journal_that_breaks_a_rule_is_noticed(name: str) -> None:
    found = noticed(*MUTANTS[name])
    print(f"{name}: {found}")
    assert found


@pytest.mark.parametrize("history", [PROMOTING, LOOKING, ROTATING, MERGING, APPENDING])
def test_the_journal_itself_goes_unnoticed(history: tuple[str, ...]) -> None:
    assert noticed(World, history, states=1) == ""
