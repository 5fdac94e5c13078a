"""Tests of migrate.protection."""
