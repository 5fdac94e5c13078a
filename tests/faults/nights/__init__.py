"""A wave's night on made-up sites, clock and network: real steps, driver, sender and receiver, one baton."""
