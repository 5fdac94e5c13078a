"""Checks of names and identities: what must be unique, and what other programs cannot digest."""

from __future__ import annotations

from planner.checks.check import Rule

RULES: list[Rule] = []
