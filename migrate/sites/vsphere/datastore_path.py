"""Where a file of a datastore is: ``[datastore] folder/file.vmdk``, taken apart and checked.

Names in it are other people's: a path that climbs out of its datastore is refused here, once.
"""

from __future__ import annotations

from dataclasses import dataclass

from planner.errors import BadInput
from planner.names import visible
from planner.volumes import base_path, datastore_of

_ENDING = ".vmdk"


@dataclass(frozen=True, slots=True)
class DatastorePath:
    """A file of a datastore. ``path`` has at least one part, and none that leads elsewhere."""

    datastore: str
    path: str

    @classmethod
    def parse(cls, text: str) -> DatastorePath:
        """Return what ``[datastore] folder/file`` names; raises BadInput."""
        datastore = datastore_of(text)
        path = text.partition("]")[2].strip()
        parts = path.split("/")
        odd = any(part in {"", ".", ".."} or "\0" in part for part in parts)
        if not datastore or odd or "\0" in datastore:
            raise BadInput(
                f"{visible(text, 200)} is no path of a datastore",
                "write it like [datastore] folder/file.vmdk",
            )
        return cls(datastore, path)

    def __str__(self) -> str:
        return f"[{self.datastore}] {self.path}"

    @property
    def shown(self) -> str:
        """The path, fit for a sentence."""
        return visible(str(self), 200)

    @property
    def folder(self) -> str:
        """The folder within the datastore, empty at its top."""
        return self.path.rpartition("/")[0]

    @property
    def name(self) -> str:
        """The file's own name."""
        return self.path.rpartition("/")[2]

    @property
    def base(self) -> DatastorePath:
        """The disk under a snapshot's delta file; itself where it is none."""
        return DatastorePath(self.datastore, base_path(self.path))

    @property
    def is_delta(self) -> bool:
        """Whether it is what a snapshot made to write beside its disk."""
        return self.base != self

    @property
    def flat(self) -> DatastorePath:
        """The file that holds the bytes of a flat disk of VMFS or NFS whose descriptor this is."""
        return DatastorePath(self.datastore, f"{self.path.removesuffix(_ENDING)}-flat{_ENDING}")
