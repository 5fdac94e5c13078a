"""Protection policies: bringing all guests of a group to a consistent point for the instant of a checkpoint."""
