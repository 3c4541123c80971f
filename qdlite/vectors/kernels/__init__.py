"""Which inner loops are there in compiled form, and how are they called?

`hatch_build.py` compiles the C files of this folder into one library when qdlite is installed, if there is a C
compiler. Without it numpy does the same, in more time.
"""

from __future__ import annotations

import ctypes
import os
import weakref
from collections.abc import Callable, Sequence
from functools import cache
from struct import Struct
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from qdlite.lazily import logger
from qdlite.types import BoolArray, Datatype, Distance, FloatArray, Hits, OffsetArray, SparseArray

FOLDER = os.path.dirname(__file__)
LIBRARY = "libkernels.so"

_HEAD_BYTES = 16
_HELD_BYTES = 1 << 20
"""Reading so many bytes of rows takes some ten microseconds."""

_STORED: dict[Datatype, int] = {"float32": 0, "turbo4": 0, "float16": 1, "uint8": 2}
_MEASURES: dict[Distance, int] = {"Dot": 0, "Cosine": 0, "Euclid": 1, "Manhattan": 2}
"""What the kernels call datatypes and distances; cosine is that of normalised rows."""

_ROWS = Struct("PPPnnnnd")

_log = logger(__name__)


class RowsAt(NamedTuple):
    """Where rows are and how they are compared, as the kernels want to be told."""

    packed: bytes
    bytes_compared: int
    """How many bytes of a row are read before most are dropped."""

    @classmethod
    def of(
        cls,
        rows: NDArray[Any],
        datatype: Datatype,
        distance: Distance,
        records: NDArray[np.uint8] | None,
        sketches: NDArray[np.uint8] | None = None,
    ) -> RowsAt:
        """As long as none of the arrays moves. `records` and `sketches`: as `Kernels.encode_rows` makes them."""
        size = rows.shape[1]
        coded, length = (0, 0) if records is None else (address(records), records.shape[1])
        sketched = 0 if sketches is None else address(sketches)
        kind = _STORED[datatype], size, length, _MEASURES[distance], slack(size)
        return cls(_ROWS.pack(address(rows), coded, sketched, *kind), length or rows.strides[0])


