"""Probes: what a VM that was started is asked before the next one starts; they read and change nothing."""
