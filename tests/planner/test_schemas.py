from __future__ import annotations

import json
from pathlib import Path

import pytest

import planner.schemas
from planner.plan import Plan
from planner.schemas.published import schemas, text
from planner.settings import Settings

FOLDER = Path(planner.schemas.__file__).parent


@pytest.mark.parametrize("name", sorted(schemas()))
def test_the_published_schema_is_what_the_model_says(name: str) -> None:
    assert (FOLDER / name).read_text("utf-8") == text(schemas()[name])


def test_every_published_file_belongs_to_a_model() -> None:
    assert {path.name for path in FOLDER.glob("*.json")} == set(schemas())


@pytest.mark.parametrize(("name", "model"), [("plan", Plan), ("settings", Settings)])
def test_schemas_forbid_what_they_do_not_name(name: str, model: type) -> None:
    schema = json.loads((FOLDER / f"{name}.schema.json").read_text("utf-8"))
    assert schema["additionalProperties"] is False
    assert schema["title"] == model.__name__
