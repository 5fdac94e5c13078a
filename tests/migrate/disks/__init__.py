"""Tests of migrate.disks."""
