"""The tap: a disk served over NBD whose writes are seen, in their order, as they pass.

    guest ── NBD ──▶ front ──▶ backing disk
                       ├────▶ recorder ──▶ stream ──▶ journal at the target
                       └────▶ areas: what may differ from the target, written ahead

Link, target and journal may fail in any way: the guest does not notice, areas remember.
"""
