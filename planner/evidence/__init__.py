"""Evidence: what was imported beside the inventory, and what follows from it.

    conversations, facts, settled names ──resolve──▶ VMs ──compose──▶ inventory with ties and facts

Nothing here reads files or stores; the same evidence on the same snapshot gives the same inventory.
"""
