"""Candidate applications: which VMs look as if they belonged together, offered and never assumed.

    labels (known, tags, attributes) ─▶ names ─▶ who talks to whom, on which ports ─▶ suggestions

Each suggestion has a confidence and its reasons; accepted ones become facts, as application lists do.
"""
