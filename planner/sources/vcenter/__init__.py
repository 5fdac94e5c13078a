"""The live vCenter as a source: session, collector, mapping, refresh. It reads and never writes."""
