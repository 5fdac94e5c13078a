"""Synthetic estates that several tests look at; each is made once."""

from __future__ import annotations

from functools import cache

from planner.synth.estate import Estate, make_estate
from planner.synth.recipe import Recipe


@cache
def estate(vms: int = 400, seed: int = 7, trouble: float = 1.0) -> Estate:
    """Return the estate of a recipe."""
    return make_estate(Recipe(vms, seed, trouble))
