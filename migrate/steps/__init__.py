"""The kinds of steps, one a file, each with its plan, act, verify and undo."""
