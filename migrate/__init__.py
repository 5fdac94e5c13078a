"""Acts and remembers: sites, disks, replication, runbooks and the record of every step."""
