"""Notices: people are told of what waits for them and of what has ended, by webhook and e-mail."""
