"""The published page of settings is what the settings say, and its examples are settings."""

from __future__ import annotations

import re
import tomllib

import pytest
from pydantic import BaseModel

from planner.settings import Settings
from planner.settings_reference import EXAMPLES, PAGE, page

FIELDS = Settings.model_fields


def test_the_page_is_what_the_settings_say() -> None:
    assert PAGE.read_text("utf-8") == page(), "run python -m planner.settings_reference"


def test_every_entry_has_a_block_with_what_it_is_and_an_example() -> None:
    text = page()
    assert set(EXAMPLES) == set(FIELDS)
    for name in FIELDS:
        (block,) = re.findall(rf"\n## {name}\n\n(.*?)```toml\n", text, re.DOTALL)
        assert len(block.split()[0]) > 0
        assert block[0].isupper(), name
        part = getattr(Settings(), name)
        for field in type(part).model_fields if isinstance(part, BaseModel) else ():
            assert f"\n| `{field}` |" in block, f"{name}.{field}"


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_an_example_is_valid_and_says_something(name: str) -> None:
    body = tomllib.loads(EXAMPLES[name])
    assert set(body) == {name}
    settings = Settings.model_validate(body)
    assert getattr(settings, name) != getattr(Settings(), name)


def test_all_examples_can_stand_in_one_document() -> None:
    """Plain values first, as TOML asks for it."""
    ordered = sorted(EXAMPLES.values(), key=lambda text: text.startswith("["))
    settings = Settings.model_validate(tomllib.loads("".join(ordered)))
    assert {name for name in FIELDS if getattr(settings, name) == getattr(Settings(), name)} == set()
    assert settings.pins


def test_limits_and_defaults_stand_in_the_tables() -> None:
    text = page()
    for line in (
        "| `vms` | whole number, from 1 | `50` | VMs per wave: a team's usual weekend is 30 to 50 |",
        "| `share` | number, above 0 up to 1 | `0.7` | part of the line that migration may use |",
        "| `first` | whole number, from 0 up to 23 | must be said | the hour it begins |",
        "| `role` | one of `source`, `target` | must be said |  |",
    ):
        assert line in text, line
