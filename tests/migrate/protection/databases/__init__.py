"""Real database servers on disks of a tap, held by the policies that docs/protection.md shows."""
