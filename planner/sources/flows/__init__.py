"""Readers of evidence: flow exports and application lists, streamed, one layout each.

    file ──text──▶ lines ──layouts──▶ kind and columns ──▶ tally of conversations, or facts

A row that cannot be used is refused by its number and the rest is read; a file without one usable
row is refused whole. Memory is bound by the number of distinct conversations, not by the file.
"""
