"""How the bytes of a vCenter's disks are reached."""
