"""The phases of a run as people speak of them, and which of them each step belongs to."""

from __future__ import annotations

from migrate.run.ahead_steps import is_ahead
from migrate.run.runbook import Phase, Step

SEED, DELTAS, CHECKPOINT, GO_GATE, CUTOVER = "seed", "deltas", "checkpoint", "wait for go", "cutover"
WINDOW, COMMITTING, BACK = "commit window", "commit", "way back"
FINAL = "final delta"
OF_CUTOVER = ("prepare", "stop", FINAL, "verify", "build", "start", "probes", "hooks")
_OF_KIND = {
    "fold": "prepare",
    "quiesce": "prepare",
    "stop": "stop",
    "transfer": FINAL,
    "promote": FINAL,
    "verify": "verify",
    "build": "build",
    "unfence": "build",
    "readdress": "build",
    "mark": "build",
    "rules": "build",
    "start": "start",
    "probe": "probes",
    "landed": "probes",
    "hook": "hooks",
}


def phase_of(step: Step) -> str:
    """Return the phase that a step belongs to, empty for none."""
    if step.phase is Phase.REPLICATE:
        if step.kind == "checkpoint":
            return CHECKPOINT
        if step.kind == "transfer":
            return SEED if step.id.endswith("/seed") or is_ahead(step) else DELTAS
        return ""
    if step.phase is Phase.COMMIT:
        return COMMITTING if step.kind in ("fence", "hook") else ""
    return "prepare" if is_ahead(step) else _OF_KIND.get(step.kind, "")
