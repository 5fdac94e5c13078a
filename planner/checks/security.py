"""Checks of what ties a VM to keys and to the hardware: encryption, TPM, secure boot, VBS."""

from __future__ import annotations

from planner.checks.check import Rule

RULES: list[Rule] = []
