"""Movers: processes that carry the bytes of a run, one task after the other, for whoever drives it."""
