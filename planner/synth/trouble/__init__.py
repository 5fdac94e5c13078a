"""What is wrong with an estate on purpose, one family of checks a file.

A plant says how often, on whom and what; ``plants.plant`` picks the VMs and keeps the ground truth.
"""
