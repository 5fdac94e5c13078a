"""Checks of devices that resist a move: passthrough, USB, serial ports, TPM, floppies."""

from __future__ import annotations

from planner.checks.check import Rule

RULES: list[Rule] = []
