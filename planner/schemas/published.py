"""Write the published schemas anew: ``python -m planner.schemas.published``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import BaseModel

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> dict[str, dict[str, Any]]:
    """Return the schema of each document by file name."""
    from planner.checks.custom import OwnRules
    from planner.identity import Identity
    from planner.plan import Plan
    from planner.run_report import RunReport
    from planner.settings import Settings
    from planner.sources.document import Document

    models: dict[str, type[BaseModel]] = {
        "identity": Identity,
        "inventory": Document,
        "plan": Plan,
        "rules": OwnRules,
        "run-report": RunReport,
        "settings": Settings,
    }
    return {
        f"{name}.schema.json": {"$schema": _DRAFT, **model.model_json_schema(by_alias=True)}
        for name, model in models.items()
    }


def text(schema: dict[str, Any]) -> str:
    """Return a schema as it is published."""
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=True) + "\n"


if __name__ == "__main__":
    for file, schema in schemas().items():
        (Path(__file__).parent / file).write_text(text(schema), "utf-8")
