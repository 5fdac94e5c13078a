"""Whole collections through pyVmomi's property collector, page by page: the tests' own plain reader."""

from __future__ import annotations

from typing import Any


def pages(service: Any, kind: Any, paths: list[str], most: int | None = None) -> list[list[Any]]:
    """Return all objects of a kind as the pages they came in; ``most`` objects were asked for in each."""
    from pyVmomi import vmodl

    query = vmodl.query.PropertyCollector
    content = service.content
    view = content.viewManager.CreateContainerView(content.rootFolder, [kind], True)
    walk = query.TraversalSpec(type=type(view), path="view", skip=False)
    spec = query.FilterSpec(
        objectSet=[query.ObjectSpec(obj=view, skip=True, selectSet=[walk])],
        propSet=[query.PropertySpec(type=kind, pathSet=paths)],
    )
    collector = content.propertyCollector
    answer = collector.RetrievePropertiesEx([spec], query.RetrieveOptions(maxObjects=most))
    came = []
    while answer:
        came.append(list(answer.objects))
        answer = collector.ContinueRetrievePropertiesEx(answer.token) if answer.token else None
    return came


def named(service: Any, kind: Any, *paths: str) -> dict[str, dict[str, Any]]:
    """Return the properties of all objects of a kind by name, the object itself under ``""``."""
    found = {}
    for page in pages(service, kind, ["name", *paths]):
        for item in page:
            values = {item.name: item.val for item in item.propSet}
            found[values["name"]] = {**values, "": item.obj}
    return found


def finished(task: Any) -> Any:
    """Return the result of a task that has ended well; raises its fault."""
    from pyVim.task import WaitForTask

    WaitForTask(task)
    return task.info.result
