"""Transports against simulated vCenters, real nbdkit and files that stand in for block devices."""
