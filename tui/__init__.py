"""Shows and asks: the command line and the screens. Owns no work."""
