"""What in a run went another way than planned; ``register`` has all kinds."""
