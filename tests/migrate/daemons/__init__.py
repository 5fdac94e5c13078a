"""Tests of migrate.daemons."""
