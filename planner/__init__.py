"""Knows and decides: the estate's nouns, sources, checks, groups, waves and the plan."""

__version__ = "0.1.0"
