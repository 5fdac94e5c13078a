"""What comes back from people's own tools: the plan's tables, edited."""
