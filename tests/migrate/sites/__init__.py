"""Tests of migrate.sites."""
