"""What is around the content of an archive? A head that says what the file is, and frames that show any damage.

    head    8 bytes of magic, then the format number (uint32)
    frame   length of the content (uint32), checksum (uint32), content: one MessagePack value
    ...
    end     a frame whose content is nil, and nothing after it

Integers are little-endian. A checksum is the CRC-32 of the frame's length and content, continued from the checksum
of the frame before (the head's for the first), so that changed, lost, repeated and reordered frames are all noticed.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO, Final

import msgpack

from qdlite.errors import WrongInput

MAGIC: Final = b"\x89QDLITE\n"
FORMAT: Final = 1

_NUMBER = struct.Struct("<I")
_HEAD_BYTES = len(MAGIC) + _NUMBER.size
_TAR_MAGIC = b"ustar"
_TAR_MAGIC_AT = 257
_LARGEST = 2**32 - 1


class FrameWriter:
    """Writes an archive's head, its frames, and on `end` the mark without which it counts as truncated."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._packer = msgpack.Packer(use_bin_type=True)
        head = MAGIC + _NUMBER.pack(FORMAT)
        self._file.write(head)
        self._checksum = zlib.crc32(head)

    def write(self, value: object) -> None:
        """One frame. `value` is made of what MessagePack knows; buffers such as arrays' `data` become binary."""
        content = self._packer.pack(value)
        if len(content) > _LARGEST:
            raise WrongInput("A point is too large for an archive (4 GiB)")
        length = _NUMBER.pack(len(content))
        self._checksum = zlib.crc32(content, zlib.crc32(length, self._checksum))
        self._file.write(length)
        self._file.write(_NUMBER.pack(self._checksum))
        self._file.write(content)

    def end(self) -> None:
        self.write(None)


def read_frames(file: BinaryIO, size: int) -> Iterator[Any]:
    """The values of all frames of a file of `size` bytes, each verified before it is given out.

    Whatever was built from them must be thrown away if a later step raises WrongInput.
    """
    checksum = zlib.crc32(_head(file))
    left = size - _HEAD_BYTES
    while True:
        length = _exactly(file, _NUMBER.size)
        (expected,) = _NUMBER.unpack(_exactly(file, _NUMBER.size))
        (count,) = _NUMBER.unpack(length)
        left -= 2 * _NUMBER.size + count
        if left < 0:
            raise _damaged("it is cut off")
        content = _exactly(file, count)
        checksum = zlib.crc32(content, zlib.crc32(length, checksum))
        if checksum != expected:
            raise _damaged("a checksum does not match")
        value = _unpacked(content)
        if value is None:
            break
        yield value
    if left or file.read(1):
        raise _damaged("something follows its end")


def _head(file: BinaryIO) -> bytes:
    """The head of an archive that can be read. Raises WrongInput for other files, saying what they are."""
    start = file.read(_HEAD_BYTES)
    if not start.startswith(MAGIC):
        rest = file.read(_TAR_MAGIC_AT + len(_TAR_MAGIC) - len(start))
        if (start + rest)[_TAR_MAGIC_AT:] == _TAR_MAGIC:
            raise WrongInput(
                "This is a snapshot made by a Qdrant server, which qdlite cannot read. Copy the collection from the "
                "running server instead, e.g. with the `migrate` method of its Python client"
            )
        if MAGIC.startswith(start[: len(MAGIC)]):
            raise _damaged("it is cut off")
        raise WrongInput("The file is not a snapshot of qdlite")
    if len(start) < _HEAD_BYTES:
        raise _damaged("it is cut off")
    (found,) = _NUMBER.unpack(start[len(MAGIC) :])
    if found != FORMAT:
        raise WrongInput(f"The snapshot has format {found}; this version of qdlite reads format {FORMAT}")
    return start


def _exactly(file: BinaryIO, count: int) -> bytes:
    content = file.read(count)
    if len(content) < count:
        raise _damaged("it is cut off")
    return content


def _unpacked(content: bytes) -> Any:
    try:
        return msgpack.unpackb(content, raw=False, strict_map_key=True)
    except (ValueError, msgpack.UnpackException) as error:
        raise _damaged(f"a frame cannot be decoded: {error}") from None


def _damaged(reason: str) -> WrongInput:
    return WrongInput(f"The snapshot is damaged: {reason}")