class Kernels:
    """The library. It lets other threads run Python meanwhile, but for a few microseconds of work: who gives the
    interpreter lock up may wait long to have it back."""

    def __init__(self, path: str) -> None:
        """Raises OSError if it cannot be loaded."""
        released, held = ctypes.CDLL(path), ctypes.PyDLL(path)
        self.sources: int = ctypes.c_uint32.in_dll(released, "sources_checksum").value
        self._sums = _sums_of(released)
        self._encode = _encode_of(released)
        self.has_sieve = bool(released.has_sieve())
        """Whether sketches of rows are of use."""
        self._nearest = {True: _nearest_of(held), False: _nearest_of(released)}
        self._normalise = _normalise_of(held)
        self._released = _graphs_of(released)

    def largest_sums(
        self, parts: Sequence[bytes], query: SparseArray, limit: int, allowed: BoolArray | None
    ) -> tuple[OffsetArray, FloatArray]:
        """The rows with the largest sums over the posting lists of a query, at most so many (> 0), among those in any
        list and `allowed`, best first, and the sums. `parts`: the addresses of `Postings`."""
        mask = None if allowed is None else np.ascontiguousarray(allowed)
        rows, sums = np.empty(limit, np.intp), np.empty(limit, np.float32)
        found: int = self._sums(
            b"".join(parts),
            len(parts),
            query.indices.astype(np.uint32, copy=False).tobytes(),
            query.values.astype(np.float32, copy=False).tobytes(),
            len(query.indices),
            None if mask is None else address(mask),
            0 if mask is None else len(mask),
            limit,
            address(rows),
            address(sums),
        )
        if found < 0:
            raise MemoryError
        return rows[:found], sums[:found]

    def nodes(self, size: int, m: int, width: int, euclid: bool) -> Nodes:
        """An empty graph."""
        return Nodes(self._released, size, m, width, euclid)

    def encode_rows(
        self, rows: FloatArray, records: NDArray[np.uint8], sketches: NDArray[np.uint8] | None = None
    ) -> None:
        """Fill the records of rows, one byte a component and what that leaves out; and sketches, with half of that."""
        rows = np.ascontiguousarray(rows)
        sketched = None if sketches is None else address(sketches)
        self._encode(address(rows), rows.shape[1], len(rows), records.shape[1], address(records), sketched)

    def normalised(self, row: FloatArray) -> FloatArray | None:
        """A row (d > 0) divided by its length, or itself if that is nearly 0 or 1. None if it is not finite."""
        scaled = _empty(len(row), _SINGLES)
        done: int = self._normalise(row.tobytes(), len(row), _address(_shared(scaled)))
        if done < 0:
            return None
        return scaled if done else row

    def nearest_rows(
        self,
        rows: RowsAt,
        query: FloatArray,
        among: OffsetArray | range,
        allowed: BoolArray | None,
        limit: int,
        compared: ctypes.c_ssize_t | None = None,
    ) -> Hits:
        """The `limit` (> 0) rows that are most similar to a query (float32), of those given, as far as they are
        `allowed`; best first, equal ones by number. `compared` gets the number of rows that were read as they are.
        Raises MemoryError."""
        count = len(among)
        at, first = _place(among, count)
        if limit > count:
            limit = count
        nearest, similarities = _empty(limit, _OFFSETS), _empty(limit, _SINGLES)
        result: int = self._nearest[count * rows.bytes_compared <= _HELD_BYTES](
            rows.packed,
            query.tobytes(),
            at,
            first,
            count,
            None if allowed is None else address(allowed),
            limit,
            _address(_shared(nearest)),
            _address(_shared(similarities)),
            None if compared is None else _address(compared),
        )
        if result < 0:
            raise MemoryError
        found, tied = result >> 1, bool(result & 1)
        if found == limit:
            return Hits(nearest, similarities, tied)
        return Hits(nearest[:found], similarities[:found], tied)


class Nodes:
    """A graph of near neighbours among its own copies of rows, which are numbered as they come. Searches may run side
    by side and beside `link`, but nothing beside `place`."""

    def __init__(self, library: ctypes.CDLL, size: int, m: int, width: int, euclid: bool) -> None:
        """`m` links a node (twice as many on the ground), chosen from `width` candidates. Raises MemoryError."""
        self._library = library
        self._graph: int | None = library.graph_new(size, m, width, euclid, slack(size))
        if not self._graph:
            raise MemoryError
        # Not when the process ends: another thread may still be searching.
        weakref.finalize(self, library.graph_free, self._graph).atexit = False

    def place(self, rows: FloatArray) -> None:
        """Rows that no search meets before they are linked. Raises MemoryError; nothing is changed then."""
        rows = np.ascontiguousarray(rows, np.float32)
        if self._library.graph_place(self._graph, address(rows), len(rows)):
            raise MemoryError

    def link(self, threads: int) -> None:
        """Link the rows that were placed."""
        self._library.graph_link(self._graph, threads)

    def nearest(self, query: FloatArray, count: int) -> OffsetArray:
        """The numbers of about so many of the nearest rows, nearest first. Raises MemoryError."""
        query, found = np.ascontiguousarray(query, np.float32), np.empty(count, np.intp)
        filled: int = self._library.graph_search(self._graph, address(query), count, address(found))
        if filled < 0:
            raise MemoryError
        return found[:filled]

    @property
    def nbytes(self) -> int:
        return int(self._library.graph_bytes(self._graph))


@cache
def installed() -> Kernels | None:
    """What was compiled when qdlite was installed; None if nothing was, or if a source has changed since."""
    path = os.path.join(FOLDER, LIBRARY)
    try:
        found = Kernels(path)
    except OSError as error:
        _log().debug("Searches go without compiled code, which takes two or three times as long: %s", error)
        return None
    sources = sorted(name for name in os.listdir(FOLDER) if name.endswith((".c", ".h")))
    if sources and found.sources != _checksum(sources):
        _log().warning("%s is not of the sources beside it: searches go without (see CONTRIBUTING.md)", path)
        return None
    return found


