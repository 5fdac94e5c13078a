"""Synthetic estates: invented datacenters of any size, the same for one seed on every machine.

    recipe ─▶ places ─▶ applications ─▶ machines ─▶ shared disks ─▶ trouble ─▶ flows ─▶ files, truth

Every stage draws from a stream of its own, so that a change in one leaves the others as they were.
"""
