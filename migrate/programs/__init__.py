"""Programs of other people that a run starts: bounded in time and words, and at most once where it counts."""
