"""The other end of NBD: disks of ours that any client of the protocol can use."""
