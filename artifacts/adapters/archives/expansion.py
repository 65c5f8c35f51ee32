"""A compressed blob as a file that can be read forwards only, in bounded memory."""

import bz2
import io
import lzma
import os
import zlib
from typing import Final, Protocol

from artifacts.adapters.archives.blob_file import BlobFile
from artifacts.domain.archives import Limits

_INPUT_BYTES: Final = 64 * 1024
_OUTPUT_BYTES: Final = 256 * 1024


class _Decompressor(Protocol):
    """What bz2's and lzma's have in common."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class _Gzip:
    """zlib's decompressor in the same words."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, max(max_length, 0))


class Expanded(io.RawIOBase):
    """What the compressed file becomes; as many compressed streams in a row as there are."""

    def __init__(self, packed: BlobFile, *, kind: str, limits: Limits) -> None:
        self._packed = packed
        self._limits = limits
        self._kind = kind
        self._decompressor = self._new()
        self._held = self._pending = b""
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Forwards only: what was unpacked is gone."""
        wanted = offset + (self._position if whence == os.SEEK_CUR else 0)
        if whence == os.SEEK_END or wanted < self._position:
            raise ValueError("backwards")
        while self._position < wanted and self._read(min(wanted - self._position, _OUTPUT_BYTES)):
            pass
        return self._position

    def read(self, size: int | None = -1) -> bytes:
        if size is None or size < 0:
            raise ValueError("everything")
        self._limits.require("directory_bytes", size)
        found = bytearray()
        while len(found) < size and (piece := self._read(size - len(found))):
            found += piece
        return bytes(found)

    def _read(self, most: int) -> bytes:
        while not self._held:
            if self._is_at_end():
                return b""
            self._held = self._expand()
        piece, self._held = self._held[:most], self._held[most:]
        self._position += len(piece)
        return piece

    def _is_at_end(self) -> bool:
        """Whether a stream has ended and none follows; otherwise the next one has begun."""
        if not self._decompressor.eof:
            return False
        self._pending = self._decompressor.unused_data or self._packed.read(_INPUT_BYTES)
        if not self._pending.strip(b"\0"):  # padding to whole blocks
            return True
        self._decompressor = self._new()
        return False

    def _expand(self) -> bytes:
        """The next bytes; nothing where more input is needed first."""
        packed, self._pending = self._pending, b""
        if not packed and self._decompressor.needs_input:
            packed = self._packed.read(_INPUT_BYTES)
        found = self._decompressor.decompress(packed, _OUTPUT_BYTES)
        if not packed and not found and not self._decompressor.eof:
            raise EOFError("the compressed stream ends early")
        self._packed.check_time()
        self._limits.require_expanded(self._position + len(found), packed=self._packed.tell())
        return found

    def _new(self) -> _Decompressor:
        match self._kind:
            case "gz":
                return _Gzip()
            case "bz2":
                return bz2.BZ2Decompressor()
            case _:
                return lzma.LZMADecompressor(memlimit=self._limits.decompressor_bytes)
