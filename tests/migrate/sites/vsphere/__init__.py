"""The vSphere site against simulated vCenters."""
