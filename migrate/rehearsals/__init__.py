"""Rehearsals: faults on the twin, the calls that a run would make, booted copies, and their history."""
