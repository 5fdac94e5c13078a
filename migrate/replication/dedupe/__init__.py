"""Dedupe at the receiver: what another replica holds already does not travel again."""
