"""The write journal of a group at its target: what came since its replicas, and the checkpoints in it."""