def _checksum(sources: Sequence[str]) -> int:
    total = 0
    for name in sources:
        with open(os.path.join(FOLDER, name), "rb") as file:
            total = crc32(file.read(), total)
    return total


def slack(size: int) -> float:
    """Relative rounding error of a similarity of so many components in float32, generously."""
    return 4e-6 + size * 2.4e-7


def record_bytes(size: int) -> int:
    """Length of the record of a row of so many components."""
    return _HEAD_BYTES + -(-size // 16) * 16


def sketch_bytes(size: int) -> int:
    """Length of the sketch of a row of so many components."""
    return _HEAD_BYTES + -(-size // 32) * 16


def address(array: NDArray[Any]) -> int:
    """Where the elements of a contiguous array begin."""
    try:
        return ctypes.addressof(_shared(array))  # takes half of the time
    except (TypeError, ValueError):  # it is empty, or not to be written to
        place: int = array.__array_interface__["data"][0]
        return place


def _place(among: OffsetArray | range, count: int) -> tuple[int | bytes | None, int]:
    """Where the numbers of rows are, or which is the first of a run."""
    if isinstance(among, range):
        return None, among.start
    return among.tobytes() if count < _COPIED else address(among), 0


_COPIED = 1000
"""So few numbers are copied in less time than it takes to find out where they are."""

_ADDRESS, _NUMBER = ctypes.c_void_p, ctypes.c_ssize_t
_shared: Callable[[Any], ctypes.c_byte] = ctypes.c_byte.from_buffer
_address = ctypes.addressof
_empty, _OFFSETS, _SINGLES = np.empty, np.dtype(np.intp), np.dtype(np.float32)  # looked up once


def _sums_of(library: ctypes.CDLL) -> Any:
    function = library.largest_sums
    function.argtypes = (
        *(_ADDRESS, _NUMBER, _ADDRESS, _ADDRESS, _NUMBER),
        *(_ADDRESS, _NUMBER, _NUMBER, _ADDRESS, _ADDRESS),
    )
    function.restype = _NUMBER
    return function


def _encode_of(library: ctypes.CDLL) -> Any:
    function = library.encode_rows
    function.argtypes = (_ADDRESS, _NUMBER, _NUMBER, _NUMBER, _ADDRESS, _ADDRESS)
    function.restype = None
    return function


def _normalise_of(library: ctypes.CDLL) -> Any:
    function = library.normalise
    function.argtypes = (_ADDRESS, _NUMBER, _ADDRESS)
    function.restype = _NUMBER
    return function


def _nearest_of(library: ctypes.CDLL) -> Any:
    function = library.nearest_rows
    function.argtypes = (
        *(_ADDRESS, _ADDRESS, _ADDRESS, _NUMBER, _NUMBER),
        *(_ADDRESS, _NUMBER, _ADDRESS, _ADDRESS, _ADDRESS),
    )
    function.restype = _NUMBER
    return function


def _graphs_of(library: ctypes.CDLL) -> ctypes.CDLL:
    library.graph_new.argtypes = (_NUMBER, _NUMBER, _NUMBER, ctypes.c_int, ctypes.c_float)
    library.graph_new.restype = _ADDRESS
    library.graph_free.argtypes = (_ADDRESS,)
    library.graph_free.restype = None
    library.graph_place.argtypes = (_ADDRESS, _ADDRESS, _NUMBER)
    library.graph_place.restype = ctypes.c_int
    library.graph_link.argtypes = (_ADDRESS, _NUMBER)
    library.graph_link.restype = None
    library.graph_search.argtypes = (_ADDRESS, _ADDRESS, _NUMBER, _ADDRESS)
    library.graph_search.restype = _NUMBER
    library.graph_bytes.argtypes = (_ADDRESS,)
    library.graph_bytes.restype = _NUMBER
    return library
