"""What a project remembers: ``project.db``, one module a table."""
