"""The calendar of a project: waves that begin by themselves, at a time a person said."""
