"""Pseudonyms for a whole estate: nothing that identifies is left, and the estate still holds together.

    inventory ─▶ fields: what each text is ─▶ mask: recognise, map by a key ─▶ inventory, flow files

Equal words become equal words and equal networks equal networks, so that groups, shared disks and
duplicates survive. Without the key nothing leads back.
"""
