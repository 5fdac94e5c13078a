"""Gates: who said what, whether that opens them, and what time alone will do."""
