"""An order in which blocks are placed: those that talk to each other follow one another.

Communities of the traffic graph come in the order of their attraction to what came before, and within
one the blocks likewise. Blocks that must be ahead of others by order are put before them.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush

from planner.waves.condense import Model

Weights = list[dict[int, float]]


def by_attraction(weights: Weights, sizes: list[float]) -> list[int]:
    """Return all nodes: the heaviest first, then again and again the one most drawn to those returned."""
    pull = [0.0] * len(weights)
    heap = [(0.0, -size, node) for node, size in enumerate(sizes)]
    heapify(heap)
    done = [False] * len(weights)
    order = []
    while heap:
        drawn, _, node = heappop(heap)
        if done[node] or -drawn < pull[node]:
            continue
        done[node] = True
        order.append(node)
        for other, weight in weights[node].items():
            if not done[other]:
                pull[other] += weight
                heappush(heap, (-pull[other], -sizes[other], other))
    return order


def communities(model: Model, seed: int) -> list[list[int]]:
    """Return who talks to whom: communities of blocks, the same for the same seed."""
    import networkx

    graph = networkx.Graph()
    graph.add_nodes_from(range(len(model.members)))
    graph.add_weighted_edges_from(
        (a, b, weight) for a, others in enumerate(model.near) for b, weight in others if a < b
    )
    found = networkx.community.louvain_communities(graph, weight="weight", seed=seed)
    return sorted(sorted(community) for community in found)


def louvain_order(model: Model, seed: int) -> list[int]:
    """Return all blocks in the order in which they are best placed."""
    groups = communities(model, seed)
    home = [0] * len(model.members)
    for number, blocks in enumerate(groups):
        for block in blocks:
            home[block] = number
    between: Weights = [{} for _ in groups]
    within: Weights = [{} for _ in model.members]
    for a, others in enumerate(model.near):
        for b, weight in others:
            if home[a] == home[b]:
                within[a][b] = weight
            else:
                between[home[a]][home[b]] = between[home[a]].get(home[b], 0.0) + weight
    sizes = [sum(model.plain[block][0] for block in blocks) for blocks in groups]
    order: list[int] = []
    for number in by_attraction(between, sizes):
        local = {block: at for at, block in enumerate(groups[number])}
        inner: Weights = [
            {local[other]: weight for other, weight in within[block].items()} for block in groups[number]
        ]
        order += [
            groups[number][at]
            for at in by_attraction(inner, [model.plain[block][0] for block in groups[number]])
        ]
    return ahead_first(model, order)


def ahead_first(model: Model, order: list[int]) -> list[int]:
    """Return ``order`` with every block behind those that must be ahead of it."""
    done = [False] * len(model.members)
    found: list[int] = []
    for block in order:
        stack = [(block, False)]
        while stack:
            at, ready = stack.pop()
            if done[at]:
                continue
            if ready:
                done[at] = True
                found.append(at)
            else:
                stack.append((at, True))
                stack += [(other, False) for other, _ in model.before[at] if not done[other]]
    return found
