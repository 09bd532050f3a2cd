"""A large object for the processes that this one starts: packed once, and read by each when it is ready for it."""

from __future__ import annotations

import gc
import mmap
import os
import pickle
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.reduction import DupFd
from tempfile import TemporaryFile
from typing import Any, Generic, Self, TypeVar

Content = TypeVar("Content")


class PackedObject(Generic[Content]):
    """Holds it in memory that a started process has in common with this one.

    Through the pipe of its start it would be packed anew for each process, and the next one would start only when the
    last one has imported everything and has read it.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def of(cls, content: Content) -> Self:
        """Pack an object, as it is now."""
        packed = pickle.dumps(content, pickle.HIGHEST_PROTOCOL)
        descriptor = _open()
        with os.fdopen(descriptor, "wb", closefd=False) as memory:
            memory.write(packed)
        return cls(descriptor)

    def unpack(self) -> Content:
        """Return a copy of the object."""
        # Thousands of shops are a million objects, none of them garbage.
        collects = gc.isenabled()
        gc.disable()
        try:
            with mmap.mmap(self._descriptor, 0, access=mmap.ACCESS_READ) as memory:
                content: Content = pickle.loads(memory)  # noqa: S301 - packed by the process that has started this one
        finally:
            if collects:
                gc.enable()
        return content

    def __reduce__(self) -> tuple[Callable[..., PackedObject[Any]], tuple[Any]]:
        return _receive, (DupFd(self._descriptor),)

    def __del__(self) -> None:
        with suppress(OSError):
            os.close(self._descriptor)


def _receive(descriptor: Any) -> PackedObject[Any]:
    return PackedObject(descriptor.detach())


def _open() -> int:
    """Return a file without a name; where the system has that, in memory only, for it may hold secrets."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("tenants")
    with TemporaryFile() as file:
        return os.dup(file.fileno())
