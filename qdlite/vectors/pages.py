"""Where does the memory of large matrices come from? From the system in pages of their own, where it can be had so.

Such memory grows by being mapped anew, not copied, and the system clears a page when it is first touched: so growing
costs nothing, and touching can be done ahead, beside those who read, without the interpreter.
"""

from __future__ import annotations

import ctypes
import mmap
import sys
from functools import cache
from typing import Any, NamedTuple

_MAY_MOVE = 1
_POPULATE_WRITE = 23
"""Linux's MREMAP_MAYMOVE, and MADV_POPULATE_WRITE (since 5.14; before that pages are cleared as they are written)."""


class Pages:
    """Zeroed bytes, an array to numpy (`__array_interface__`), which keeps them for as long as a view is in use; but
    no view may be in use when they are resized."""

    def __init__(self, nbytes: int) -> None:
        """Raises MemoryError."""
        self._system = _required(system())
        self.nbytes = _whole(nbytes)
        self._address = _succeeded(self._system.map(None, self.nbytes, *_PRIVATE))

    def resize(self, nbytes: int) -> None:
        """More bytes; those that there are stay. Raises MemoryError; nothing is changed then."""
        larger = _whole(nbytes)
        self._address = _succeeded(self._system.remap(self._address, self.nbytes, larger, _MAY_MOVE))
        self.nbytes = larger

    def touch(self, start: int, stop: int) -> None:
        """Have the system clear the pages of these bytes now; what is written there stays. Others run Python meanwhile,
        and may read and write."""
        start, stop = start // mmap.PAGESIZE * mmap.PAGESIZE, min(_whole(stop), self.nbytes)
        if start < stop:
            self._system.advise(self._address + start, stop - start, _POPULATE_WRITE)

    @property
    def __array_interface__(self) -> dict[str, Any]:
        return {"version": 3, "typestr": "|u1", "shape": (self.nbytes,), "data": (self._address, False)}

    def __del__(self) -> None:
        if hasattr(self, "_address"):
            self._system.unmap(self._address, self.nbytes)


class _System(NamedTuple):
    """The system's calls."""

    map: Any
    remap: Any
    advise: Any
    unmap: Any


@cache
def system() -> _System | None:
    """None where memory cannot be remapped: `Pages` are not to be had then."""
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None)
    place, size, number = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
    calls = _System(library.mmap, library.mremap, library.madvise, library.munmap)
    calls.map.argtypes, calls.map.restype = (place, size, number, number, number, ctypes.c_long), place
    calls.remap.argtypes, calls.remap.restype = (place, size, size, number), place
    calls.advise.argtypes, calls.unmap.argtypes = (place, size, number), (place, size)
    return calls


_PRIVATE = (
    (mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0)
    if sys.platform == "linux"
    else (0, 0, -1, 0)
)
_FAILED = ctypes.c_void_p(-1).value


def _required(calls: _System | None) -> _System:
    assert calls is not None
    return calls


def _succeeded(address: int | None) -> int:
    if address is None or address == _FAILED:
        raise MemoryError("the system has no memory for more rows")
    return address


def _whole(nbytes: int) -> int:
    """So many bytes in whole pages."""
    return -(-nbytes // mmap.PAGESIZE) * mmap.PAGESIZE
