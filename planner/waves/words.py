"""What people call environments, criticalities and resources, and the few words the planner counts with."""

from __future__ import annotations

from collections.abc import Sequence

# The first word of each line stands for the others.
_ENVIRONMENTS = (
    ("dev", "development", "develop", "sandbox", "sbx", "lab"),
    ("test", "tst", "qa", "integration", "int", "sit", "quality"),
    ("uat", "acceptance", "acc", "staging", "stage", "stg", "preprod", "pre-prod", "preproduction"),
    ("prod", "production", "prd", "live", "productive"),
)
_ONE_WORD = {word: line[0] for line in _ENVIRONMENTS for word in line}
_CRITICAL = (
    (1.0, ("mission critical", "mission-critical", "critical", "very high", "platinum", "tier 0", "0", "1")),
    (0.75, ("high", "business critical", "business-critical", "gold", "tier 1", "2")),
    (0.5, ("medium", "moderate", "normal", "important", "silver", "tier 2", "3")),
    (0.25, ("low", "minor", "non-critical", "bronze", "tier 3", "4", "5")),
)
_UNKNOWN = 0.5
_SHARE = {word: share for share, words in _CRITICAL for word in words}


_RESOURCES = {
    "vms": "VMs",
    "size_bytes": "bytes",
    "tib": "TiB",
    "cutovers": "cutovers",
    "engineer_h": "engineer hours",
    "engineer_hours": "engineer hours",
}


def resource(name: str) -> str:
    """Return what people call a resource of the score card: ``bytes`` for ``size_bytes``."""
    return _RESOURCES.get(name, name)


def environment(said: str) -> str:
    """Return the one word for an environment: ``prod`` for ``Production``; others in lower case."""
    word = said.strip().casefold()
    return _ONE_WORD.get(word, word)


def rank(said: str, order: Sequence[str]) -> int | None:
    """Return the place of an environment in an order of environments, None when it has none."""
    word = environment(said)
    return next((at for at, name in enumerate(order) if environment(name) == word), None) if word else None


def criticality(said: str) -> float:
    """Return how critical something is, 0 to 1; in the middle when nobody said or the word is not known."""
    return _SHARE.get(said.strip().casefold(), _UNKNOWN)
