"""A vCenter as a site."""
