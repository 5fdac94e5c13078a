"""A plan as a file: JSON with fingerprints, the form that is reviewed, signed and read back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from planner.errors import BadInput, PlanTampered
from planner.garbage import uncollected
from planner.plan import SCHEMA, SCHEMA_LEAVING_OUT, Plan


def _indented(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def plan_text(plan: Plan) -> Iterator[str]:
    """Yield the plan file piece by piece: as one body, 100,000 VMs are gigabytes."""
    body = plan.model_copy(update={"waves": ()}).model_dump(mode="json", by_alias=True)
    body["wave_fingerprints"] = {wave.name: wave.fingerprint for wave in plan.waves}
    body["fingerprint"] = plan.fingerprint
    before, waves, after = _indented(body).partition('\n  "waves": [')  # so far to the left there is one
    yield before + waves
    for number, wave in enumerate(plan.waves):
        yield ",\n    " if number else "\n    "
        yield _indented(wave.model_dump(mode="json")).replace("\n", "\n    ")
    yield ("\n  " if plan.waves else "") + after + "\n"


@uncollected()
def dump_plan(plan: Plan) -> str:
    """Return the plan file: the document with its fingerprints, indented."""
    return "".join(plan_text(plan))


def load_plan(path: Path) -> Plan:
    """Read a plan file; raises BadInput, and PlanTampered when its fingerprint is wrong."""
    try:
        body = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}", "check the path") from error
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path} is not a plan file: it holds no JSON", "export it again") from error
    if not isinstance(body, dict) or body.get("schema") not in (SCHEMA, SCHEMA_LEAVING_OUT):
        raise BadInput(
            f"{path} is not a plan file of this version",
            f"it must say schema {SCHEMA} or {SCHEMA_LEAVING_OUT}",
        )
    claimed = body.pop("fingerprint", None)
    body.pop("wave_fingerprints", None)
    try:
        plan = Plan.model_validate(body)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadInput(f"{path} is not a valid plan at {where}: {first['msg']}", "export it again") from error
    if claimed != plan.fingerprint:
        raise PlanTampered(
            f"{path} was changed after it was exported: its fingerprint does not match its content",
            "export the plan again, and change plans with wherry, not by hand",
        )
    return plan
