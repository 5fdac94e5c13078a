"""The project's own authority: who a peer on the wire is, and what it may do."""
