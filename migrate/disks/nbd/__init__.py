"""Disks behind an NBD server: a small client of our own."""
