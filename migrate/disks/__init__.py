"""Block devices behind one small protocol."""
