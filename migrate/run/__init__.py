"""One run of one wave: what is to be done, what has happened, what comes next, and who drives it."""
