"""What a mover says of a task that ends in an error, its own faults too."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from migrate.movers import process
from migrate.movers.process import Mover
from migrate.movers.task import Ends, Manner, Task, load_error
from migrate.replication.passes import Mode
from migrate.transfers.ports import Wanted
from planner.errors import NoSpace, StepFailed, Unreachable, WherryError

TASK = Task(Ends("/a", "/b"), Manner(1, 1 << 20), 7, Wanted("v", 1, Mode.SEED, "p"))


def answered(monkeypatch: pytest.MonkeyPatch, error: Exception) -> WherryError:
    def carry(*_: Any) -> dict[str, Any]:
        raise error

    monkeypatch.setattr(process, "carry", carry)
    sink = io.BytesIO()
    mover = Mover(io.BytesIO(), sink)
    mover._tell(mover._done(TASK))
    (told,) = map(json.loads, sink.getvalue().splitlines())
    return load_error(told["error"])


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (Unreachable("gone", "wait"), Unreachable),
        (OSError(28, "No space left on device"), NoSpace),
        (OSError(5, "Input/output error"), StepFailed),
        (TypeError("no str"), StepFailed),
    ],
)
def test_a_person_is_asked_where_trying_again_is_no_use(
    monkeypatch: pytest.MonkeyPatch, error: Exception, kind: type[WherryError]
) -> None:
    said = answered(monkeypatch, error)
    assert type(said) is kind
    assert said.retryable == (kind is Unreachable)
