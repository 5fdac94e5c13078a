"""Protection policies: bringing all guests of a group to a consistent point at a checkpoint."""
