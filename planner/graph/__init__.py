"""The dependency graph of an estate: typed edges with reason, evidence, weight and people's decisions.

    storage, platform, dependencies ──▶ edges ──▶ closure (planner.groups), cuts, order cycles
    decisions of people ──┘              └──▶ hubs

Lists of edges are what everything runs on; ``typed`` makes a networkx graph of it all when asked.
"""

from planner.graph.edge import Edge
from planner.graph.edges import edges, refused_edges, unknown_ends
from planner.graph.hubs import Hub, hubs, shared_services
from planner.graph.storage import describe

__all__ = [
    "Edge",
    "Hub",
    "describe",
    "edges",
    "hubs",
    "refused_edges",
    "shared_services",
    "unknown_ends",
]
